"""Format numbers as answers write them."""

from __future__ import annotations

DECIMALS = 3


def rounded(number: float) -> float:
    """Round to the decimals that answers have."""
    return round(float(number), DECIMALS) + 0.0  # + 0.0: no negative zero


def figure(number: float) -> str:
    """Format a number as answers write it: at most three decimals, without trailing zeros."""
    text = f"{number:.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
