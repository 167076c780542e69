"""Plant copies of films: other codecs, sizes and rates, trimmed, cropped, drawn over."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw

from leaking import seen
from leaking.scenes import FPS, scene, studio

Film = Any  # uint8 [time, height, width, 3]
CODECS = {
    "H.264, CRF 38": ("libx264", "mp4", {"crf": "38", "preset": "veryfast"}),
    "MPEG-4, 150 kbit/s": ("mpeg4", "avi", {"b": "150000"}),
    "VP9, 80 kbit/s": ("libvpx-vp9", "webm", {"b": "80000", "deadline": "realtime", "cpu-used": "8"}),
}
PLAIN = ("libx264", "mp4", {"crf": "23", "preset": "veryfast"})
FINE = ("libx264", "mp4", {"crf": "18", "preset": "veryfast"})


def rates(corpora: Path) -> Iterator[seen.Row]:
    """Yield rates of each half, group and kind of copy."""

    def groups(half: int) -> dict[str, seen.Group]:
        acted = [frames(file) for file in sorted((corpora / "crema_d/VideoFlash").glob("*.flv"))[half::2]]
        return {
            "made: one actor and sentence": seen.Group([studio(1000 * half + n) for n in range(40)], 8),
            "made: scenes": seen.Group([scene(1000 * half + n) for n in range(15)], 4),
            "CREMA-D: one actor and sentence": seen.Group(acted, 3),
            "CREMA-D: halves of those": seen.Group([part for film in acted for part in _halves(film)], 3),
        }

    return seen.rates(groups, "video", lambda path, film: write(path, film, FINE), copies)


def _halves(film: Film) -> tuple[Film, Film]:
    return film[: len(film) // 2], film[len(film) // 2 :]


def frames(file: Path) -> Film:
    """Decode all frames of a file."""
    with av.open(str(file)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def write(
    path: Path, film: Film, codec: tuple[str, str, dict[str, str]] = PLAIN, fps: Fraction = Fraction(FPS)
) -> Path:
    """Write a film in a codec; the name gets the codec's suffix."""
    name, suffix, options = codec
    path = path.with_suffix(f".{suffix}")
    height, width = (side - side % 2 for side in film.shape[1:3])
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(name, rate=fps, options=options)
        stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        if "b" in options:
            stream.bit_rate = int(options["b"])
        for array in film:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(array[:height, :width]))))
        container.mux(stream.encode(None))
    return path


def copies(film: Film, folder: Path, dice: random.Random) -> Iterator[tuple[str, Path]]:
    """Yield kind and file of each copy."""
    count, height, width = film.shape[:3]
    begin, end = (int(count * dice.uniform(0.1, 0.33)) for _ in range(2))
    for kind, codec in CODECS.items():
        yield kind, write(folder / codec[0], film, codec)
    changed = {
        "a third of the size": _each(film, lambda one: one.resize((width // 6 * 2, height // 6 * 2))),
        "darker, less contrast": (film * 0.7 + 15).astype(np.uint8),
        "brighter": np.clip(film * 1.25 + 10.0, 0, 255).astype(np.uint8),
        "grey": _each(film, lambda one: one.convert("L").convert("RGB")),
        "start cut by up to a third": film[begin:],
        "end cut by up to a third": film[: count - end],
        "start and end cut by up to a third": film[begin // 2 : count - end // 2],
        "cropped by 5 %": _cropped(film, 0.05, dice),
        "cropped by 10 %": _cropped(film, 0.10, dice),
        "cropped by 5 % and start cut": _cropped(film, 0.05, dice)[begin:],
        "black bars above and below": np.pad(film, ((0, 0), (height // 6, height // 6), (0, 0), (0, 0))),
        "mirrored": film[:, :, ::-1],
        "caption over the lower part": _each(film, captioned),
    }
    for number, (kind, changed_film) in enumerate(changed.items()):
        yield kind, write(folder / f"{number}", changed_film)
    for fps in (15, 12):
        at = np.arange(int(count / FPS * fps)) / fps * FPS
        yield f"{fps} frames a second", write(folder / f"at{fps}", film[at.astype(int)], PLAIN, Fraction(fps))


def _each(film: Film, change: Any) -> Film:
    return np.stack([np.asarray(change(Image.fromarray(frame))) for frame in film])


def _cropped(film: Film, share: float, dice: random.Random) -> Film:
    """Crop a share of height and width, at a random offset."""
    height, width = film.shape[1:3]
    top, left = int(height * share * dice.random()), int(width * share * dice.random())
    return film[:, top : top + int(height * (1 - share)), left : left + int(width * (1 - share))]


def captioned(picture: Any) -> Any:
    draw, (width, height) = ImageDraw.Draw(picture), picture.size
    draw.rectangle((0, int(height * 0.84), width, height), fill=(10, 10, 10))
    draw.text((width // 10, int(height * 0.88)), "I cannot believe that you did this to me", fill=(250, 250, 250))
    return picture
