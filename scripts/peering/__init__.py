"""Comparisons of scripts/peers: the same rows and weights, each side in its own environment, in turns."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from peering import trainers
from peering.contest import Outcome
from peering.places import Missing

NAMES = tuple(trainers.PEERS)


def run(names: Sequence[str], repeats: int) -> tuple[list[Outcome], list[str]]:
    """Run comparisons; returns their outcomes, and a line for each peer that is not installed."""
    outcomes: list[Outcome] = []
    missing: list[str] = []
    for name in names:
        print(f"measuring {name}, {repeats} times each …", file=sys.stderr, flush=True)
        try:
            outcomes += trainers.measure(name, repeats)
        except Missing as error:
            missing.append(str(error))
    return outcomes, missing
