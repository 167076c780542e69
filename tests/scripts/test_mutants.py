"""Mutants meet the tests that run their line, the quickest first, and a test that fails or hangs has noticed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("coverage")
from mutating import forking
from mutating.covering import Covered
from mutating.forking import noticed


def test_a_line_has_the_tests_that_run_it_and_an_imported_one_all_of_them() -> None:
    """What an import makes, such as the range of a metric, may be used by a test that runs no line of the file."""
    lines = {"a.py": {1: [], 4: ["slow", "quick"]}, "b.py": {2: ["other"]}}
    covered = Covered(lines, {"slow": 2.0, "quick": 0.1, "other": 1.0}, [])
    assert covered.tests("a.py", range(4, 6)) == covered.of_file("a.py") == ["quick", "slow"]
    assert covered.tests("a.py", range(1, 2)) == ["quick", "other", "slow"]


def test_stars_that_are_no_operators_and_annotations_are_left_alone(tmp_path: Path) -> None:
    room = pytest.importorskip("mutating.room", reason="needs cosmic-ray")
    path = tmp_path / "made.py"
    line = "def f(x: int | None, *, é: int = 2) -> int | None: return {**{'é': 'é' * é * x}}"
    path.write_text(line, encoding="utf-8")
    signs = {place: letter for place, letter in enumerate(line) if letter in "*|"}

    def runs(place: int, operator: str) -> bool:
        return room._runs(SimpleNamespace(module_path=path, operator_name=operator, start_pos=(1, place)))

    changed = [place for place in signs if runs(place, "core/ReplaceBinaryOperator_Mul_Add")]
    assert changed == [line.index("* é *"), line.index("* x")]
    assert runs(line.index("2"), "core/NumberReplacer") and not runs(line.index("None"), "core/AddNot")


@pytest.mark.slow
def test_failing_and_hanging_tests_notice_and_others_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        forking, "LEFT_OUT", ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path)]
    )
    (tmp_path / "test_made.py").write_text(
        "import time\ndef test_good(): pass\ndef test_bad(): assert 0\ndef test_long(): time.sleep(60)\n"
    )
    made = {name: [f"test_made.py::test_{name}"] for name in ("good", "bad", "long", "absent")}
    assert [noticed(made[name], seconds=40, profile="default") for name in ("good", "bad")] == [False, True]
    assert noticed(made["long"], seconds=3, profile="default")
    with pytest.raises(RuntimeError, match="none of 1 tests"):
        noticed(made["absent"], seconds=40, profile="default")
