"""Numbers as answers write them."""

from __future__ import annotations

DECIMALS = 3


def rounded(number: float) -> float:
    """To as many decimals as answers have."""
    return round(float(number), DECIMALS) + 0.0  # + 0.0: no negative zero


def figure(number: float) -> str:
    """A number as answers write it: at most three decimals, none that say nothing."""
    text = f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
