"""Plant copies of pictures: compressed, of other depths and sizes, cropped, drawn over."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from leaking import seen
from leaking.films import captioned, frames
from leaking.scenes import portrait, scene, studio

Picture = Any  # uint8 [height, width, 3]


def rates(corpora: Path) -> Iterator[seen.Row]:
    """Yield rates of each half, group and kind of copy."""

    def groups(half: int) -> dict[str, seen.Group]:
        acted = [frames(file) for file in sorted((corpora / "crema_d/VideoFlash").glob("*.flv"))[half::2]]
        return {
            "made: faces before one wall": seen.Group([portrait(1000 * half + n) for n in range(100)], 12),
            "made: scenes": seen.Group([scene(1000 * half + n, 0.04)[0] for n in range(40)], 6),
            "made: one actor's poses": seen.Group([studio(1000 * half + n, 1)[20] for n in range(40)], 6),
            "CREMA-D: one actor's poses": seen.Group(
                [film[at] for film in acted for at in range(8, len(film), 15)], 12
            ),
        }

    return seen.rates(groups, "image", _written, copies)


def _written(path: Path, picture: Picture) -> Path:
    return _saved(path, Image.fromarray(picture), "png")


def copies(picture: Picture, folder: Path, dice: random.Random) -> Iterator[tuple[str, Path]]:
    """Yield kind and file of each copy."""
    image, (height, width) = Image.fromarray(picture), picture.shape[:2]
    deep = np.asarray(image.convert("L")).astype(np.uint16) * 257
    edges = ((height // 6, height // 6), (0, 0), (0, 0))
    changed: dict[str, tuple[Any, str, dict[str, int]]] = {
        "JPEG, quality 20": (image, "jpg", {"quality": 20}),
        "WebP, quality 30": (image, "webp", {"quality": 30}),
        "PNG of 64 colours": (image.quantize(64), "png", {}),
        "grey PNG of 16 bits": (Image.fromarray(deep), "png", {}),
        "half the size, JPEG 50": (image.resize((width // 2, height // 2)), "jpg", {"quality": 50}),
        "96 pixels wide": (image.resize((96, 96 * height // width)), "png", {}),
        "twice as large": (image.resize((2 * width, 2 * height)), "png", {}),
        "brighter": (image.point(lambda value: value * 1.15 + 10), "png", {}),
        "darker, less contrast": (image.point(lambda value: value * 0.7 + 15), "png", {}),
        "cropped by 5 %": (_cropped(image, 0.05, dice), "png", {}),
        "cropped by 10 %": (_cropped(image, 0.10, dice), "png", {}),
        "cropped by 5 %, JPEG 40": (_cropped(image, 0.05, dice), "jpg", {"quality": 40}),
        "black bars above and below": (Image.fromarray(np.pad(picture, edges)), "png", {}),
        "caption over the lower part": (captioned(image.copy()), "png", {}),
        "mirrored": (image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "png", {}),
    }
    for number, (kind, (changed_image, suffix, options)) in enumerate(changed.items()):
        yield kind, _saved(folder / f"{number}", changed_image, suffix, **options)


def _saved(path: Path, picture: Any, suffix: str, **options: int) -> Path:
    path = path.with_suffix(f".{suffix}")
    picture.save(path, **options)
    return path


def _cropped(picture: Any, share: float, dice: random.Random) -> Any:
    width, height = picture.size
    left, top = int(width * share * dice.random()), int(height * share * dice.random())
    return picture.crop((left, top, left + int(width * (1 - share)), top + int(height * (1 - share))))
