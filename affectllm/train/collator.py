"""Collate rows into batches in the loader's workers: media opened lazily, labels on the assistant's tokens only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder, Messages
from affectllm.model.packed import packed
from affectllm.train.data import PACKED
from affectllm.train.filling import FILLED, Filling
from affectllm.train.finite import ROWS
from affectllm.train.method import Batch, Conversations, as_it_is, own_conversation

if TYPE_CHECKING:
    from datasets import Dataset
    from torch import Tensor


def _nothing_more(rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    return {}


class Collator:
    """Encodes conversations with media references into one padded batch.

    Rows whose clip cannot be used were rejected before training; one that breaks meanwhile stops the run with its name.

    Args:
        encoder: of the model that is trained.
        conversations, batch: what a training method encodes of a row, and what its trainer takes: see ``Method``.
        filling: gives batches the kinds of clips that they lack; None where processes may have unlike ones.
        rows: those whose numbers stand in the column ``packed`` of what is collated; None where rows come as they are.
        more: further tensors of rows, such as targets.
    """

    def __init__(
        self,
        encoder: Encoder,
        conversations: Conversations = own_conversation,
        batch: Batch = as_it_is,
        rows: Dataset | None = None,
        filling: Filling | None = None,
        more: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Tensor]] = _nothing_more,
    ) -> None:
        self.encoder, self.conversations, self.batch, self.rows = encoder, conversations, batch, rows
        self.filling, self.more = filling, more

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor | list[str]]:
        """Return the trainer's tensors and the ids of the rows; where every row has several conversations, the
        first of each comes before the second of any."""
        if self.rows is not None and PACKED in rows[0]:
            (pack,) = rows
            rows = [self.rows[number] for number in pack[PACKED]]
            return self._with_names(packed, [self._encoded(row, row["messages"]) for row in rows], rows)
        asked = [(row, messages) for row in rows for messages in self.conversations(row)]
        each = len(asked) // len(rows)
        ordered = (pair for place in range(each) for pair in asked[place::each])
        encoded = [self._encoded(row, messages) for row, messages in ordered]
        return self._with_names(lambda encoder, items: self.batch(encoder.collate(items)), encoded, rows)

    def _with_names(
        self,
        join: Callable[[Encoder, list[Encoded]], dict[str, Any]],
        encoded: list[Encoded],
        rows: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        """Return the batch with the ids of its rows, and the names of what only filling brought."""
        more = [] if self.filling is None else self.filling.rows_for(encoded)
        own = {name for item in encoded for name in item.media}
        filled = sorted({name for item in more for name in item.media} - own)
        names = {ROWS: [row["id"] for row in rows], **({FILLED: filled} if filled else {})}
        return {**join(self.encoder, [*encoded, *more]), **self.more(rows), **names}

    def _encoded(self, row: Mapping[str, Any], messages: Messages) -> Encoded:
        item = self.encoder.encode(messages)
        if isinstance(item, MediaError):
            raise AffectError(
                f"a clip that was readable before training is {item.reason} now ({item.detail or item.path})",
                where=row["id"],
                do="restore the file and start the same command again; the run resumes",
            )
        return item
