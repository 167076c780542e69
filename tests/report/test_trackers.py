"""Trackers get what came of a training: scores and the place of the report, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_run import TASK, make_run

from affectllm.report.trackers import tell_trackers


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run whose recipe names TensorBoard."""
    folder = make_run(tmp_path / "run")
    path = folder / "train" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["inputs"]["recipe"] = {"trainer": {"report_to": ["tensorboard", "none"]}}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_scores_and_report_are_logged_once(run: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    for _ in range(2):
        tell_trackers(run, run / "report.html")
    (file,) = (run / "train" / "runs").rglob("events.*")
    events = accumulator.EventAccumulator(str(file.parent)).Reload()
    scores = json.loads((run / "eval" / "scores.json").read_text(encoding="utf-8"))[TASK]
    for metric, score in scores.items():
        (point,) = events.Scalars(f"score/{TASK}/{metric}")
        assert point.value == pytest.approx(score["value"], abs=1e-6) and point.step > 0
    assert any("report" in tag for tag in events.Tags()["tensors"])


def test_a_tracker_that_fails_is_told_and_asked_again(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard")
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(blocked / "logs"))
    tell_trackers(run, run / "report.html")
    assert "tensorboard did not take the scores" in capsys.readouterr().err
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR")
    tell_trackers(run, run / "report.html")
    assert "did not take" not in capsys.readouterr().err
