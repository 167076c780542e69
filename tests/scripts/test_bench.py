"""Every measurement of scripts/bench runs, at a tiny size, and gives finite positive ratios. No timing is asserted."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest
from benchmarks import NAMES, run, table
from benchmarks.row import Row

SCRIPTS = Path(__file__).parents[2] / "scripts"


QUICK = ("choices", "packing", "metrics")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.thorough]) for name in NAMES]
)
def test_every_benchmark_runs_and_gives_ratios(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = run([name], "tiny")
    assert rows and "train_runtime" not in capsys.readouterr().out  # the table is printed alone
    for row in rows:
        assert math.isfinite(row.ratio) and row.ratio > 0, row
        assert row.what and row.against and row.ours and row.other


def test_a_row_says_by_how_much_it_misses_its_goal() -> None:
    assert Row("a", "b", "1 s", "1 s", 1.5, 2.0).verdict == "missed by 25 %"
    assert Row("a", "b", "1 s", "1 s", 2.0, 2.0).verdict == "met"
    assert Row("a", "b", "1 s", "1 s", 2.0).verdict == "–"


def test_the_table_replaces_what_is_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", encoding="utf-8")
    for _ in range(2):
        table.write(page, [Row("decode", "a loop", "1 ms", "2 ms", 2.0, 0.9)])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert text.count("| decode | 1 ms | a loop | 2 ms | 2.00 | ≥ 0.9 | met |") == 1


@pytest.mark.slow
def test_the_script_names_its_benchmarks() -> None:
    wrong = subprocess.run([SCRIPTS / "bench", "nothing"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and all(name in wrong.stderr for name in NAMES)
