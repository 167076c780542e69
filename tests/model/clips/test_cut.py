"""Cutting: what is cut lasts as long as was asked for, shows and sounds what the span holds, and nothing else."""

from __future__ import annotations

import errno
import hashlib
import resource
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from affectllm.corpus import render
from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.instruct.exports.media import Cut
from affectllm.model.clips.cut import cut, tracks
from affectllm.model.clips.media import Budget, open_clip

RATE = 22_050


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips whose picture brightens by the second, with a tone that rises by the second."""
    root = tmp_path_factory.mktemp("clips")
    videos = {"silent.mp4": Clip(2.0, sound=False), "moving.mp4": Clip(4.0, fps=25)}
    materialise({**videos, "tone.mp3": Tone(3.0, RATE), "song.flac": Tone(3.0, 48_000)}, root)
    frames = np.stack([np.full((48, 64, 3), 40 * (1 + index // 25), np.uint8) for index in range(100)])
    moments = np.arange(4 * RATE) / RATE
    sound = 0.3 * np.sin(2 * np.pi * 200 * (1 + np.floor(moments)) * moments)
    for suffix in (".mp4", ".avi"):
        render.write_clip(root / f"talk{suffix}", frames, 25, sound, RATE)
    return root


def seconds(path: Path, kind: str) -> float:
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return float((stream.duration or 0) * (stream.time_base or 0))


def pitch(wave: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(wave)).argmax() * rate / len(wave))


@pytest.mark.parametrize("source", ["talk.mp4", "talk.avi"])
@pytest.mark.parametrize("span", [(0.5, 1.5), (1.3, 2.9), (2.0, 4.0), (3.1, None), (None, 0.7)])
def test_a_span_of_a_video_lasts_as_long_to_a_frame(clips: Path, tmp_path: Path, source: str, span) -> None:
    start, end = span
    assert cut(clips / source, tmp_path / "cut.mp4", Cut("video", start, end, sound=True)) is None
    expected = (seconds(clips / source, "video") if end is None else end) - (start or 0.0)
    assert seconds(tmp_path / "cut.mp4", "video") == pytest.approx(expected, abs=0.041)
    assert seconds(tmp_path / "cut.mp4", "audio") == pytest.approx(expected, abs=0.09)  # AAC comes in blocks of 1024
    assert tracks(tmp_path / "cut.mp4") == {"video", "audio"}


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.3, 2.9), (2.0, 3.0)])
def test_what_is_cut_is_what_our_own_reader_takes_of_the_span(clips: Path, tmp_path: Path, span) -> None:
    budget = Budget(fps=5.0)
    assert cut(clips / "talk.mp4", tmp_path / "cut.mp4", Cut("video", *span, sound=True)) is None
    ours = open_clip(clips / "talk.mp4", budget, frames=True, sound=True, start=span[0], end=span[1])
    theirs = open_clip(tmp_path / "cut.mp4", budget, frames=True, sound=True)
    assert np.abs(ours.frames.astype(int) - theirs.frames.astype(int)).max() <= 6
    length = min(len(ours.sound), len(theirs.sound))
    assert abs(len(ours.sound) - len(theirs.sound)) < 2_000
    assert np.abs(ours.sound[:length] - theirs.sound[:length]).mean() < 0.02


def test_the_sound_of_a_video_keeps_its_rate_and_is_exact_to_a_sample(clips: Path, tmp_path: Path) -> None:
    assert cut(clips / "talk.mp4", tmp_path / "cut.wav", Cut("sound", 1.0, 2.5)) is None
    with wave.open(str(tmp_path / "cut.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        assert file.getnframes() == round(1.5 * RATE)
        sound = np.frombuffer(file.readframes(RATE), np.int16)
    assert pitch(sound[: RATE // 2], RATE) == pytest.approx(400, abs=4)  # that of the second second


@pytest.mark.parametrize("name, rate", [("tone.mp3", RATE), ("song.flac", 48_000)])
def test_a_sound_file_is_cut_too(clips: Path, tmp_path: Path, name: str, rate: int) -> None:
    assert cut(clips / name, tmp_path / "cut.wav", Cut("sound", 0.25, 1.75)) is None
    with wave.open(str(tmp_path / "cut.wav")) as file:
        assert file.getframerate() == rate and file.getnframes() == pytest.approx(1.5 * rate, abs=1)


@pytest.mark.parametrize("name", ["talk.mp4", "talk.avi"])
def test_silencing_leaves_every_picture_as_it_was(clips: Path, tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    assert cut(clips / name, target, Cut("silent")) is None
    assert tracks(target) == {"video"}

    def pictures(path: Path) -> list[bytes]:
        with av.open(str(path)) as container:
            return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]

    assert pictures(target) == pictures(clips / name)


def test_a_video_that_is_to_be_silent_is_cut_without_its_sound(clips: Path, tmp_path: Path) -> None:
    assert cut(clips / "talk.mp4", tmp_path / "cut.mp4", Cut("video", 1.0, 2.0)) is None
    assert tracks(tmp_path / "cut.mp4") == {"video"}


def test_odd_sides_are_made_even(tmp_path: Path) -> None:
    render.write_clip(tmp_path / "odd.avi", np.zeros((10, 35, 37, 3), np.uint8), 10, None)
    assert cut(tmp_path / "odd.avi", tmp_path / "cut.mp4", Cut("video", 0.2, 0.8)) is None
    with av.open(str(tmp_path / "cut.mp4")) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (38, 36)


@pytest.mark.parametrize(
    "name, part, reason",
    [
        ("silent.mp4", Cut("sound"), "no_audio_stream"),
        ("silent.mp4", Cut("video", 0.0, 1.0, sound=True), "no_audio_stream"),
        ("tone.mp3", Cut("video", 0.0, 1.0), "no_video_stream"),
        ("tone.mp3", Cut("silent"), "no_video_stream"),
        ("talk.mp4", Cut("video", 9.0, 10.0), "too_short"),
        ("talk.mp4", Cut("sound", 9.0, 10.0), "too_short"),
        ("text.mp4", Cut("sound"), "unreadable"),
        ("text.mp4", Cut("video", 0.0, 1.0), "unreadable"),
        ("text.mp4", Cut("silent"), "unreadable"),
    ],
)
def test_what_cannot_be_cut_says_why_and_leaves_nothing(clips: Path, tmp_path: Path, name, part, reason) -> None:
    (clips / "text.mp4").write_text("not a clip")
    refused = cut(clips / name, tmp_path / "cut.mp4", part)
    assert refused is not None and refused.reason == reason
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", [Cut("video", 1.0, 2.5, sound=True), Cut("sound", 1.0, 2.0), Cut("silent")])
def test_the_same_clip_gives_the_same_bytes(clips: Path, tmp_path: Path, part: Cut) -> None:
    digests = set()
    for number in range(20):  # some of x264's presets differ about every third time
        target = tmp_path / f"{number}.mp4"
        assert cut(clips / "moving.mp4", target, part) is None
        digests.add(hashlib.sha256(target.read_bytes()).hexdigest())
    assert len(digests) == 1


@pytest.mark.parametrize("part", [Cut("video", 1.0, 2.5, sound=True), Cut("sound"), Cut("silent")])
def test_a_full_disk_is_not_blamed_on_the_clip(clips: Path, tmp_path: Path, part: Cut) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        with pytest.raises(OSError) as caught:
            cut(clips / "talk.mp4", tmp_path / "cut.mp4", part)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.errno == errno.EFBIG and not list(tmp_path.iterdir())
