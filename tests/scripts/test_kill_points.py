"""A command killed before any change to the file system is finished by the same command, with the same bytes.

Here before one change of every kind; ``scripts/kill_points`` kills before every single one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kill_scenes import LIGHT, LIGHT_SCENES, Place
from killing import Worker, by_suffix, kill_everywhere, worker

pytestmark = pytest.mark.slow(minutes=2)


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("light"), LIGHT) as one:
        yield one


THOROUGH = ("build a mixture over another", "build a mixture in the given order", "export over another format")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.thorough] * (name in THOROUGH)) for name in LIGHT_SCENES]
)
def test_data_and_exports(light: Worker, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.make(tmp_path, monkeypatch)
    kills, wrong = kill_everywhere(light, LIGHT_SCENES[name](light, place), place.folder, by_suffix)
    assert not wrong
    assert kills > 7
