"""Format time series of continuous annotations of music as one string. Not a corpus."""

from __future__ import annotations

from collections.abc import Iterable


def trace(values: Iterable[float | None]) -> str:
    """Return numbers as one string, for an attribute; a gap is ``-``."""
    return " ".join("-" if value is None else f"{value:g}" for value in values)
