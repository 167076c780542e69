"""A published value as it was printed: its digits say how near a score has to come."""

from __future__ import annotations

import re
from dataclasses import dataclass

from affectllm.errors import Malformed

UNITS = {"": 1.0, "percent": 0.01}
_DECIMAL = re.compile(r"[+-]?\d+(?:\.(\d+))?")
_SLACK = 1e-9  # of a last digit: 0.5 is not exact in binary
_MOST_DECIMALS = 12  # what follows in print is noise of the machine that printed it


@dataclass(frozen=True)
class Printed:
    """A number in print.

    Args:
        text: its digits, as published: ``79.80`` is nearer to 79.8 than ``79.8`` promises.
        unit: a key of ``UNITS``; ``percent`` where a metric from 0 to 1 was printed as 79.8.
    """

    text: str
    unit: str = ""

    @classmethod
    def read(cls, text: str, unit: str, where: str) -> Printed:
        """Check the digits.

        Raises:
            Malformed: with ``where``, when they are no decimal number.
        """
        if not _DECIMAL.fullmatch(text):
            do = 'write it as it was printed, in quotes: published: "79.80"'
            raise Malformed(f"the published value {text!r} is no decimal number", where=where, do=do)
        return cls(text, unit)

    @property
    def value(self) -> float:
        """The number in the unit of the metric."""
        return float(self.text) * UNITS[self.unit]

    @property
    def decimals(self) -> int:
        """Digits after the point."""
        match = _DECIMAL.fullmatch(self.text)
        return len((match and match[1]) or "")

    def equals(self, value: float) -> bool:
        """Whether ``value``, rounded to as many digits, is the printed number; halves may be rounded either way."""
        last = 10.0 ** -min(self.decimals, _MOST_DECIMALS)
        return abs(value / UNITS[self.unit] - float(self.text)) <= last * (0.5 + _SLACK)

    def rounded(self, value: float) -> str:
        """Return ``value`` in print, with two digits more than were published."""
        decimals = min(self.decimals + 2, _MOST_DECIMALS) if self.decimals else 0
        return f"{value / UNITS[self.unit]:.{decimals}f}"
