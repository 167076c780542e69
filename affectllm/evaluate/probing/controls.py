"""Control tasks (Hewitt & Liang, EMNLP 2019): random labels that a probe could only learn by heart.

Every type draws the gold answer of a training item, the same wherever the type occurs: a type is the ``item`` itself,
its ``speaker``, or its ``text``. Selectivity is the score on the task less that on the control. Where types occur on
both sides (a speaker with recordings in both, a sentence that all of them say), a probe that knows the type scores
above chance on its control; where none does, no probe can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from affectllm.errors import AffectError
from affectllm.evaluate.probing.entries import Entry

_TYPES: Mapping[str, Callable[[Entry], str | None]] = {
    "item": lambda entry: entry.id,
    "speaker": lambda entry: entry.document["speaker"],
    "text": lambda entry: entry.text or None,
}
CONTROLS = tuple(_TYPES)


def check_controls(names: Sequence[str]) -> None:
    """Make sure that control tasks are known.

    Raises:
        AffectError: with those that are.
    """
    if strange := [name for name in names if name not in _TYPES]:
        raise AffectError(f"there is no control task {strange[0]!r}", do=f"choose of {', '.join(CONTROLS)}, or none")


def control_golds(
    kind: str, entries: Sequence[Entry], golds: Sequence[Any], pool: Sequence[int], draw: int
) -> list[Any] | None:
    """Return the random gold answer of each entry; None where an entry has no type of this kind.

    Args:
        golds: the true answers of all entries.
        pool: rows of the entries whose answers are drawn from.
        draw: number of the draw.
    """
    types = [_TYPES[kind](entry) for entry in entries]
    if None in types:
        return None
    chosen: dict[str | None, int] = {}
    for one in types:
        if one not in chosen:
            chosen[one] = Random(f"{kind} {draw} {one}").choice(pool)
    return [golds[chosen[one]] for one in types]
