"""Open pictures: upright, on white, in 8 bits; values that have no meaning in 8 bits are refused."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.model.clips.budget import Budget, frame_size
from affectllm.model.clips.fence import MOST_PIXELS, MediaError, Unusable, fenced, present

if TYPE_CHECKING:
    import numpy as np

_BITS_PER_SAMPLE = 258  # tag of TIFF
_BACKGROUND = (255, 255, 255)  # what shines through where a picture is transparent


def open_image(
    path: Path, budget: Budget, factor: int = 28, box: Sequence[float] | None = None
) -> np.ndarray | MediaError:
    """Decode a picture to uint8 ``[height, width, 3]`` RGB, resized within the budget.

    It is turned as its EXIF says, transparent parts lie on white, 16 bits are scaled to 8, and of several pages or
    frames the first is taken.

    Args:
        box: left, top, right and bottom in pixels of the upright picture, which is cut to it; None for the whole.
    """
    return fenced(path, lambda: _opened(path, budget, factor, box))


def _opened(path: Path, budget: Budget, factor: int, box: Sequence[float] | None) -> np.ndarray:
    import numpy as np
    from PIL import Image, ImageOps

    present(path)
    try:
        with Image.open(path, formats=_formats()) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise Unusable("too_large", f"{picture.width} × {picture.height} pixels")
            picture.load()
            upright = _in_8_bits(ImageOps.exif_transpose(picture), _bits(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable("too_large", str(error)) from error
    except OSError as error:  # Pillow's word for files that it does not know or that end too early
        raise Unusable("unreadable", str(error)) from error
    if box is not None:
        upright = upright.crop(_within(box, upright.size))
    height, width = frame_size(upright.height, upright.width, budget, factor)
    return np.array(upright.resize((width, height), Image.Resampling.BICUBIC))


def _within(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return whole pixels of a box, as far as it lies in a picture of ``(width, height)``."""
    left, top = (max(0, round(edge)) for edge in box[:2])
    right, bottom = (min(limit, round(edge)) for limit, edge in zip(size, box[2:], strict=True))
    if right - left < 1 or bottom - top < 1:
        raise Unusable("empty_box", f"{', '.join(f'{edge:g}' for edge in box)} in {size[0]} × {size[1]} pixels")
    return left, top, right, bottom


@cache
def _formats() -> tuple[str, ...]:
    """Return the formats that Pillow reads by itself: for PostScript it would start another program."""
    from PIL import Image

    Image.init()
    return tuple(name for name in Image.ID if name != "EPS")


def _in_8_bits(picture: Any, bits: int | None) -> Any:
    from PIL import Image

    if picture.mode == "F" or picture.mode == "I" or picture.mode.startswith("I;"):
        return _scaled(picture, bits)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    canvas = Image.new("RGBA", picture.size, (*_BACKGROUND, 255))
    canvas.alpha_composite(picture.convert("RGBA"))
    return canvas.convert("RGB")


def _scaled(picture: Any, bits: int | None) -> Any:
    """Scale a one-channel picture of more than 8 bits by its type's whole range, not by the range that it uses."""
    import numpy as np
    from PIL import Image

    numbers = np.asarray(picture)
    if not np.isfinite(numbers).all():
        raise Unusable("not_finite", "a pixel is NaN or infinite")
    if bits is None:
        raise Unusable("not_8_bit", f"pixels of mode {picture.mode} from {numbers.min():g} to {numbers.max():g}")
    scaled = np.rint(numbers.astype(np.float32) * (255 / (2**bits - 1))).clip(0, 255)
    return Image.fromarray(scaled.astype(np.uint8)).convert("RGB")


def _bits(picture: Any) -> int | None:
    """Return the bits of the picture's integer pixels, None where those do not state brightness."""
    if picture.format == "TIFF":
        bits = max(picture.tag_v2.get(_BITS_PER_SAMPLE, (0,)))
        signed = "S" in picture.mode or max(picture.tag_v2.get(339, (1,))) != 1  # sample format: 1 is unsigned
        return bits if 8 < bits <= 16 and not signed else None
    # Pillow widens 16-bit PGM to mode I, and scales its range to 16 bits.
    wide = picture.mode.startswith("I;16") or (picture.mode == "I" and picture.format in ("PPM", "PNG"))
    return 16 if wide else None
