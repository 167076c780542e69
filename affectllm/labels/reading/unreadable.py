"""The result of reading an answer that cannot be read: a value of its own, never a zero or a default label."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An answer that could not be read.

    Args:
        reason: ``empty`` (nothing was said), ``unfinished`` (reasoning that never ends, a list that was cut off),
            ``no_label``, ``no_number``, ``no_span``, ``no_judgement`` (nothing of the kind is in it), ``ambiguous``
            (several, and none stands out), ``out_of_range``, ``incomplete`` (not every number that was asked for),
            ``not_in_source`` or ``media_error:<reason>``.
        text: the answer as it came.
    """

    reason: str
    text: str
