"""How many conversations are answered at once: a number, or as many as fit into memory."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from affectllm.errors import AffectError

AUTO = "auto"
_MOST = 64  # conversations of an automatic batch on an accelerator, where lm-eval's max_batch_size does not say
# A processor gains little from larger batches, and its memory is also swap's, which fails nothing and takes for ever.
_MOST_ON_CPU, _TOKENS_ON_CPU = 16, 8192
_AUTO = re.compile(r"auto(:\d+)?")


class BatchSize:
    """The size of batches, which shrinks when one does not fit into memory.

    It shrinks by tokens, counted with padding: after a batch that did not fit, later ones have at most half as many,
    so that shorter conversations still come in batches of more.

    Args:
        asked: a number of conversations, or ``auto``. lm-eval's ``auto:N``, which tries N times how many fit, is the
            same: this is found out for every batch.
        on_cpu: whether the model is in the machine's own memory.
        most: largest automatic batch.

    Attributes:
        used: the numbers of conversations of the smallest and the largest batch so far; None before the first.
        reduced: how often a batch did not fit.

    Raises:
        AffectError: when ``asked`` is neither.
    """

    def __init__(self, asked: int | str, *, on_cpu: bool, most: int | None = None) -> None:
        automatic = _AUTO.fullmatch(str(asked)) is not None
        if not automatic and (not str(asked).isdigit() or int(asked) < 1):
            do = "pass --batch_size 8, for example, or --batch_size auto"
            raise AffectError(f"the batch size {asked!r} is neither a number nor auto", do=do)
        self.asked: int | str = AUTO if automatic else int(asked)
        self.most = (int(most or (_MOST_ON_CPU if on_cpu else _MOST))) if automatic else int(asked)
        self.tokens = _TOKENS_ON_CPU if automatic and on_cpu else None
        self.used: tuple[int, int] | None = None
        self.reduced = 0
        self._last = self.most

    @property
    def present(self) -> int:
        """The number of conversations to be expected of the next batch."""
        return self._last

    def fitting(self, lengths: Sequence[int]) -> int:
        """Return how many conversations of these lengths in tokens, the longest first, the next batch has."""
        count = min(self.most, len(lengths))
        if self.tokens is not None:
            count = min(count, self.tokens // max(lengths[0], 1))
        return max(count, 1)

    def answered(self, count: int) -> None:
        """Note that a batch of ``count`` conversations fitted."""
        smallest, largest = self.used or (count, count)
        self.used, self._last = (min(smallest, count), max(largest, count)), count

    def too_large(self, lengths: Sequence[int]) -> None:
        """Shrink, since a batch of conversations of these lengths did not fit; the first time, say so.

        Raises:
            AffectError: when it was a single conversation.
        """
        if len(lengths) == 1:
            raise does_not_fit(f"one conversation of {lengths[0]} tokens")
        self.tokens = max(len(lengths) * max(lengths) // 2, 1)
        self._last = -(-len(lengths) // 2)
        self.reduced += 1
        if self.reduced == 1:
            message = f"{len(lengths)} conversations of up to {max(lengths)} tokens do not fit into memory at once"
            print(f"{message}; smaller batches from here on (at most {self.tokens} tokens)", file=sys.stderr)

    def __str__(self) -> str:
        smallest, largest = self.used or (0, 0)
        count = f"{largest}" if smallest == largest else f"{smallest} to {largest}"
        return f"answered in batches of {count} (asked for: {self.asked})"

    def to_json(self) -> dict[str, Any]:
        """Return what was asked for and what was used."""
        smallest, largest = self.used or (0, 0)
        return {"asked": self.asked, "smallest": smallest, "largest": largest, "reduced": self.reduced}


def does_not_fit(what: str) -> AffectError:
    """Return the error for something that is too much for the memory even on its own."""
    do = "lower max_frames or max_pixels, or load the model in a smaller dtype, load_in_8bit or load_in_4bit"
    return AffectError(f"{what} does not fit into memory", do=f"{do}; answers so far are kept")
