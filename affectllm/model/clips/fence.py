"""Error containment around each clip and picture: a failure to open one is returned as a value with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from affectllm.errors import AffectError

T = TypeVar("T")
# From here on nothing is decoded: a bomb, or a scan that no model could use. Pillow warns from 89 megapixels on.
MOST_PIXELS = 80_000_000


@dataclass(frozen=True)
class MediaError:
    """The reason why a clip or picture cannot be used.

    Args:
        reason: one of

            - ``missing``, ``empty_file``
            - ``unreadable``: the decoder refuses it
            - ``undecodable``: the decoder failed in a way that nobody foresaw; ``detail`` has the type and the message
            - ``no_video_stream``, ``no_audio_stream``
            - ``too_short``, ``too_long`` (for the budget, or for what the model hears), ``silent``
            - ``truncated``: it ends before its own header or index says so
            - ``not_finite``: samples or pixels that are NaN, infinite, or so far above full scale as to mean nothing
            - ``not_8_bit``: a picture whose numbers have no meaning in 8 bits (floating point, 32-bit integers)
            - ``too_large``: a picture or frame of more than ``MOST_PIXELS`` pixels; it is not decoded

        path: the file, relative to the root of its corpus where known.
        detail: what the decoder said.
    """

    reason: str
    path: str
    detail: str = ""


class Unusable(Exception):
    """Raised inside ``fenced``, which converts it into a ``MediaError``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}" if detail else reason)


def fenced(path: Path, opening: Callable[[], T]) -> T | MediaError:
    """Call ``opening`` and return its result, or a ``MediaError`` where it failed.

    Raises:
        AffectError, ImportError: which are about the run and not about the clip.
    """
    try:
        return opening()
    except Unusable as error:
        return MediaError(error.reason, str(path), _plain(error.detail))
    except (AffectError, ImportError):
        raise
    except Exception as error:
        # Decoders are fed whatever the world holds, and fail in ways that no list of exceptions foresees.
        return MediaError("undecodable", str(path), _plain(f"{type(error).__name__}: {error}"))


def _plain(text: str) -> str:
    # Decoders quote the bytes that they stumble over; what is kept must be storable as UTF-8.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def present(path: Path) -> None:
    """Raise ``Unusable`` where there is no file, or an empty one."""
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        is_file = False
    if not is_file:
        raise Unusable("missing")
    if path.stat().st_size == 0:
        raise Unusable("empty_file")
