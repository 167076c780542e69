"""Every text task under plain lm-eval, with a text model of its own, on the miniatures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from evaluating import corpus_of, miniatures

from affectllm import registry
from affectllm.evaluate import environment
from affectllm.evaluate.logged import of_results
from affectllm.evaluate.scoring.scores import write_scores
from affectllm.evaluate.shelf import all_tasks

PAGES = str(registry.folders("eval_tasks")[0])
TEXT = sorted(
    name
    for name, entry in all_tasks().items()
    if not entry.is_group and not entry.chosen and entry.config.get("modalities") == ["text"]
)


def _lm_eval(*words: str, roots: dict[str, Path]) -> subprocess.CompletedProcess[str]:
    names = {environment.ROOTS: json.dumps({name: str(root) for name, root in roots.items()}), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "lm_eval", "--include_path", PAGES, *words]
    return subprocess.run(command, env={**os.environ, **names}, capture_output=True, text=True)


@pytest.mark.thorough  # a minute or two; four of them always run in test_evaluate_run
def test_every_text_task_runs_under_plain_lm_eval_with_a_model_of_its_own(tmp_path: Path) -> None:
    from affectllm.model.tiny import tiny_folder

    roots = miniatures(tmp_path / "corpora", map(corpus_of, TEXT))
    words = ["--tasks", ",".join(TEXT), "--model", "hf", "--model_args", f"pretrained={tiny_folder('qwen2')}"]
    words += ["--device", "cpu", "--limit", "2", "--gen_kwargs", "max_gen_toks=8", "--log_samples"]
    done = _lm_eval(*words, "--output_path", str(tmp_path / "out" / "results.json"), roots=roots)
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = (tmp_path / "out").glob("results_*.json")
    scored = set(write_scores(tmp_path / "out", of_results(results)))
    assert len(scored) > 0.9 * len(TEXT)  # of two items not every headline is defined
    assert {name for name in json.loads(results.read_text())["results"]} == set(TEXT)


@pytest.mark.thorough  # lists ten thousand tasks of lm-eval beside ours
def test_plain_lm_eval_lists_every_page() -> None:
    command = [sys.executable, "-m", "lm_eval", "ls", "tasks", "--include_path", PAGES]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [name for name in TEXT if f"|{name} " not in listed] == []
