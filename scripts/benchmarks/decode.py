"""Benchmark opening clips, against a bare PyAV loop and against what transformers offers for the same clip."""

from __future__ import annotations

import functools
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, frame_size, open_clip
from benchmarks.clips import make_clips
from benchmarks.row import Row, alternate, duration

BUDGET = Budget(fps=2.0, max_frames=16, max_pixels=200_704, min_pixels=50_176)
LENGTHS = {"full": [3.0, 4.0, 6.0, 8.0, 10.0], "quick": [3.0, 6.0], "tiny": [1.0]}
LONG = {"full": 60.0, "quick": 20.0, "tiny": 2.0}
WEB = 2.0  # seconds between keyframes, so that players can jump
BARE = "a bare single-pass PyAV loop to the same arrays"
THEIRS = "transformers: load_video (pyav), its resizing, load_audio (soundfile) of the track extracted by PyAV"
AT_HAND = "transformers without resizing, the track extracted beforehand"
ROUNDS = {"full": 9, "quick": 5, "tiny": 1}


def measure(size: str) -> list[Row]:
    """Measure both comparisons, on clips of a few seconds and on a long one of which few frames are wanted."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        short = make_clips(Path(scratch) / "short", LENGTHS[size])
        long = make_clips(Path(scratch) / "long", [LONG[size]])
        web = make_clips(Path(scratch) / "web", [LONG[size]], keyframes=WEB)
        named_long = f"a clip of {LONG[size]:.0f} s"
        named_web = f"{named_long} with a keyframe every {WEB:.0f} s, as sites have them"
        for paths, named in ((short, _named(LENGTHS[size])), (long, named_long), (web, named_web)):
            rows += _compare(paths, named, ROUNDS[size])
    return rows


def _named(lengths: list[float]) -> str:
    return f"{len(lengths)} clips of {min(lengths):.0f}–{max(lengths):.0f} s"


def _compare(paths: list[Path], named: str, rounds: int) -> list[Row]:
    clips = [_ours(path) for path in paths]
    for path, clip in zip(paths, clips, strict=True):
        _same(clip, _bare(path, clip))
    wavs = [_extracted(path) for path in paths]

    def ours() -> None:
        for path in paths:
            _ours(path)

    def bare() -> None:
        for path, clip in zip(paths, clips, strict=True):
            _bare(path, clip)

    def theirs() -> None:
        for path, clip in zip(paths, clips, strict=True):
            _resized(_loaded(path, clip), clip)
            _sound(_extracted(path))

    def theirs_at_hand() -> None:
        for path, wav, clip in zip(paths, wavs, clips, strict=True):
            _loaded(path, clip)
            _sound(wav)

    what = f"open {named}, frames and sound"
    return [
        _row(what, BARE, alternate(ours, bare, rounds), 0.9),
        _row(what, THEIRS, alternate(ours, theirs, rounds), 2.0),
        _row(what, AT_HAND, alternate(ours, theirs_at_hand, rounds), None),
    ]


def _row(what: str, against: str, times: tuple[float, float], goal: float | None) -> Row:
    return Row(what, against, duration(times[0]), duration(times[1]), times[1] / times[0], goal)


def _ours(path: Path) -> Clip:
    clip = open_clip(path, BUDGET, frames=True, sound=True)
    assert isinstance(clip, Clip), clip
    return clip


def _bare(path: Path, clip: Clip) -> tuple[np.ndarray, np.ndarray]:
    """Decode with PyAV alone: one pass, the frames on the grid scaled while converted, the sound resampled."""
    import av
    import soxr

    frames, sound = [], []
    with av.open(str(path)) as container:
        pictures, voice = container.streams.video[0], container.streams.audio[0]
        height, width = frame_size(pictures.height, pictures.width, BUDGET, 28)
        numbers = _numbers(clip, float(pictures.average_rate))
        seen = 0
        for packet in container.demux(pictures, voice):
            for frame in packet.decode():
                if isinstance(frame, av.AudioFrame):
                    sound.append(frame.to_ndarray().mean(0))
                    continue
                if seen in numbers:
                    frames.append(frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="BICUBIC"))
                seen += 1
        length = math.ceil(container.duration / 1_000_000 * SAMPLING_RATE)
        heard = soxr.resample(np.concatenate(sound), voice.rate, SAMPLING_RATE)
    return np.stack(frames), heard[:length]


def _numbers(clip: Clip, rate: float) -> set[int]:
    assert clip.frames is not None
    return {int((index + 0.5) / clip.fps * rate + 1e-6) for index in range(len(clip.frames))}


def _same(clip: Clip, bare: tuple[np.ndarray, np.ndarray]) -> None:
    # Speed means nothing unless the work is the same; a resampler thinks up what lies beyond the ends of a sound.
    assert np.array_equal(clip.frames, bare[0])
    assert clip.sound is not None and abs(len(clip.sound) - len(bare[1])) <= 1  # where a sample stands on the border
    shorter = min(len(clip.sound), len(bare[1]))
    assert float(np.abs(clip.sound[:shorter] - bare[1][:shorter]).mean()) < 1e-4


def _loaded(path: Path, clip: Clip) -> np.ndarray:
    from transformers.video_utils import load_video

    def grid(metadata: Any, **_: Any) -> list[int]:
        return sorted(_numbers(clip, metadata.fps))

    return load_video(str(path), backend="pyav", sample_indices_fn=grid)[0]


def _resized(frames: np.ndarray, clip: Clip) -> Any:
    """Resize with transformers' own video processor to the frame size of ``clip``."""
    import torch
    from transformers.image_utils import PILImageResampling, SizeDict

    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2)
    size = SizeDict(shortest_edge=BUDGET.min_pixels, longest_edge=BUDGET.max_pixels)
    out = _video_processor().resize(pixels, size=size, factor=28, resample=PILImageResampling.BICUBIC)
    assert clip.frames is not None and tuple(out.shape[2:]) == clip.frames.shape[1:3]
    return out


@functools.cache
def _video_processor() -> Any:
    from transformers import Qwen2VLVideoProcessor

    return Qwen2VLVideoProcessor()


def _extracted(path: Path) -> Path:
    """Extract the sound track as a wav file: without torchcodec, transformers cannot hear an mp4."""
    import av

    target = path.with_suffix(".wav")
    with av.open(str(path)) as source, av.open(str(target), "w") as sink:
        stream = sink.add_stream("pcm_s16le", rate=source.streams.audio[0].rate, layout="mono")
        for frame in source.decode(audio=0):
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    return target


def _sound(path: Path) -> np.ndarray:
    from transformers.audio_utils import load_audio

    return load_audio(str(path), sampling_rate=SAMPLING_RATE)
