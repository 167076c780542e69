"""Every text task under plain lm-eval, with a text model of its own, on the miniatures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from evaluating import PAGES, TASKS, corpus_of, hint_tables, miniatures

from affectllm.evaluate import environment
from affectllm.evaluate.logged import of_results
from affectllm.evaluate.plain.pages import write_pages
from affectllm.evaluate.scoring.scores import write_scores

TEXT = [name for name in TASKS if PAGES[name].get("modalities") == ["text"]]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    write_pages(folder)
    return folder


def _lm_eval(pages: Path, *words: str, roots: dict[str, Path]) -> subprocess.CompletedProcess[str]:
    names = {environment.ROOTS: json.dumps({name: str(root) for name, root in roots.items()}), "HF_HUB_OFFLINE": "1"}
    names["AFFECTLLM_HINTS"] = str(hint_tables())
    command = [sys.executable, "-m", "lm_eval", "--include_path", str(pages), *words]
    return subprocess.run(command, env={**os.environ, **names}, capture_output=True, text=True)


@pytest.mark.thorough  # a minute or two; four of them always run in test_evaluate_run
def test_every_text_task_runs_under_plain_lm_eval_with_a_model_of_its_own(pages: Path, tmp_path: Path) -> None:
    from affectllm.model.tiny import tiny_folder

    roots = miniatures(tmp_path / "corpora", map(corpus_of, TEXT))
    words = ["--tasks", ",".join(TEXT), "--model", "hf", "--model_args", f"pretrained={tiny_folder('qwen2')}"]
    words += ["--device", "cpu", "--limit", "2", "--gen_kwargs", "max_gen_toks=8", "--log_samples"]
    done = _lm_eval(pages, *words, "--output_path", str(tmp_path / "out" / "results.json"), roots=roots)
    assert done.returncode == 0, done.stderr[-3000:]
    (results,) = (tmp_path / "out").glob("results_*.json")
    scored = set(write_scores(tmp_path / "out", of_results(results)))
    assert len(scored) > 0.9 * len(TEXT)  # of two items not every headline is defined
    assert {name for name in json.loads(results.read_text())["results"]} == set(TEXT)


@pytest.mark.thorough  # lists ten thousand tasks of lm-eval beside ours
def test_plain_lm_eval_lists_every_page(pages: Path) -> None:
    command = [sys.executable, "-m", "lm_eval", "ls", "tasks", "--include_path", str(pages)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert [name for name in PAGES if f"|{name} " not in listed] == []
