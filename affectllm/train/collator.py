"""Collate rows into batches in the loader's workers: media opened lazily, labels on the assistant's tokens only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder, Messages
from affectllm.model.packed import packed
from affectllm.model.prepared.tokens import KeptTokens
from affectllm.train.data import NUMBER, PACKED
from affectllm.train.finite import ROWS
from affectllm.train.method import Batch, Conversations, as_it_is, own_conversation
from affectllm.train.ranks.filling import FILLED, Filling

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
        tokens: split → its rows that were encoded before, by their column ``number``; other rows are encoded.
        levels: pixels stay levels in a batch; a trainer calls ``numbers`` once the batch is on its device.
    """

    def __init__(
        self,
        encoder: Encoder,
        conversations: Conversations = own_conversation,
        batch: Batch = as_it_is,
        rows: Dataset | None = None,
        filling: Filling | None = None,
        more: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Tensor]] = _nothing_more,
        tokens: Mapping[str, KeptTokens] = MappingProxyType({}),
        levels: bool = False,
    ) -> None:
        self.encoder, self.conversations, self.batch, self.rows = encoder, conversations, batch, rows
        self.filling, self.more = filling, more
        self._tokens = tokens
        self._options: dict[str, Any] = {"levels": True} if levels else {}

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor | list[str]]:
        """Return the trainer's tensors and the ids of the rows; where every row has several conversations, the
        first of each comes before the second of any."""
        if self.rows is not None and PACKED in rows[0]:
            (pack,) = rows
            rows = [self.rows[number] for number in pack[PACKED]]
            items = [item for row in rows for item in self._items(row, own_conversation)]
            return self._with_names(lambda encoder, items: packed(encoder, items, **self._options), items, rows)
        by_row = [self._items(row, self.conversations) for row in rows]
        encoded = [item for items in zip(*by_row, strict=True) for item in items]
        return self._with_names(
            lambda encoder, items: self.batch(encoder.collate(items, **self._options)), encoded, rows
        )

    def numbers(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return a batch with the numbers that the model takes of pixels, on the device where the batch is."""
        return self.encoder.numbers(batch) if self._options else batch

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

    def _items(self, row: Mapping[str, Any], conversations: Conversations) -> list[Encoded]:
        """Return the conversations of a row, as they were kept, or encoded."""
        tokens = self._tokens.get(row["split"]) if self._tokens else None
        kept = tokens.conversations(row[NUMBER]) if tokens is not None else None
        return kept or [self._encoded(row, messages) for messages in conversations(row)]

    def _encoded(self, row: Mapping[str, Any], messages: Messages) -> Encoded:
        item = self.encoder.encode(messages)
        if isinstance(item, MediaError):
            raise AffectError(
                f"a clip that was readable before training is {item.reason} now ({item.detail or item.path})",
                where=row["id"],
                do="restore the file and start the same command again; the run resumes",
            )
        return item
