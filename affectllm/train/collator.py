"""From rows to batches, inside the loader's workers: media lazily, text tokenised, labels on the assistant's tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.model.encode import Encoder
from affectllm.model.media import MediaError
from affectllm.train.finite import ROWS

if TYPE_CHECKING:
    from torch import Tensor


class Collator:
    """Encodes conversations with media references into one padded batch.

    Rows whose clip cannot be used were rejected before training; one that breaks meanwhile stops the run with its name.

    Args:
        encoder: of the model that is trained.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor | list[str]]:
        """Tensors for the model and the ids of the rows; ``labels`` are ``-100`` outside the assistant's tokens."""
        encoded = []
        for row in rows:
            item = self.encoder.encode(row["messages"])
            if isinstance(item, MediaError):
                raise AffectError(
                    f"a clip that was readable before training is {item.reason} now ({item.detail or item.path})",
                    where=row["id"],
                    do="restore the file and start the same command again; the run resumes",
                )
            encoded.append(item)
        return {**self.encoder.collate(encoded), ROWS: [row["id"] for row in rows]}
