"""Files of a run that are JSON, but not what a run writes, are named; none of them ends in a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.errors import Malformed
from affectllm.report.replies import samples_file
from affectllm.report.runfolder import read_run
from affectllm.run import Run

SCORE: dict[str, Any] = {"value": -0.3, "low": None, "high": None, "n": 6, "unreadable": 0.0}
SHAPES = ["null", "[1]", '"x"', "3", "{", "", "[" * 100_000]


def a_run(folder: Path) -> Path:
    (folder / "eval").mkdir(parents=True)
    (folder / "train").mkdir()
    (folder / "eval" / "scores.json").write_text(json.dumps({"toy": {"ccc": SCORE}}))
    (folder / "eval" / "details.json").write_text(json.dumps({"toy": {"labels": ["joy"]}}))
    (folder / "eval" / "sources.json").write_text(json.dumps({"samples": {}}))
    (folder / "train" / "trainer_state.json").write_text(json.dumps({"log_history": [{"step": 1, "loss": 2.0}]}))
    return folder


@pytest.mark.parametrize("text", SHAPES, ids=lambda text: text[:5])
@pytest.mark.parametrize("name", ["eval/scores.json", "eval/details.json", "eval/sources.json"])
def test_a_file_of_another_shape_is_named(name: str, text: str, tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    assert read_run(run).evaluation is not None
    (run / name).write_text(text)
    with pytest.raises(Malformed) as caught:
        read_run(run)
        samples_file(run / "eval", "toy")
    assert caught.value.where == str(run / name)


@pytest.mark.parametrize("text", [*SHAPES, '{"log_history": 3}', '{"log_history": [null]}', '{"log_history": [{}]}'])
def test_a_history_of_another_shape_is_named(text: str, tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "train" / "trainer_state.json").write_text(text)
    with pytest.raises(Malformed) as caught:
        read_run(run)
    assert caught.value.where.endswith("trainer_state.json")


WRONG: list[tuple[Any, str]] = [
    ("x", "x is no score"),
    (None, "None is no score"),
    ({**SCORE, "value": None}, "value is None"),
    ({**SCORE, "value": "0.5"}, "value is 0.5"),
    ({**SCORE, "high": "x"}, "high is x"),
    ({**SCORE, "n": None}, "n is None"),
]


@pytest.mark.parametrize(("score", "message"), WRONG, ids=str)
def test_what_is_no_score_is_not_shown_as_one(score: Any, message: str, tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "eval" / "scores.json").write_text(json.dumps({"toy": {"ccc": score}}))
    with pytest.raises(Malformed, match=f"toy, ccc: {message}"):
        read_run(run)


@pytest.mark.parametrize("line", [b"\xff\xfe\x00\n", b"[" * 100_000])
def test_a_broken_list_of_rejections_is_named(line: bytes, tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    (run / "eval" / "rejected.jsonl").write_bytes(line)
    with pytest.raises(Malformed, match="this line is no rejection"):
        read_run(run)


def test_a_finished_evaluation_without_its_scores_is_told(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    with Run(tmp_path / "made", "eval", {}):
        (tmp_path / "made" / "scores.json").write_text((run / "eval" / "scores.json").read_text())
    for path in (run / "eval").iterdir():
        path.unlink()
    for name in ("manifest.json", "scores.json"):
        (run / "eval" / name).write_bytes((tmp_path / "made" / name).read_bytes())
    assert read_run(run).evaluation is not None
    (run / "eval" / "scores.json").unlink()
    with pytest.raises(Malformed, match=r"missing or changed, such as scores\.json"):
        read_run(run)
