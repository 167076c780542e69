"""Make pages that show clips: templates with the player's own beside them, and the digest that lets a script run."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from affectllm.player.outlines import COLUMNS, LEVELS, points

if TYPE_CHECKING:
    from jinja2 import Environment


def environment(package: str, folder: str = "templates") -> Environment:
    """Return a Jinja environment of a package's templates and the player's: HTML is escaped, no name may be undefined.

    Args:
        package: as it is imported.
        folder: of its templates.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    loaders = [PackageLoader(package, folder), PackageLoader("affectllm.player", "templates")]
    env = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=lambda name: name is None or name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["points"] = points
    env.globals |= {"levels": LEVELS, "columns": COLUMNS}
    return env


def digest(script: str) -> str:
    """Return what a page's policy names to let this script run, and no other."""
    return "sha256-" + b64encode(sha256(script.encode()).digest()).decode("ascii")
