"""Kill points in their order, from a place that the seed draws: as many as the minutes allow."""

from __future__ import annotations

from collections.abc import Iterator

from kill_scenes import HEAVY, HEAVY_SCENES, LIGHT, LIGHT_SCENES, Place
from killing import NotKilled, Points

from torturing.scene import Scene

_SCENES = [
    *((name, LIGHT, scene) for name, scene in LIGHT_SCENES.items()),
    *((name, HEAVY, scene) for name, scene in HEAVY_SCENES.items()),
]


def points(scene: Scene) -> str:
    """The command is killed before its next change of the file system, and finished by the same command.

    The first trial draws a command and a change, each later one takes the change after that of the last, and the first
    of the next command after the last of one.
    """
    if "points" not in scene.kept:
        scene.kept["points"] = _from(scene, int(scene.dice.integers(0, len(_SCENES))), float(scene.dice.random()))
    return next(scene.kept["points"])


def _from(scene: Scene, place: int, share: float) -> Iterator[str]:
    while True:
        name, modules, killed = _SCENES[place % len(_SCENES)]
        folder = scene.scratch / "points" / str(place)
        folder.mkdir(parents=True)
        set_up = Place.make(folder, scene.patch)
        one = scene.worker(modules)
        all_points = Points(one, killed(one, set_up), set_up.folder)
        for number in range(1 + int(share * len(all_points.changes)), len(all_points.changes) + 1):
            for torn in all_points.ways(number):
                try:
                    fault = all_points.kill_at(number, torn)
                except NotKilled as error:
                    fault = str(error)
                yield f"{name}: {fault}" if fault else ""
        place, share = place + 1, 0.0
