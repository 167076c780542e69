"""Make realistic clips: 640 × 360 H.264 with B-frames, AAC sound, a picture that moves and is not flat."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

WIDTH, HEIGHT, FPS, RATE = 640, 360, 25, 44_100


def make_clip(
    path: Path, length: float, seed: int, size: tuple[int, int] = (HEIGHT, WIDTH), keyframes: float = 10.0
) -> Path:
    """Write ``length`` seconds with usual settings: x264 ``veryfast``, a keyframe every ``keyframes`` seconds."""
    import av

    dice = np.random.default_rng(seed)
    scene = _scene(size, dice)
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(
            "libx264", rate=FPS, options={"preset": "veryfast", "g": str(round(keyframes * FPS))}
        )
        pictures.height, pictures.width = size
        pictures.pix_fmt = "yuv420p"
        pictures.codec_context.thread_count = 1
        voice = container.add_stream("aac", rate=RATE, layout="mono")
        for index in range(round(length * FPS)):
            frame = av.VideoFrame.from_ndarray(_shown(scene, size, index, dice), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))
        for start in range(0, round(length * RATE), 1024):
            heard = av.AudioFrame.from_ndarray(_heard(start), format="fltp", layout="mono")
            heard.sample_rate, heard.pts, heard.time_base = RATE, start, Fraction(1, RATE)
            container.mux(voice.encode(heard))
        container.mux(voice.encode(None))
    return path


def make_clips(
    folder: Path, lengths: list[float], size: tuple[int, int] = (HEIGHT, WIDTH), keyframes: float = 10.0
) -> list[Path]:
    """Write one clip per length, each with another picture."""
    folder.mkdir(parents=True, exist_ok=True)
    return [make_clip(folder / f"{n:03d}.mp4", length, n, size, keyframes) for n, length in enumerate(lengths)]


def _scene(size: tuple[int, int], dice: np.random.Generator) -> np.ndarray:
    """Draw a picture larger than the frame, of patches of all sizes like a natural one, to be panned over."""
    height, width = size[0] + 64, size[1] + 64
    picture = np.zeros((height, width, 3), np.float32)
    for cell in (4, 16, 64):
        coarse = dice.normal(0, cell, (-(-height // cell), -(-width // cell), 3)).astype(np.float32)
        picture += coarse.repeat(cell, 0).repeat(cell, 1)[:height, :width]
    return np.clip(picture + 128, 0, 255).astype(np.uint8)


def _shown(scene: np.ndarray, size: tuple[int, int], index: int, dice: np.random.Generator) -> np.ndarray:
    down, right = round(31 + 31 * np.sin(index / 20)), round(31 + 31 * np.cos(index / 27))
    view = scene[down : down + size[0], right : right + size[1]]
    return np.clip(view + dice.integers(-2, 3, view.shape, np.int16), 0, 255).astype(np.uint8)


def _heard(start: int) -> np.ndarray:
    time = (start + np.arange(1024)) / RATE
    return (0.3 * np.sin(2 * np.pi * 180 * time) * (1 + np.sin(2 * np.pi * 3 * time)))[None].astype(np.float32)
