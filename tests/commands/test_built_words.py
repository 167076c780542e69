"""What a run says of its data before it trains, and what it refuses there."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tuning import write_page

from affectllm.errors import AffectError
from affectllm.train import whole
from affectllm.train.recipe import load_recipe


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The launches, which are left out."""
    launches: list[Any] = []
    monkeypatch.setattr(whole, "launch", lambda *words, **_: launches.append(words))
    return launches


def begin(page: Path, root: Path, out: Path) -> None:
    whole.train(str(page), load_recipe(str(page)), [], {"demo_affect": root}, out)


def test_a_run_says_what_was_built_and_left_out(
    small_demo: Path, tmp_path: Path, launched: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    begin(write_page(tmp_path), small_demo, tmp_path / "run")
    (line,) = [one for one in capsys.readouterr().err.splitlines() if one.startswith("built: ")]
    assert line.startswith("built: 16 conversations to train on, ") and " × " in line.partition("left out")[2]
    assert launched


def test_evaluating_on_nothing_is_refused_before_anything_is_launched(
    small_demo: Path, tmp_path: Path, launched: list[Any]
) -> None:
    root = Path(shutil.copytree(small_demo, tmp_path / "demo_affect"))
    rows = (root / "labels.csv").read_text().splitlines(keepends=True)
    (root / "labels.csv").write_text("".join(row for row in rows if ",validation," not in row))
    page = write_page(tmp_path, trainer={"eval_strategy": "epoch"})
    with pytest.raises(AffectError, match="no validation row"):
        begin(page, root, tmp_path / "run")
    assert not launched
