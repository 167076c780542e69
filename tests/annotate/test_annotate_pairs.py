"""Pairs of descriptions that an annotation prefers are what DPO trains on; labels by likelihood feed them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from stand_in_server import MODEL, StandIn
from tuning import logged, page_of

from affectllm.cli import main
from affectllm.train.stage import train

WORDS = {"Describe": "Somebody full of joy.", "Which emotion does": "Somebody full of anger."}
PAGE = """\
name: preferred
corpus: demo_affect
split: train
models:
  writer: {{model: affectllm-api, options: {{base_url: '{url}', model: {model}, selftest: false}}}}
  judge: {{model: "tiny:qwen2", device: cpu}}
steps:
  - {{step: describe, name: felt, model: writer, see: [text]}}
  - {{step: describe, name: told, model: writer, see: [text], ask: "Which emotion does the speaker show?"}}
  - {{step: extract, name: felt_label, models: [writer], of: felt, space: demo_affect_5}}
  - {{step: extract, name: told_label, models: [writer], of: told, space: demo_affect_5}}
  - {{step: extract, name: judged, models: [judge], of: told, space: demo_affect_5, score_by: likelihood}}
  - {{step: pairs, name: better, of: {{felt: felt_label, told: told_label}}, space: demo_affect_5, rater: intended}}
"""


def answer(body: dict[str, Any]) -> str:
    asked = str(body["messages"])
    if "Which of these does" in asked:
        return "anger" if "full of anger" in asked else "happiness"
    return next(words for start, words in WORDS.items() if start in asked)


@pytest.mark.slow
@pytest.mark.thorough
def test_pairs_of_an_annotation_are_trained_on(
    small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    with StandIn(answer=answer) as server:
        (tmp_path / "page.yaml").write_text(PAGE.format(url=server.url, model=MODEL))
        words = ["--root", f"demo_affect={small_demo}", "--out", str(out), "--answers", str(tmp_path / "answers")]
        assert main(["annotate", str(tmp_path / "page.yaml"), *words]) == 0
    rows = [json.loads(line) for line in (out / "steps/05-judged.jsonl").read_text().splitlines()]
    assert rows and all(len(row["notes"]["judged"]) == 1 and not row["gaps"] for row in rows)

    part = next(one for one in yaml.safe_load((out / "mixture.yaml").read_text())["mixture"] if "rejected" in one)
    monkeypatch.setenv("AFFECTLLM_PATH", str(out))
    trainer = {"max_steps": 8, "save_strategy": "no", "learning_rate": 1.0e-2, "per_device_train_batch_size": 4}
    page = page_of("dpo", tmp_path, data={"mixture": [part]}, trainer=trainer)
    train(str(page), [], [f"preferred={small_demo}"], tmp_path / "run")
    margins = logged(tmp_path / "run", "rewards/margins")
    assert margins[0] == pytest.approx(0.0, abs=1e-3) and margins[-1] > 0.01


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("space: ekman_6_neutral, score_by: chance", "reply or likelihood"),
        ("score_by: likelihood", "give it a space"),
    ],
)
def test_a_wrong_way_to_extract_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: str, message: str
) -> None:
    (tmp_path / "table.csv").write_text("id,text\na,Good day\n")
    (tmp_path / "page.yaml").write_text(
        "name: made\nfiles: [table.csv]\nmodels: {scribe: {model: 'tiny:qwen2'}}\nsteps:\n"
        "  - {step: describe, name: worded, model: scribe, see: [text]}\n"
        f"  - {{step: extract, name: labels, models: [scribe], of: worded, {changes}}}\n"
    )
    assert main(["annotate", str(tmp_path / "page.yaml"), "--dry-run"]) == 2
    assert message in capsys.readouterr().err
