"""The summary of a sweep has a row for every run, with what was varied and what came of it."""

from __future__ import annotations

import json
from pathlib import Path

from made_run import TASK, make_run

from affectllm.report.boards.sweep import Varied, write_sweep


def test_every_run_has_a_row_with_what_was_varied_and_its_scores(tmp_path: Path) -> None:
    runs = []
    for rate in ("0.001", "a|b"):
        folder = tmp_path / f"rate={rate.replace('|', '-')}"
        make_run(folder)
        runs.append(Varied({"trainer.learning_rate": rate}, folder))
    path = write_sweep(tmp_path, runs)
    header, rule, *rows = path.read_text(encoding="utf-8").splitlines()
    assert header.startswith("| trainer.learning\\_rate | ") or header.startswith("| trainer.learning_rate | ")
    assert TASK in header and header.count("|") == rule.count("|") == rows[0].count("|")
    assert [row.split(" | ")[0] for row in rows] == ["| 0.001", "| a\\|b"]
    scores = json.loads((runs[0].folder / "eval" / "scores.json").read_text(encoding="utf-8"))[TASK]
    headline = next(iter(scores.values()))
    assert f"{headline['value']:.3f}" in rows[0]
    kept = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert [one["values"] for one in kept] == [{"trainer.learning_rate": "0.001"}, {"trainer.learning_rate": "a|b"}]
    assert kept[0]["scores"][TASK] == scores
