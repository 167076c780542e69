"""Miniatures: a few hand-made rows and clips in a corpus's own layout, so that every contract test runs offline."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus import render


@dataclass(frozen=True, slots=True)
class Tone:
    """A sound file to be made: a sine of ``pitch`` Hz. The suffix of its path decides the format."""

    seconds: float = 0.5
    rate: int = 16_000
    pitch: float = 220.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A video file to be made: a moving grey square, with a tone when ``sound``. The suffix decides the container.

    Clips of one ``scene`` are taken for copies of each other.
    """

    seconds: float = 0.5
    fps: int = 10
    size: int = 64
    sound: bool = True
    scene: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """An image file to be made: a grey square in a darker field. The suffix of its path decides the format."""

    width: int = 64
    height: int = 64


Content = str | bytes | Tone | Clip | Picture | Callable[[], bytes]
"""Text and bytes as they are, media to be made, or a function that makes bytes (arrays, workbooks) when asked."""


def materialise(miniature: Mapping[str, Content], root: Path) -> Path:
    """Write every entry of ``miniature`` (relative path → content) below ``root`` and return ``root``."""
    for relative, content in miniature.items():
        path = root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_bytes(content.encode())
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, (Tone, Clip, Picture)):
            path.write_bytes(_rendered(content, path))
        else:
            path.write_bytes(content())
    return root


_RENDERED: dict[tuple[Tone | Clip | Picture, str], bytes] = {}
"""Media by what is in them and the suffix: a miniature holds the same clip many times, and encoding is slow."""


def _rendered(content: Tone | Clip | Picture, path: Path) -> bytes:
    """Return the bytes of a medium; the first of its kind is rendered at ``path``."""
    key = content, path.suffix
    if key not in _RENDERED:
        if isinstance(content, Tone):
            render.write_sound(path, _sine(content), content.rate)
        elif isinstance(content, Clip):
            _write_clip(path, content)
        else:
            _write_picture(path, content)
        _RENDERED[key] = path.read_bytes()
    return _RENDERED[key]


def _sine(tone: Tone) -> list[float]:
    count = int(tone.seconds * tone.rate)
    return [0.3 * math.sin(2 * math.pi * tone.pitch * i / tone.rate) for i in range(count)]


def _write_clip(path: Path, clip: Clip) -> None:
    import numpy as np

    frames = np.full((max(1, round(clip.seconds * clip.fps)), clip.size, clip.size, 3), 40, np.uint8)
    quarter = clip.size // 4
    for index, frame in enumerate(frames):
        left = index * 4 % (clip.size - quarter)
        frame[quarter : 2 * quarter, left : left + quarter] = 200
    if clip.scene:
        frames = _patches(clip, len(frames))
    sound = _sine(Tone(clip.seconds, pitch=Tone().pitch + 70 * clip.scene)) if clip.sound else None
    render.write_clip(path, frames, clip.fps, sound, Tone().rate)


def _patches(clip: Clip, count: int) -> Any:
    """Return frames in which patches of grey, drawn by the scene, fall."""
    import numpy as np

    patches = np.random.default_rng(clip.scene).integers(20, 236, (8, 8), np.uint8)
    field = np.kron(patches, np.ones((clip.size // 8, clip.size // 8), np.uint8))
    return np.stack([np.roll(field, number * clip.scene, axis=0)[..., None].repeat(3, -1) for number in range(count)])


def _write_picture(path: Path, picture: Picture) -> None:
    from PIL import Image

    image = Image.new("RGB", (picture.width, picture.height), (40, 40, 40))
    left, top = picture.width // 4, picture.height // 4
    image.paste((200, 200, 200), (left, top, 2 * left, 2 * top))
    image.save(path)
