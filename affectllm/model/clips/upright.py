"""Orientation of frames: telephones store films as the sensor sees them, with a display matrix in the track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import av
    import numpy as np

_SQUARE = (1 / 8, 8.0)  # shapes of a pixel beyond which its note is damaged


@dataclass(frozen=True)
class Turn:
    """A rotation by a multiple of 90°, a reflection, or both: rows and columns exchanged first, then reversed.

    Args:
        exchanged: whether rows become columns.
        down, right: whether rows and columns are reversed afterwards.
    """

    exchanged: bool = False
    down: bool = False
    right: bool = False

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return height and width after the turn; its own inverse."""
        return (width, height) if self.exchanged else (height, width)

    def of(self, picture: np.ndarray) -> np.ndarray:
        """Return ``[height, width, 3]`` as it is shown."""
        import numpy as np

        turned = picture.transpose(1, 0, 2) if self.exchanged else picture
        return np.ascontiguousarray(turned[:: -1 if self.down else 1, :: -1 if self.right else 1])


UPRIGHT = Turn()


def turn_of(frame: av.VideoFrame) -> Turn:
    """Return the turn of a frame's display matrix; angles are rounded to a multiple of 90°.

    The matrix maps a stored column p and row q to a·p + c·q and b·p + d·q on the screen (ISO/IEC 14496-12, 8.5.3).
    """
    import numpy as np

    note = frame.side_data.get("DISPLAYMATRIX")
    if note is None:
        return UPRIGHT
    a, b, _, c, d = (int(number) for number in np.frombuffer(bytes(cast(Any, note)), "=i4")[:5])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Turn(True, down=b < 0, right=c < 0)
    return Turn(False, down=d < 0, right=a < 0)


def shown_size(stream: av.VideoStream, frame: av.VideoFrame, turn: Turn) -> tuple[int, int]:
    """Return height and width of a frame on the screen, turned and with square pixels."""
    shape = float(stream.sample_aspect_ratio or 1)
    width = round(frame.width * shape) if _SQUARE[0] <= shape <= _SQUARE[1] else frame.width
    return turn.size(frame.height, max(1, width))
