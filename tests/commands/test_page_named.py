"""Whatever is wrong with what a page asks for, the error names the page, or the file that is to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.cli import main

TABLE = "table: replies.csv\n"
RECIPE = """\
description: how speakers feel, by their words
data:
  mixture:
    - {corpus: demo_affect, template: emotion_choice, space: demo_affect_5, rater: words, modalities: [text]}
trainer: {max_steps: 1}
"""
PAGES = {
    "train: a model without a name": (
        "train",
        f"{RECIPE}model: {{path: '', backbone: qwen2}}\n",
        "model of my_page: the name of the model is empty",
    ),
    "train: a folder that is not there": (
        "train",
        f"{RECIPE}model: {{path: ./nowhere, backbone: qwen2}}\n",
        "model of my_page: there is no checkpoint folder ./nowhere",
    ),
    "train: a backbone that is none": (
        "train",
        f"{RECIPE}model: {{path: 'tiny:qwen2', backbone: ' '}}\n",
        "my_page.yaml:6: there is no family called ' '",
    ),
    "train: a launch configuration that is none": (
        "train",
        f"{RECIPE}model: {{path: 'tiny:qwen2', backbone: qwen2}}\nlaunch: /\n",
        "my_page.yaml:7: there is no launch configuration '/'",
    ),
    "run: a task that is none": (
        "run",
        f"{RECIPE}model: {{path: 'tiny:qwen2', backbone: qwen2}}\neval: {{tasks: [$HOME]}}\n",
        "eval.tasks of my_page: there is no task called '$HOME'",
    ),
    "train: a number beyond all others": (
        "train",
        f"{RECIPE}model: {{path: 'tiny:qwen2', backbone: qwen2}}\nseed: 1{400 * '0'}\n",
        "my_page.yaml:7: not YAML: int too large",
    ),
    "train: a teacher that is not there": (
        "train",
        f"{RECIPE}model: {{path: 'tiny:qwen2', backbone: qwen2}}\nmethod: distil\nteacher: {{path: ./nowhere}}\n",
        "nowhere",
    ),
    "speak: a model without a name": ("speak", f"{TABLE}model: ''\n", "the name of the model is empty"),
    "speak: a folder that is not there": ("speak", f"{TABLE}model: ./nowhere\n", "there is no checkpoint folder"),
    "speak: a speech model that is not there": (
        "speak",
        f"{TABLE}model: tiny:qwen2_5_omni\nheard: ./nowhere\n",
        "nowhere",
    ),
    "empathy: a metric without references": (
        "empathy",
        f"{TABLE}columns: {{context: text}}\nsystems: {{ours: reply}}\nmetrics: [bleu_1]\n",
        "bleu_1 needs references",
    ),
    "compose: a checkpoint that is not there": (
        "compose",
        "description: none\nlanguage: ./nowhere\naudio: ./nowhere\n",
        "nowhere",
    ),
}


@pytest.mark.parametrize(("command", "page", "message"), PAGES.values(), ids=PAGES)
def test_a_value_that_comes_to_nothing_is_told_with_its_page(
    command: str, page: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "replies.csv").write_text("id,text,reply\na,I lost my keys.,Oh no!\nb,It rains.,So it does.\n")
    (tmp_path / "my_page.yaml").write_text(page)
    to = "--to" if command == "compose" else "--out"
    assert main([command, str(tmp_path / "my_page.yaml"), to, str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert message in said and "my_page" in said
