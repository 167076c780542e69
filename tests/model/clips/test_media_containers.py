"""One clip in many containers is one clip: upright, on one clock, at one level, in 8 bits."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from clip_making import CONTAINERS, LAYOUTS, RATE, mark, pitch, scene, tones, with_matrix, write

from affectllm.instruct.exports.media import Cut
from affectllm.model.clips.cut import cut
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip

BUDGET = Budget(fps=5, max_frames=30, max_pixels=160 * 112, min_pixels=28 * 28)


def opened(path: Path, **options: Any) -> Clip:
    clip = open_clip(path, options.pop("budget", BUDGET), **{"frames": True, "sound": True, **options})
    assert isinstance(clip, Clip), clip
    return clip


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("containers")
    for suffix, codecs in CONTAINERS.items():
        write(folder / f"clip.{suffix}", codecs, scene(), np.stack([tones(), tones()]))
    return folder


@pytest.mark.parametrize("suffix", CONTAINERS)
@pytest.mark.parametrize("span", [(None, None), (1.1, 1.4), (2.1, 2.4)])
def test_every_container_gives_the_same_pictures_and_sound(clips: Path, suffix: str, span: tuple[Any, Any]) -> None:
    own = opened(clips / f"clip.{suffix}", start=span[0], end=span[1])
    first = opened(clips / "clip.mov", start=span[0], end=span[1])
    assert own.frames is not None and first.frames is not None and own.frames.shape == first.frames.shape
    # A frame of 40 ms may move by one where codecs need a moment of their own: 2 of brightness a frame.
    assert np.abs(own.frames[:, 80:, 80:].mean((1, 2, 3)) - first.frames[:, 80:, 80:].mean((1, 2, 3))).max() < 6
    assert np.abs(own.frames[:, :50, :60].astype(int).mean((0, 1, 2)) - (0, 200, 0)).max() < 8
    assert own.sound is not None and first.sound is not None
    assert len(own.sound) == pytest.approx(len(first.sound), abs=0.05 * SAMPLING_RATE)
    middle = slice(len(first.sound) // 2 - 1_200, len(first.sound) // 2 + 1_200)
    assert np.abs(own.sound[middle]).max() == pytest.approx(0.5, abs=0.04)
    assert pitch(own.sound[middle]) == pytest.approx(pitch(first.sound[middle]), abs=10)


@pytest.mark.parametrize("channels", LAYOUTS)
@pytest.mark.parametrize("suffix", ["wav", "flac", "mkv", "mp4", "mov"])
def test_equal_channels_keep_their_level_whatever_their_number(tmp_path: Path, channels: int, suffix: str) -> None:
    sound, path = np.stack([tones(level=0.9)] * channels), tmp_path / f"sound.{suffix}"
    if suffix in ("wav", "flac"):
        soundfile.write(path, sound.T, RATE)
    else:
        if suffix != "mov" and channels in (3, 7):
            pytest.skip("this codec has no such layout")
        write(path, ("", {"mkv": "flac", "mp4": "aac", "mov": "pcm_s16le"}[suffix]), None, sound)
    heard = opened(path, frames=False).sound
    assert heard is not None
    expected = 0.9 * (channels - 1) / channels if suffix == "mp4" and channels > 4 else 0.9  # AAC cuts the bass channel
    middle = heard[SAMPLING_RATE // 4 : -SAMPLING_RATE // 4]
    assert float(np.percentile(np.abs(middle), 99)) == pytest.approx(expected, abs=0.04)
    assert np.abs(heard).max() <= 1.0


def test_channels_are_averaged_and_not_added(tmp_path: Path) -> None:
    left, nothing = tones(level=0.8), np.zeros(3 * RATE, np.float32)
    soundfile.write(tmp_path / "left.wav", np.stack([left, nothing]).T, RATE)
    write(tmp_path / "left.mkv", ("", "flac"), None, np.stack([left, nothing]))
    through = [opened(tmp_path / name, frames=False).sound for name in ("left.wav", "left.mkv")]
    assert through[0] is not None and through[1] is not None
    assert np.abs(through[0] - through[1]).max() < 1e-3 and np.abs(through[0]).max() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_width_of_a_sample_has_the_same_full_scale(tmp_path: Path, subtype: str) -> None:
    soundfile.write(tmp_path / "sound.wav", tones(level=0.7), RATE, subtype=subtype)
    (tmp_path / "sound.bin").write_bytes((tmp_path / "sound.wav").read_bytes())  # opened by FFmpeg
    for name in ("sound.wav", "sound.bin"):
        sound = opened(tmp_path / name, frames=False).sound
        assert sound is not None and np.abs(sound).max() == pytest.approx(0.7, abs=0.02)


@pytest.mark.parametrize(
    ("matrix", "place", "turned"),
    [
        ((1, 0, 0, 1), "upper left", False),
        ((0, 1, -1, 0), "upper right", True),  # 90°
        ((-1, 0, 0, -1), "lower right", False),  # 180°
        ((0, -1, 1, 0), "lower left", True),  # 270°
        ((-1, 0, 0, 1), "upper right", False),  # mirrored
        ((1, 0, 0, -1), "lower left", False),
        ((0, 1, 1, 0), "upper left", True),  # transposed
        ((0, -1, -1, 0), "lower right", True),
    ],
)
def test_pictures_are_upright_here_and_in_what_is_exported(
    clips: Path, tmp_path: Path, matrix: tuple[int, int, int, int], place: str, turned: bool
) -> None:
    path = with_matrix(clips / "clip.mp4", tmp_path / "phone.mp4", *matrix)
    assert cut(path, tmp_path / "cut.mp4", Cut("video", 0.5, 1.5)) is None
    assert cut(path, tmp_path / "silent.mp4", Cut("silent")) is None
    budget = Budget(fps=2, max_frames=4, max_pixels=168 * 112)
    for name in ("phone.mp4", "cut.mp4", "silent.mp4"):
        frames = opened(tmp_path / name, sound=False, budget=budget).frames
        assert frames is not None and mark(frames[0]) == place
        assert frames.shape[1:3] == ((168, 112) if turned else (112, 168))


def test_pixels_that_are_not_square_are_shown_in_their_shape(tmp_path: Path) -> None:
    wide = write(tmp_path / "wide.mp4", ("libx264", ""), scene(1.0, 112, 112), None, shape=Fraction(2, 1))
    assert cut(wide, tmp_path / "cut.mp4", Cut("video", 0.1, 0.9)) is None
    for path in (wide, tmp_path / "cut.mp4"):
        frames = opened(path, sound=False, budget=Budget(max_pixels=224 * 112)).frames
        assert frames is not None and frames.shape[1:3] == (112, 224)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "nut"])
@pytest.mark.parametrize("starts", [(0.0, 1.0), (1.0, 0.0), (2.0, 2.0), (2.0, 3.0), (0.5, 0.0)])
def test_tracks_are_on_one_clock_that_begins_with_the_first(
    tmp_path: Path, suffix: str, starts: tuple[float, float]
) -> None:
    path = tmp_path / f"clip.{suffix}"
    write(path, CONTAINERS[suffix], scene(), tones()[None], starts=starts)
    # FFmpeg shifts what begins later than 0 in some containers; the distance of the tracks is what remains.
    seen, heard = starts[0] - min(starts), starts[1] - min(starts)
    whole = opened(path)
    assert whole.frames is not None and whole.sound is not None
    assert len(whole.sound) / SAMPLING_RATE == pytest.approx(heard + 3.0, abs=0.1)
    if heard:
        assert np.abs(whole.sound[: int((heard - 0.1) * SAMPLING_RATE)]).max() < 1e-3
    assert len(opened(path, frames=False).sound) == len(whole.sound)  # type: ignore[arg-type]
    begin = max(seen, heard) + 0.6  # in the second tone, or later
    clip = opened(path, start=begin, end=begin + 0.3)
    assert clip.frames is not None and clip.sound is not None
    assert pitch(clip.sound) == pytest.approx(300 * (1 + int((begin - heard) * 2)), abs=15)
    assert clip.frames[0, 80:, 80:].mean() == pytest.approx(30 + 2 * 25 * (begin + 0.075 - seen), abs=5)


@pytest.mark.parametrize("kind", ["sound", "video"])
def test_what_is_exported_of_a_span_is_of_the_same_moment(tmp_path: Path, kind: Any) -> None:
    path = write(tmp_path / "late.mkv", CONTAINERS["mkv"], scene(4.0), tones()[None], starts=(0.0, 1.0))
    target = tmp_path / ("cut.wav" if kind == "sound" else "cut.mp4")
    for start, end in ((0.7, 1.4), (2.1, 2.4), (None, None)):
        assert cut(path, target, Cut(kind, start, end, sound=True)) is None
        theirs, ours = opened(target, frames=False).sound, opened(path, frames=False, start=start, end=end).sound
        assert theirs is not None and ours is not None and len(theirs) == pytest.approx(len(ours), abs=1_600)
        early = slice(0, 4_000)  # of the first span and of the whole clip this is silence
        assert np.abs(theirs[early]).max() == pytest.approx(np.abs(ours[early]).max(), abs=0.1)
        assert pitch(theirs[-6_000:-2_000]) == pytest.approx(pitch(ours[-6_000:-2_000]), abs=40)


def test_a_hole_in_the_sound_is_silence_and_moves_nothing(tmp_path: Path) -> None:
    import av

    whole = write(tmp_path / "whole.mkv", ("", "pcm_f32le"), None, tones()[None])
    with av.open(str(whole)) as source, av.open(str(tmp_path / "hole.mkv"), "w") as target:
        copy = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None and not 0.7 <= float(packet.pts * packet.time_base) < 1.3:
                packet.stream = copy
                target.mux(packet)
    sound = opened(tmp_path / "hole.mkv", frames=False).sound
    assert sound is not None and len(sound) / SAMPLING_RATE == pytest.approx(3.0, abs=0.05)
    assert np.abs(sound[12_000:20_000]).max() < 1e-3
    assert pitch(sound[25_000:31_000]) == pytest.approx(1200, abs=10)  # from 1.5 to 2 s


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    import av

    path = write(tmp_path / "song.mka", ("", "aac"), None, tones()[None])
    with av.open(str(path)) as source, av.open(str(tmp_path / "song.m4a"), "w", format="mp4") as target:
        copy = target.add_stream_from_template(source.streams.audio[0])
        cover: Any = target.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        target.mux(cover.encode(av.VideoFrame(64, 64, "yuvj420p")))
        target.mux(cover.encode(None))
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    error = open_clip(tmp_path / "song.m4a", BUDGET, frames=True, sound=False)
    assert isinstance(error, MediaError) and error.reason == "no_video_stream"
    assert opened(tmp_path / "song.m4a", frames=False).sound is not None
