"""The tensors of one clip, as a processor makes them and the cache keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

IDS, TRIMMED = "ids", "trimmed"
"""Names under which an entry keeps its expanded placeholder, and the seconds that were left out of the clip."""


class Entry(dict[str, "Tensor"]):
    """The tensors of a clip by name, its tokens among them.

    Attributes:
        key: of the clip in the cache; None where it is in none.
    """

    key: str | None = None

    def media(self) -> dict[str, Tensor]:
        """Return what the model takes beside tokens."""
        return {name: tensor for name, tensor in self.items() if name not in (IDS, TRIMMED)}
