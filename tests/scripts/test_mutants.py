"""Mutants meet the tests that run their line, the quickest first, and a test that fails or hangs has noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("coverage")
from mutating import forking
from mutating.covering import Covered
from mutating.forking import noticed


def test_a_line_has_the_tests_that_run_it_and_an_imported_one_those_of_its_file() -> None:
    covered = Covered(
        {"a.py": {1: [], 4: ["slow", "quick"], 9: ["other"]}}, {"slow": 2.0, "quick": 0.1, "other": 1.0}, []
    )
    assert covered.tests("a.py", range(4, 6)) == ["quick", "slow"]
    assert covered.tests("a.py", range(1, 2)) == ["quick", "other", "slow"]
    assert covered.tests("b.py", range(1, 2)) == []


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
