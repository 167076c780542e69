"""Opening clips: what comes out has the asked size, rate and span; what cannot be used says why."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.corpus import MediaRef, render
from affectllm.corpus.miniature import Clip as ClipToMake
from affectllm.corpus.miniature import Tone, materialise
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, frame_size, open_clip, open_image
from affectllm.model.clips.probe import probe

SMALL = Budget(fps=4.0, max_frames=8, max_pixels=84 * 84, min_pixels=28 * 28, max_seconds=10.0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of two seconds whose brightness tells the moment: frame i of 20 is i × 12 bright."""
    folder = tmp_path_factory.mktemp("clips")
    materialise(
        {
            "tone.wav": Tone(1.0, rate=44_100, pitch=440),
            "tone.mp3": Tone(1.0, rate=44_100, pitch=440),
            "seen.mp4": ClipToMake(1.0, sound=False),
            "seen_and_heard.mp4": ClipToMake(1.0),
            "old.avi": ClipToMake(1.0),
            "old.flv": ClipToMake(1.0),
        },
        folder,
    )
    ramp = np.repeat(np.arange(20, dtype=np.uint8) * 12, 56 * 56 * 3).reshape(20, 56, 56, 3)
    beep = np.zeros(2 * SAMPLING_RATE, np.float32)
    beep[SAMPLING_RATE:] = 0.5 * np.sin(2 * np.pi * 300 * np.arange(SAMPLING_RATE) / SAMPLING_RATE)
    render.write_clip(folder / "ramp.mp4", ramp, 10, beep)
    return folder


def opened(path: Path, **options: Any) -> Clip:
    clip = open_clip(path, options.pop("budget", SMALL), **{"frames": False, "sound": False, **options})
    assert isinstance(clip, Clip), clip
    return clip


def test_frames_are_spread_evenly_and_resized(root: Path) -> None:
    clip = opened(root / "ramp.mp4", frames=True)
    assert clip.frames is not None and clip.frames.shape == (8, 56, 56, 3)
    brightness = clip.frames.mean(axis=(1, 2, 3))
    # The middles of eight quarters of a second: frames 1, 3, 6, 8, 11, 13, 16, 18 of twenty.
    assert np.abs(brightness - np.array([1, 3, 6, 8, 11, 13, 16, 18]) * 12).max() < 8


def test_a_budget_of_frames_thins_them_over_the_whole_clip(root: Path) -> None:
    clip = opened(root / "ramp.mp4", frames=True, budget=Budget(fps=10, max_frames=2, max_pixels=56 * 56))
    assert clip.frames is not None and len(clip.frames) == 2
    assert clip.fps == pytest.approx(1.0)
    assert np.abs(clip.frames.mean(axis=(1, 2, 3)) - np.array([5, 15]) * 12).max() < 8


def test_a_span_cuts_pictures_and_sound_alike(root: Path) -> None:
    clip = opened(root / "ramp.mp4", frames=True, sound=True, start=1.0, end=1.5)
    assert clip.frames is not None and clip.sound is not None
    assert clip.frames[0].mean() > 110 and clip.frames[-1].mean() < 190
    assert len(clip.sound) == pytest.approx(0.5 * SAMPLING_RATE, abs=200)
    quiet = open_clip(root / "ramp.mp4", SMALL, frames=False, sound=True, start=0.0, end=0.8)
    assert isinstance(quiet, MediaError) and quiet.reason == "silent"  # the beep begins at one second


@pytest.mark.parametrize("name", ["tone.wav", "tone.mp3", "seen_and_heard.mp4", "old.avi", "old.flv", "ramp.mp4"])
def test_sound_is_mono_at_the_models_rate(root: Path, name: str) -> None:
    clip = opened(root / name, sound=True)
    assert clip.sound is not None and clip.sound.dtype == np.float32 and clip.sound.ndim == 1
    seconds = 2.0 if name == "ramp.mp4" else 1.0
    assert len(clip.sound) / SAMPLING_RATE == pytest.approx(seconds, abs=0.12)


def test_a_tone_keeps_its_pitch_through_resampling(root: Path) -> None:
    for name in ("tone.wav", "tone.mp3"):
        sound = opened(root / name, sound=True).sound
        assert sound is not None
        spectrum = np.abs(np.fft.rfft(sound))
        assert np.argmax(spectrum) * SAMPLING_RATE / len(sound) == pytest.approx(440, abs=5)


def broken(root: Path, name: str, **options: Any) -> str:
    error = open_clip(root / name, SMALL, **{"frames": True, "sound": True, **options})
    assert isinstance(error, MediaError), name
    return error.reason


def test_what_cannot_be_used_says_why(root: Path) -> None:
    (root / "empty.mp4").write_bytes(b"")
    whole = (root / "seen_and_heard.mp4").read_bytes()
    (root / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    (root / "words.wav").write_bytes(b"this is no sound")
    render.write_sound(root / "still.wav", np.zeros(8_000), 16_000)
    render.write_sound(root / "blink.wav", 0.3 * np.ones(100), 16_000)
    assert broken(root, "absent.mp4") == "missing"
    assert broken(root, "empty.mp4") == "empty_file"
    assert broken(root, "words.wav", frames=False) == "unreadable"
    assert broken(root, "seen.mp4") == "no_audio_stream"
    assert broken(root, "tone.wav") == "no_video_stream"
    assert broken(root, "still.wav", frames=False) == "silent"
    assert broken(root, "blink.wav", frames=False) == "too_short"
    assert broken(root, "cut.mp4") in ("unreadable", "no_audio_stream", "too_short")


def test_two_frames_are_enough(root: Path) -> None:
    render.write_clip(root / "two.mp4", np.full((2, 56, 56, 3), 90, np.uint8), 10, None)
    clip = opened(root / "two.mp4", frames=True)
    assert clip.frames is not None and len(clip.frames) == 2


def test_a_clip_of_an_hour_is_rejected_or_trimmed_without_being_read_whole(root: Path) -> None:
    one_an_hour = np.full((61, 32, 32, 3), 128, np.uint8)
    import av

    with av.open(str(root / "hour.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for index, array in enumerate(one_an_hour):
            frame = av.VideoFrame.from_ndarray(array, format="rgb24")
            frame.pts, frame.time_base = index * 60, Fraction(1, 1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert broken(root, "hour.mp4", sound=False) == "too_long"
    trimmed = opened(root / "hour.mp4", frames=True, budget=Budget(max_frames=4, max_seconds=120, long="trim"))
    assert trimmed.frames is not None and len(trimmed.frames) == 4


def test_the_probe_of_an_audit_agrees(root: Path) -> None:
    assert probe(root / "seen_and_heard.mp4", MediaRef("x", "video", sound=True)) is None
    assert probe(root / "seen.mp4", MediaRef("x", "video", sound=True)) == "no_audio_stream"
    assert probe(root / "tone.wav", MediaRef("x", "audio")) is None
    assert probe(root / "tone.wav", MediaRef("x", "image")) == "unreadable"


def test_pictures_are_read_upright_and_resized(root: Path) -> None:
    from PIL import Image

    Image.new("RGB", (200, 100), (250, 10, 10)).save(root / "red.png")
    array = open_image(root / "red.png", SMALL)
    assert isinstance(array, np.ndarray) and array.shape == (56, 112, 3)
    assert array[..., 0].min() > 240 and array[..., 1].max() < 20


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_frame_sizes_keep_to_the_budget(height: int, width: int) -> None:
    budget = Budget(max_pixels=128 * 28 * 28, min_pixels=4 * 28 * 28)
    fit_height, fit_width = frame_size(height, width, budget, 28)
    assert fit_height % 28 == 0 and fit_width % 28 == 0
    assert fit_height >= 28 and fit_width >= 28
    if max(height, width) <= 20 * min(height, width):  # a strip thinner than a patch cannot keep its ratio
        assert fit_height * fit_width <= budget.max_pixels


def test_clips_are_opened_under_the_name_that_scripts_use() -> None:
    from affectllm.model import media

    assert media.open_clip is open_clip and media.Budget is Budget
