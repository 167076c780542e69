"""The same for commands with a model: training, scoring, the report and a publication; see ``test_kill_points``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kill_scenes import HEAVY, HEAVY_SCENES, Place
from killing import Worker, by_suffix, kill_everywhere, worker

pytestmark = pytest.mark.slow(minutes=5)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("heavy"), HEAVY) as one:
        yield one


THOROUGH = ("train over another recipe", "score over other scores, and report", "publish over another", "report again")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.thorough] * (name in THOROUGH)) for name in HEAVY_SCENES]
)
def test_models_and_what_is_made_of_them(
    heavy: Worker, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place.make(tmp_path, monkeypatch)
    kills, wrong = kill_everywhere(heavy, HEAVY_SCENES[name](heavy, place), place.folder, by_suffix)
    assert not wrong
    assert kills > 5
