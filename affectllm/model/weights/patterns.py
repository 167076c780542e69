"""Patterns of names of layers in an adapter's configuration, which PEFT holds against every layer of the model."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.errors import WrongCheckpoint

_PATIENCE = 10.0  # seconds; patterns that are in use take milliseconds
_REPEATS = set("*+{")  # no pattern without one of them takes long
_WHOLE = ("target_modules", "exclude_modules")
_FRAMES = {
    **dict.fromkeys(_WHOLE, "{}"),
    **dict.fromkeys(("rank_pattern", "alpha_pattern"), r"(.*\.)?({})"),
    **{"modules_to_save": r"(^|.*\.){}($|\..*)", "layers_pattern": r"(?:^|.*?\.){}\.(\d+)\..*"},
}
"""Setting → how PEFT frames its patterns (``peft.tuners.tuners_utils``)."""
# A search that has begun cannot be ended within its own process. What is no pattern at all is told by PEFT.
_MATCH = """
import json, re, sys
patterns, names = json.load(sys.stdin)
for pattern in patterns:
    for name in names:
        re.fullmatch(pattern, name)
"""


def check_patterns_end(settings: Mapping[str, Any], layers: Collection[str], where: Path) -> None:
    """Check that the patterns of an adapter can be held against the names of ``layers`` within seconds.

    A pattern such as ``((a|b)*)*!`` takes longer for each letter of a name, twice as long and twice as long again.

    Raises:
        WrongCheckpoint: when they cannot.
    """
    patterns = list(_patterns(settings))
    if not patterns:
        return
    request = json.dumps([patterns, sorted(layers)])
    command = [sys.executable, "-I", "-S", "-c", _MATCH]
    try:
        subprocess.run(command, input=request, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        message = f"a pattern of layers takes more than {_PATIENCE:.0f} s to be matched: {' '.join(patterns)[:200]}"
        raise WrongCheckpoint(message, where=str(where), do="list the layers' names in its place") from error


def _patterns(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what PEFT makes patterns of, as it makes them."""
    for key, frame in _FRAMES.items():
        given = settings.get(key)
        if isinstance(given, list) and key in _WHOLE:
            continue  # names
        ones = given if isinstance(given, list | dict) else [given]
        yield from (frame.format(one) for one in ones if isinstance(one, str) and _REPEATS & set(one))
