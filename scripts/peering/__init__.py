"""Comparisons of scripts/peers: the same files and weights, each side in its own environment, in turns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

from peering import asking, evaluators, scoring, trainers
from peering.contest import Outcome
from peering.places import Missing

PEERS: dict[str, Callable[[int], list[Outcome]]] = {
    **{name: partial(trainers.measure, name) for name in trainers.PEERS},
    asking.NAME: asking.measure,
    **{name: partial(scoring.measure, name) for name in scoring.PEERS},
    **evaluators.PEERS,
}
"""Peer → its comparisons, run so many times each."""


def run(names: Sequence[str], repeats: int) -> tuple[list[Outcome], list[str]]:
    """Run comparisons; returns their outcomes, and a line for each peer that is not installed."""
    outcomes: list[Outcome] = []
    missing: list[str] = []
    for name in names:
        print(f"measuring {name}, {repeats} times each …", file=sys.stderr, flush=True)
        try:
            outcomes += PEERS[name](repeats)
        except Missing as error:
            missing.append(str(error))
    return outcomes, missing
