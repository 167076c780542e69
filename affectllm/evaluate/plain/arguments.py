"""lm-eval's own arguments, checked before anything is loaded: those that it answers with a traceback or passes over."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.errors import AffectError, Malformed, NotFound

_SAMPLES = """--samples '{"TASK": [0, 5, 7]}', or a file that holds this"""


def check_arguments(argv: Sequence[str]) -> dict[str, list[int]]:
    """Check ``--limit`` and ``--samples``, and return task → indices of its items, empty without ``--samples``.

    Raises:
        AffectError: for a limit that asks nothing or no whole number of items.
        Malformed: when ``--samples`` is no mapping of tasks to lists of indices.
    """
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--limit", "-L")
    finder.add_argument("--samples", "-E")
    given = finder.parse_known_args(list(argv))[0]
    if given.limit is not None:
        _check_limit(given.limit)
    return _indices(given.samples) if given.samples is not None else {}


def _check_limit(text: str) -> None:
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not (0 < limit < 1 or (limit >= 1 and limit.is_integer())):
        do = "a whole number of items a task, such as 20, or the share of them, such as 0.1; leave it out for all"
        raise AffectError(f"--limit {text} is no number of items", do=do)


def _indices(text: str) -> dict[str, list[int]]:
    where = ""
    try:
        if "{" not in text and Path(text).is_file():
            where, text = text, Path(text).read_text(encoding="utf-8")
        value: Any = json.loads(text)
    except ValueError:
        raise Malformed("--samples is no JSON", where=where, do=_SAMPLES) from None
    if not isinstance(value, Mapping) or not value:
        raise Malformed("--samples must be a mapping of tasks to indices of their items", where=where, do=_SAMPLES)
    for task, indices in value.items():
        whole = isinstance(indices, list) and all(type(index) is int and index >= 0 for index in indices)
        if not whole or not indices:
            message = f"--samples must list indices of {task}, from 0 on, not {json.dumps(indices)}"
            raise Malformed(message, where=where, do=_SAMPLES)
    return dict(value)


def check_named(picked: Iterable[str], loaded: Collection[str]) -> None:
    """Raise where ``--samples`` names what is not evaluated: all items of the task that was meant would be asked."""
    for name in picked:
        if name not in loaded:
            near = ", ".join(sorted(loaded)[:20])
            raise NotFound(f"--samples names {name}, which is not among the tasks", do=f"they are {near}")


def check_indices(indices: Collection[int] | None, count: int, task: str) -> None:
    """Raise where ``--samples`` asks for items that a task of ``count`` items does not have."""
    if missing := [index for index in indices or () if index >= count]:
        message = f"--samples asks for item {missing[0]}, and there are {count:,}, from 0 to {count - 1}"
        raise AffectError(message, where=task, do="choose among these")


def check_model(name: str, ours: Iterable[str]) -> None:
    """Raise unless lm-eval knows a model of this name; ``ours`` are names of ours that need not be registered yet.

    Raises:
        NotFound: which names the nearest ones.
    """
    from lm_eval.api.registry import model_registry

    if name not in model_registry:
        known = {*model_registry, *ours}
        near = registry.nearest(name, known)
        do = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(sorted(known))}"
        raise NotFound(f"there is no model called {name!r}", do=do)
