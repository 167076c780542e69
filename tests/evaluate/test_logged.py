"""Scores come from this run's own files: whatever the clock says, and only when lm-eval wrote them whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import use

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import NotFound, WriteFailed
from affectllm.evaluate import logged
from affectllm.evaluate.harness import lm_eval_main

TASK = "emodb_emotion"


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    use(monkeypatch, {})
    names = [f"{who}a0{text}{label}a" for who in ("11", "12", "14") for text, label in ((1, "W"), (2, "W"), (4, "N"))]
    root = materialise({f"wav/{name}.wav": Tone(0.1) for name in names}, tmp_path / "emodb")
    return ["--tasks", TASK, "--root", f"emodb={root}", "--output_path", str(tmp_path / "out")]


def accuracy(scores: dict[str, Any]) -> float:
    return float(scores[TASK]["accuracy"]["value"])


def test_a_second_run_into_the_folder_is_scored_though_the_clock_went_back(words: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    lm_eval_main([*words, "--model", "affectllm-oracle"])
    # What the first run left has the larger name, as after a change of the time zone.
    for path in [*out.glob("results_*"), *out.glob("samples_*")]:
        path.rename(out / path.name.replace("_20", "_29"))
    second = lm_eval_main([*words, "--model", "affectllm-mute"])
    assert accuracy(second) == 0
    assert accuracy(json.loads((out / "scores.json").read_text())) == 0
    assert len(list(out.glob("results_*.json"))) == 2
    sources = json.loads((out / "sources.json").read_text())
    assert not sources["results"].startswith("results_29") and not sources["samples"][TASK].startswith(
        f"samples_{TASK}_29"
    )


def test_what_a_killed_run_left_is_not_scored(words: list[str], tmp_path: Path) -> None:
    lm_eval_main([*words, "--model", "affectllm-oracle"])
    out = tmp_path / "out"
    left = logged.scratch(out)
    left.mkdir()
    for path in [*out.glob("results_*"), *out.glob("samples_*")]:
        path.rename(left / path.name.replace("_20", "_29"))
    assert accuracy(lm_eval_main([*words, "--model", "affectllm-mute"])) == 0
    assert not left.exists() and len(list(out.glob("results_*.json"))) == 1


def results(documents: int) -> dict[str, Any]:
    return {"configs": {"t": {}}, "n-samples": {"t": {"original": 9, "effective": documents}}, "versions": {"t": 1}}


def left_by_lm_eval(folder: Path, documents: int, rows: str) -> None:
    place = logged.scratch(folder)
    place.mkdir(parents=True)
    (place / "results_2026-01-01.json").write_text(json.dumps(results(documents)))
    (place / "samples_t_2026-01-01.jsonl").write_text(rows)


def test_whole_files_are_put_beside_the_others(tmp_path: Path) -> None:
    # Two filters of one document are two rows.
    left_by_lm_eval(tmp_path, 2, "".join(json.dumps({"doc_id": i}) + "\n" for i in (0, 0, 1, 1)))
    collected = logged.collect(tmp_path)
    assert collected.samples["t"].is_file() and collected.results.parent == tmp_path
    assert not logged.scratch(tmp_path).exists()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ('{"doc_id": 0}\n', "samples of 1 of 2 documents"),
        ('{"doc_id": 0}\n{"doc_id": ', "samples are cut off"),
    ],
)
def test_what_lm_eval_could_not_write_whole_is_not_scored(tmp_path: Path, rows: str, problem: str) -> None:
    left_by_lm_eval(tmp_path, 2, rows)
    with pytest.raises(WriteFailed, match=problem):
        logged.collect(tmp_path)


def test_cut_off_results_are_not_scored(tmp_path: Path) -> None:
    left_by_lm_eval(tmp_path, 1, '{"doc_id": 0}\n')
    path = next(logged.scratch(tmp_path).glob("results_*"))
    path.write_text(path.read_text()[:20])
    with pytest.raises(WriteFailed, match="results are cut off"):
        logged.collect(tmp_path)


def test_scores_need_lm_evals_results_and_samples(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no results file"):
        logged.collect(tmp_path)
    left_by_lm_eval(tmp_path, 1, '{"doc_id": 0}\n')
    next(logged.scratch(tmp_path).glob("samples_*")).unlink()
    with pytest.raises(NotFound, match="no samples"):
        logged.collect(tmp_path)


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_later_run_writes_to_the_error_output_of_its_own_time(words: list[str], capsys, time: str) -> None:
    # Each of the two has another error output, and that of the first is closed.
    lm_eval_main([*words, "--model", "affectllm-oracle"])
    stderr = capsys.readouterr().err
    assert "Selected Tasks" in stderr and "Logging error" not in stderr
