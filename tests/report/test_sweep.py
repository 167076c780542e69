"""The summary of a sweep has a row for every run, with what was varied and what came of it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from made_run import TASK, make_run

from affectllm.cli import main
from affectllm.commands.run import _seeds
from affectllm.report.boards.sweep import Varied, write_sweep


def test_every_run_has_a_row_with_what_was_varied_and_its_scores(tmp_path: Path) -> None:
    runs = []
    for rate in ("0.001", "a|b"):
        folder = tmp_path / f"rate={rate.replace('|', '-')}"
        make_run(folder)
        runs.append(Varied({"trainer.learning_rate": rate}, folder))
    path, spread = write_sweep(tmp_path, runs)
    assert not spread  # nothing differs in its seed alone
    header, rule, *rows = path.read_text(encoding="utf-8").splitlines()
    assert header.startswith("| trainer.learning\\_rate | ") or header.startswith("| trainer.learning_rate | ")
    assert TASK in header and header.count("|") == rule.count("|") == rows[0].count("|")
    assert [row.split(" | ")[0] for row in rows] == ["| 0.001", "| a\\|b"]
    scores = json.loads((runs[0].folder / "eval" / "scores.json").read_text(encoding="utf-8"))[TASK]
    headline = next(iter(scores.values()))
    assert f"{headline['value']:.3f}" in rows[0]
    # What one chooses by stands before what is not chosen by: the validation of the checkpoint that was kept.
    titles, cells = ([cell.strip() for cell in row.split(" | ")] for row in (header, rows[0]))
    assert titles[1] == "validation loss" and cells[1] == "0.500" and titles[2].startswith(TASK)
    assert titles[-1] == "training loss |"
    kept = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))["runs"]
    assert [one["values"] for one in kept] == [{"trainer.learning_rate": "0.001"}, {"trainer.learning_rate": "a|b"}]
    assert kept[0]["scores"][TASK] == scores and kept[0]["validation"] == {"loss": 0.5}


def test_seeds_have_their_mean_deviation_and_range_apart_from_what_else_varies(tmp_path: Path) -> None:
    runs = []
    for rate, values in {"0.1": (0.5, 0.6, 0.85), "0.2": (0.4, math.nan, 0.3)}.items():
        for seed, value in enumerate(values, 1):
            folder = tmp_path / f"{rate}-{seed}"
            make_run(folder)
            path = folder / "eval" / "scores.json"
            scores = json.loads(path.read_text(encoding="utf-8"))
            metric = next(iter(scores[TASK]))
            scores[TASK][metric]["value"] = value  # one has none, and is not taken for 0
            path.write_text(json.dumps(scores), encoding="utf-8")
            runs.append(Varied({"seed": str(seed), "lr": rate}, folder))
    written, spread = write_sweep(tmp_path, runs)
    assert len(spread) == 2 and all(line in written.read_text(encoding="utf-8") for line in spread)
    assert spread[0].startswith("lr=0.1: ") and "over 3 seeds: mean 0.650, SD 0.180, from 0.500 to 0.850" in spread[0]
    assert spread[1].startswith("lr=0.2: ") and "over 2 seeds: mean 0.350, SD 0.071, from 0.300 to 0.400" in spread[1]
    kept = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))["over_seeds"]
    assert kept[0]["scores"] == {"1": 0.5, "2": 0.6, "3": 0.85} and kept[0]["values"] == {"lr": "0.1"}


@pytest.mark.parametrize("text", ["1", "0", "a", "3,3", "1,", "-2"])
def test_seeds_that_show_no_spread_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "quickstart", f"--seeds={text}"])
    assert "seed" in capsys.readouterr().err


def test_seeds_are_given_as_a_number_or_one_by_one() -> None:
    assert [_seeds("3"), _seeds("4,2")] == [[1, 2, 3], [4, 2]]
