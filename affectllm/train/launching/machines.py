"""Training on several machines: the script that starts a recipe on each of them, for the launcher that is there."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affectllm import registry
from affectllm.errors import BadRecipe, Malformed, NotFound
from affectllm.train.recipe import LAUNCH, Recipe, launch_file
from affectllm.yaml_page import read_page

PORT = 29500


@dataclass(frozen=True)
class Machines:
    """The machines that train together.

    Args:
        count: how many there are.
        processes: that each of them starts, one for every GPU.
        main: name or address of machine 0, with the port on which it is asked: ``node0:29500``.

    Raises:
        Malformed: when there are none, or the port is no number.
    """

    count: int = 1
    processes: int = 1
    main: str = "localhost"

    def __post_init__(self) -> None:
        if self.count < 1 or self.processes < 1:
            raise Malformed(f"{self.count} machines with {self.processes} processes train nothing", do="give 1 or more")
        if not self.host or not 0 < self.port < 65536:
            raise Malformed(f"{self.main!r} is no machine", do="write its name or address: --main node0:29500")

    @property
    def host(self) -> str:
        """Name or address of machine 0."""
        return self.main.rpartition(":")[0] if ":" in self.main else self.main

    @property
    def port(self) -> int:
        """Port of machine 0; 0 where what was given is no number."""
        text = self.main.rpartition(":")[2] if ":" in self.main else str(PORT)
        return int(text) if text.isdecimal() else 0


def launchers() -> dict[str, Path]:
    """Return the script of every launcher: ``recipes/launch/<name>.sh``."""
    places = [folder / "launch" for folder in registry.folders("recipes")]
    return {path.stem: path for place in places for path in sorted(place.glob("*.sh"))}


def script(recipe: Recipe, words: Sequence[str], machines: Machines, launcher: str) -> str:
    """Return the shell script that trains a recipe on several machines.

    Args:
        words: arguments of the training: the recipe's name, ``--out``, ``--root``, ``--set``.
        launcher: name of a script in ``recipes/launch/``.

    Raises:
        NotFound: when there is no such script.
        BadRecipe: when the recipe's launch page is for one process, and there are several.
        Malformed: when a word has a line break, which a comment of the script would not hold.
    """
    import jinja2

    _refuse_alone(recipe, machines)
    if broken := next((word for word in words if "\n" in word), ""):
        raise Malformed(f"{broken!r} has a line break, which no script of ours can hold", do="rename it")
    scripts = launchers()
    if launcher not in scripts:
        raise NotFound(f"there is no launcher {launcher!r}", do=registry.suggestion(launcher, scripts))
    template = jinja2.Template(
        scripts[launcher].read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    return template.render(
        python=shlex.quote(sys.executable),
        words=shlex.join(words),
        recipe=recipe.name,
        configuration=shlex.quote(str(launch_file(recipe.launch))),
        machines=machines.count,
        processes=machines.processes,
        host=shlex.quote(machines.host),
        port=machines.port,
    )


def _refuse_alone(recipe: Recipe, machines: Machines) -> None:
    """Raise where every process would train by itself, into one folder."""
    file, count = launch_file(recipe.launch), machines.count * machines.processes
    if count > 1 and read_page(file, LAUNCH).value.get("distributed_type") == "NO":
        raise BadRecipe(
            f"{recipe.launch} is the launch page of one process, and {count} are asked for",
            where=str(file),
            do="say which page shards the model: --set launch=ddp, zero2, fsdp2, …",
        )
