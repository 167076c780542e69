"""Sound: numbers that mean nothing are refused, overshoot is clipped, and what a header promises must be there."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from clip_making import CONTAINERS, RATE, pitch, scene, tones, write

from affectllm.instruct.exports.media import Cut
from affectllm.model.clips.cut import cut
from affectllm.model.clips.media import SAMPLING_RATE, Budget, Clip, MediaError, open_clip

FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "w64": ("W64", "PCM_16"),
    "w64.wav": ("W64", "PCM_16"),
    "rf64.wav": ("RF64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}


def opened(path: Path, **options: Any) -> np.ndarray:
    clip = open_clip(path, options.pop("budget", Budget()), **{"frames": False, "sound": True, **options})
    assert isinstance(clip, Clip), clip
    assert clip.sound is not None
    return clip.sound


def reason(path: Path, **options: Any) -> str:
    error = open_clip(path, options.pop("budget", Budget()), **{"frames": False, "sound": True, **options})
    assert isinstance(error, MediaError)
    return error.reason


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e30, 32_767.0])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["sound.wav", "sound.bin", "sound.mkv"])
def test_samples_that_mean_nothing_are_refused(tmp_path: Path, value: float, channels: int, name: str) -> None:
    sound = np.stack([tones(1.0)] * channels)
    sound[0, RATE // 2] = value
    if channels == 2:
        sound[1, RATE // 2] = -value  # their mean would be nothing to see
    if name == "sound.mkv":
        write(tmp_path / name, ("", "pcm_f32le"), None, sound)
    else:
        soundfile.write(tmp_path / "sound.wav", sound.T, RATE, subtype="FLOAT")
        (tmp_path / "sound.bin").write_bytes((tmp_path / "sound.wav").read_bytes())  # goes through FFmpeg
    assert reason(tmp_path / name) == "not_finite"
    refused = cut(tmp_path / name, tmp_path / "cut.wav", Cut("sound"))
    assert refused is not None and refused.reason == "not_finite"


@pytest.mark.parametrize("name", ["loud.wav", "loud.bin"])
def test_what_overshoots_full_scale_is_clipped_and_the_rest_keeps_its_level(tmp_path: Path, name: str) -> None:
    sound = np.concatenate([tones(1.0, SAMPLING_RATE, 1.6), tones(1.0, SAMPLING_RATE, 0.4)])
    soundfile.write(tmp_path / "loud.wav", sound, SAMPLING_RATE, subtype="FLOAT")
    (tmp_path / "loud.bin").write_bytes((tmp_path / "loud.wav").read_bytes())
    heard = opened(tmp_path / name)
    assert np.abs(heard).max() == 1.0
    assert np.abs(heard[SAMPLING_RATE:]).max() == pytest.approx(0.4, abs=1e-3)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.85])
def test_sound_that_ends_before_its_header_says_so_is_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    form, subtype = FORMATS[suffix]
    noise = tones(12.0) + 0.1 * np.random.default_rng(0).standard_normal(12 * RATE).astype(np.float32)
    soundfile.write(tmp_path / f"whole.{suffix}", noise, RATE, format=form, subtype=subtype)
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    assert len(opened(tmp_path / f"whole.{suffix}")) == pytest.approx(12 * SAMPLING_RATE, abs=2_000)
    (tmp_path / f"cut.{suffix}").write_bytes(data[: int(share * len(data))])
    assert reason(tmp_path / f"cut.{suffix}") == "truncated"


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "flac", "mp3"])
def test_a_little_may_be_missing_and_what_is_there_may_be_asked_for(tmp_path: Path, suffix: str) -> None:
    form, subtype = FORMATS[suffix]
    noise = 0.2 * np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32)
    soundfile.write(tmp_path / f"whole.{suffix}", noise, RATE, format=form, subtype=subtype)
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / f"almost.{suffix}").write_bytes(data[: int(0.97 * len(data))])
    assert len(opened(tmp_path / f"almost.{suffix}")) > 9 * SAMPLING_RATE
    (tmp_path / f"half.{suffix}").write_bytes(data[: len(data) // 2])
    assert len(opened(tmp_path / f"half.{suffix}", start=1.0, end=3.0)) == pytest.approx(2 * SAMPLING_RATE, abs=100)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
@pytest.mark.parametrize("name", ["stream.wav", "stream.bin"])
def test_a_wav_that_was_streamed_promises_nothing(tmp_path: Path, size: int, name: str) -> None:
    soundfile.write(tmp_path / "whole.wav", tones(2.0), RATE, subtype="PCM_16")
    data = bytearray((tmp_path / "whole.wav").read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, size)
    struct.pack_into("<I", data, 4, 0xFFFFFFFF)
    (tmp_path / name).write_bytes(bytes(data))
    assert len(opened(tmp_path / name)) == pytest.approx(2 * SAMPLING_RATE, abs=10)


def mp3_without_header(path: Path, seconds: float) -> Path:
    """Quiet at first, so that a guess by the first frames is wrong by far."""
    sound = tones(seconds, 16_000) * 0.01
    sound[len(sound) // 2 :] += 0.3 * np.random.default_rng(0).standard_normal(len(sound) - len(sound) // 2)
    with av.open(str(path), "w", options={"write_xing": "0", "id3v2_version": "0"}) as container:
        stream: Any = container.add_stream("libmp3lame", rate=16_000, layout="mono")
        stream.codec_context.flags |= 2  # AV_CODEC_FLAG_QSCALE: a variable bit rate
        stream.codec_context.global_quality = 2 * 118
        for begin in range(0, len(sound), 1_152):
            block = np.ascontiguousarray(sound[None, begin : begin + 1_152], np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 16_000, begin
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_an_mp3_without_a_header_is_as_long_as_it_is(tmp_path: Path) -> None:
    path = mp3_without_header(tmp_path / "bare.mp3", 20.0)
    assert len(opened(path, budget=Budget(max_seconds=21.0))) == pytest.approx(20 * SAMPLING_RATE, abs=3_000)
    assert reason(path, budget=Budget(max_seconds=19.0)) == "too_long"


@pytest.mark.parametrize("suffix", ["aac", "ac3", "webm", "mkv"])
def test_a_length_that_nobody_wrote_down_is_counted(tmp_path: Path, suffix: str) -> None:
    """Raw streams, and what browsers record: no length, or a guess by the bit rate."""
    path = tmp_path / f"voice.{suffix}"
    codec = {"aac": "aac", "ac3": "ac3", "webm": "libopus", "mkv": "flac"}[suffix]
    write(path, ("", codec), None, tones(4.0)[None], options={"live": "1"} if suffix in ("webm", "mkv") else {})
    assert len(opened(path)) == pytest.approx(4 * SAMPLING_RATE, abs=0.1 * SAMPLING_RATE)
    assert reason(path, budget=Budget(max_seconds=3.0)) == "too_long"
    trimmed = open_clip(path, Budget(max_seconds=3.0, long="trim"), frames=False, sound=True)
    assert isinstance(trimmed, Clip) and trimmed.trimmed > 0.9
    assert pitch(opened(path, start=2.1, end=2.4)) == pytest.approx(1_500, abs=10)


@pytest.mark.parametrize("suffix", ["mkv", "webm", "nut", "mov"])
def test_a_container_that_counts_only_the_whole_file_is_truncated_too(tmp_path: Path, suffix: str) -> None:
    options = {"movflags": "+faststart"} if suffix == "mov" else {}
    write(tmp_path / f"whole.{suffix}", CONTAINERS[suffix], scene(6.0), tones(6.0)[None], options=options)
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) // 2])
    if suffix != "nut":  # which has its length at its end only
        assert reason(tmp_path / f"cut.{suffix}", frames=True) == "truncated"
    opened(tmp_path / f"whole.{suffix}", frames=True)


def test_sound_that_ends_before_the_pictures_is_whole(tmp_path: Path) -> None:
    write(tmp_path / "short.mkv", CONTAINERS["mkv"], scene(5.0), tones(2.0)[None])
    assert len(opened(tmp_path / "short.mkv", frames=True)) == pytest.approx(2 * SAMPLING_RATE, abs=100)


def test_a_clip_that_cannot_be_sought_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "early.mkv"
    write(
        path, CONTAINERS["mkv"], scene(), tones()[None], starts=(-0.5, 0.0), options={"avoid_negative_ts": "disabled"}
    )
    assert pitch(opened(path, frames=True, start=2.1, end=2.4)) == pytest.approx(1_500, abs=10)
    assert cut(path, tmp_path / "cut.wav", Cut("sound", 2.1, 2.4)) is None
    assert pitch(opened(tmp_path / "cut.wav")) == pytest.approx(1_500, abs=10)


def test_a_length_taken_from_bytes_that_were_cut_off_is_not_believed(tmp_path: Path) -> None:
    options = {"flvflags": "no_duration_filesize"}
    data = write(tmp_path / "film.flv", CONTAINERS["flv"], scene(), tones()[None], options=options).read_bytes()
    (tmp_path / "half.flv").write_bytes(data[: len(data) // 2])
    assert len(opened(tmp_path / "half.flv", frames=True)) > 16_000


@pytest.mark.parametrize("name", ["film.wav", "film.mp3", "film.ogg"])
def test_a_wrong_ending_changes_nothing(tmp_path: Path, name: str) -> None:
    write(tmp_path / "film.mp4", CONTAINERS["mp4"], None, tones(2.0)[None])
    (tmp_path / name).write_bytes((tmp_path / "film.mp4").read_bytes())
    assert np.array_equal(opened(tmp_path / name), opened(tmp_path / "film.mp4"))


def test_words_in_another_encoding_in_the_tags_cost_nothing(tmp_path: Path) -> None:
    write(tmp_path / "film.avi", CONTAINERS["avi"], scene(1.0), tones(1.0)[None])
    with av.open(str(tmp_path / "film.avi")) as source, av.open(str(tmp_path / "tagged.avi"), "w") as target:
        target.metadata["title"] = "Gefuehle"
        copies = {stream.index: target.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                target.mux(packet)
    data = (tmp_path / "tagged.avi").read_bytes()
    assert b"Gefuehle" in data
    (tmp_path / "tagged.avi").write_bytes(data.replace(b"Gefuehle", b"Gef\xfc\xe4hle"))
    assert len(opened(tmp_path / "tagged.avi", frames=True))


@pytest.mark.parametrize("span", [(3.0, 2.0), (1.0, 1.0), (np.nan, 1.0), (0.5, np.nan), (None, -1.0), (60.0, 61.0)])
@pytest.mark.parametrize("name", ["tones.wav", "tones.mkv"])
def test_a_span_with_nothing_in_it_is_too_short(tmp_path: Path, name: str, span: tuple[Any, Any]) -> None:
    write_tones(tmp_path / name)
    assert reason(tmp_path / name, start=span[0], end=span[1]) == "too_short"
    refused = cut(tmp_path / name, tmp_path / "cut.wav", Cut("sound", *span))
    assert refused is not None and refused.reason == "too_short"


@pytest.mark.parametrize("name", ["tones.wav", "tones.mkv"])
def test_before_the_beginning_of_a_clip_there_is_nothing(tmp_path: Path, name: str) -> None:
    write_tones(tmp_path / name)
    assert np.array_equal(opened(tmp_path / name, start=-1.0, end=0.5), opened(tmp_path / name, end=0.5))
    assert cut(tmp_path / name, tmp_path / "cut.wav", Cut("sound", -1.0, 0.5)) is None
    assert len(opened(tmp_path / "cut.wav")) == SAMPLING_RATE // 2


def test_channels_that_change_half_way_are_read_and_cut_at_one_level(tmp_path: Path) -> None:
    parts = []
    for layout, channels in (("mono", 1), ("stereo", 2)):
        path = tmp_path / f"{layout}.aac"
        with av.open(str(path), "w", format="adts") as container:
            stream = container.add_stream("aac", rate=SAMPLING_RATE, layout=layout)
            tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(2 * SAMPLING_RATE) / SAMPLING_RATE)
            block = np.tile(tone, (channels, 1)).astype(np.float32)
            for place in range(0, block.shape[1], 1_024):
                part = np.ascontiguousarray(block[:, place : place + 1_024])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=layout)
                frame.sample_rate, frame.pts = SAMPLING_RATE, place
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        parts.append(path.read_bytes())
    (tmp_path / "both.aac").write_bytes(b"".join(parts))
    assert cut(tmp_path / "both.aac", tmp_path / "cut.wav", Cut("sound", 0.0, 4.0)) is None
    for path in (tmp_path / "both.aac", tmp_path / "cut.wav"):
        sound = opened(path)
        for start in (0.5, 3.0):  # seconds; away from the seam
            middle = sound[round(start * SAMPLING_RATE) :][: SAMPLING_RATE // 2]
            assert abs(middle).max() == pytest.approx(0.4, abs=0.02)


def write_tones(path: Path) -> None:
    """Two seconds of one tone."""
    tone = 0.4 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)
    if path.suffix == ".wav":
        soundfile.write(path, tone, RATE)
        return
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        whole = np.rint(tone * 32_767).astype(np.int16)[None]
        for place in range(0, whole.shape[1], 1_024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(whole[:, place : place + 1_024]), "s16", "mono")
            frame.sample_rate, frame.pts = RATE, place
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
