"""Leaving out pictures that nobody wants brings the pixels that decoding everything brings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from affectllm.model.clips.media import Budget, Clip, open_clip
from affectllm.model.clips.stream_readers import Pictures

FPS, COUNT, SIZE = 25, 100, 112


CODECS = {
    "long.mp4": ("libx264", {"preset": "veryfast"}),
    "closed.mp4": ("libx264", {"preset": "veryfast", "g": "20"}),
    "open.mkv": ("libx264", {"preset": "veryfast", "x264-params": "open-gop=1:keyint=20:min-keyint=20"}),
    "closed.ts": ("libx264", {"preset": "veryfast", "g": "20"}),
    "open.mp4": ("libx265", {"preset": "ultrafast", "x265-params": "keyint=20:min-keyint=20:log-level=none"}),
    "closed.mov": ("libx265", {"preset": "ultrafast", "x265-params": "keyint=20:open-gop=0:log-level=none"}),
}
"""File → its codec: H.264 and HEVC, in lengths and with start codes, with groups of pictures that refer beyond their
own or do not."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with B-frames, of a pattern that moves."""
    folder, dice = tmp_path_factory.mktemp("clips"), np.random.default_rng(0)
    scene = dice.integers(0, 255, (SIZE // 8 * 2, SIZE // 8 * 2, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    for name, (codec, options) in CODECS.items():
        with av.open(str(folder / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=FPS, options=options)
            stream.width = stream.height = SIZE
            for index in range(COUNT):
                shown = scene[index : index + SIZE, index : index + SIZE].copy()
                frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, FPS)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    return folder


@pytest.fixture(scope="module")
def clip(clips: Path) -> Path:
    return clips / "long.mp4"


def every_frame(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        kind = {"format": "rgb24", "width": SIZE, "height": SIZE, "interpolation": "BICUBIC"}
        return [frame.to_ndarray(**kind) for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("fps", [0.3, 0.8, 2.0, 25.0])
@pytest.mark.parametrize("span", [(None, None), (1.3, 3.1)])
def test_the_pixels_are_those_of_decoding_everything(clips: Path, name: str, fps: float, span: tuple[Any, Any]) -> None:
    clip = clips / name
    budget = Budget(fps=fps, max_frames=200, max_pixels=SIZE * SIZE, min_pixels=SIZE * SIZE)
    opened = open_clip(clip, budget, frames=True, sound=False, start=span[0], end=span[1])
    assert isinstance(opened, Clip) and opened.frames is not None
    begin, whole = span[0] or 0.0, every_frame(clip)
    numbers = [int((begin + (i + 0.5) / opened.fps) * FPS + 1e-6) for i in range(len(opened.frames))]
    assert all(np.array_equal(opened.frames[i], whole[number]) for i, number in enumerate(numbers))


def decoded(path: Path, moments: list[float]) -> int:
    """How many pictures come out of the decoder for the frames at ``moments``."""
    seen = 0

    class Counted(Pictures):
        def _take(self, frame: av.VideoFrame) -> None:
            nonlocal seen
            seen += 1
            super()._take(frame)

    with av.open(str(path)) as container:
        taker = Counted(container.streams.video[0], moments, lambda *_: (SIZE, SIZE), 0.0)
        for packet in container.demux(video=0):
            taker.feed(packet)
        assert len(taker.finish() or []) == len(moments)
    return seen


def test_unwanted_pictures_are_left_out_and_nothing_is_decoded_after_the_last_wanted_one(clip: Path) -> None:
    every = [(index + 0.5) / FPS for index in range(COUNT)]
    assert decoded(clip, every) == COUNT
    assert decoded(clip, [0.5, 3.9]) < 0.8 * COUNT
    assert decoded(clip, [0.1]) < 0.4 * COUNT


@pytest.mark.parametrize("name", ["closed.mp4", "closed.ts", "closed.mov"])
def test_groups_of_pictures_without_a_wanted_one_are_left_out(clips: Path, name: str) -> None:
    assert decoded(clips / name, [0.1, 3.3]) <= 20 + 20
    assert decoded(clips / name, [0.1, 1.7, 3.3]) <= 20 + 20 + 20


def test_a_clip_that_was_sought_is_not_read_again_for_what_is_left_out(clips: Path) -> None:
    """Its first wanted picture may lie in a later group than the beginning of the span."""
    with av.open(str(clips / "closed.mp4")) as container:
        container.seek(1_000_000)
        taker = Pictures(container.streams.video[0], [2.5], lambda *_: (SIZE, SIZE), 0.0)
        for packet in container.demux(video=0):
            taker.feed(packet)
    assert taker.first is not None and taker.first > 2.0
    assert taker.entered is not None and taker.entered <= 1.0


def test_the_last_picture_stands_for_what_is_missing(clip: Path) -> None:
    with av.open(str(clip)) as container:
        taker = Pictures(container.streams.video[0], [1.0, 9.0], lambda *_: (SIZE, SIZE), 0.0)
        for packet in container.demux(video=0):
            taker.feed(packet)
        frames = taker.finish()
    assert frames is not None and not taker.full
    assert np.array_equal(frames[1], every_frame(clip)[-1])
