"""Format outcomes as a table, for the page between its two marks."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from peering.contest import Measured, Outcome, spread

BEGIN, END = "<!-- scripts/peers --write begins here -->", "<!-- scripts/peers ends here -->"
_HEAD = ("what", "peer", "ours", "theirs", "ratio: median (range)", "whole command", "peak memory", "goal")


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a Markdown table; a ratio above 1 means that ours is better."""
    lines = ["| " + " | ".join(_HEAD) + " |", "|---" * len(_HEAD) + "|"]
    return "\n".join([*lines, *(_line(one) for one in outcomes)])


def _line(one: Outcome) -> str:
    def rate(runs: Sequence[Measured]) -> str:
        return f"{one.count / statistics.median(run.seconds for run in runs):.1f} {one.unit}/s"

    def ratio(of: Callable[[Measured], float]) -> str:
        return spread(one.ratios(of))

    main = one.ratios(lambda run: run.seconds)
    met = "–" if one.goal is None else "met" if statistics.median(main) >= one.goal else "missed"
    goal = met if one.goal is None else f"≥ {one.goal:g}: {met}"
    ratios = (ratio(lambda run: run.seconds), ratio(lambda run: run.whole), ratio(lambda run: run.memory))
    return "| " + " | ".join((one.what, one.names[1], rate(one.ours), rate(one.theirs), *ratios, goal)) + " |"
