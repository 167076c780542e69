"""A fence around each clip: one that breaks in a way that nobody foresaw costs itself, is counted, and is told."""

from __future__ import annotations

import json
import struct
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from clip_making import CONTAINERS, RATE, scene, tones, write
from fuzzing.run import fuzz
from fuzzing.table import table
from PIL import Image
from toy_corpus import toy_corpus

from affectllm.corpus.audit import audit
from affectllm.errors import AffectError
from affectllm.evaluate.media_error import MediaLedger, media_error_reason
from affectllm.model.clips.cut import tracks
from affectllm.model.clips.fence import MediaError, Unusable, fenced
from affectllm.model.clips.media import Budget, Clip, open_clip, open_image
from affectllm.model.clips.probe import probe


def raising(error: BaseException) -> Any:
    def opening() -> None:
        raise error

    return fenced(Path("clip.mp4"), opening)


def test_unknown_errors_are_counted_with_their_type_and_message() -> None:
    assert raising(ZeroDivisionError("by zero")) == MediaError("undecodable", "clip.mp4", "ZeroDivisionError: by zero")
    assert raising(MemoryError()).reason == "undecodable"
    assert raising(Unusable("truncated", "half")) == MediaError("truncated", "clip.mp4", "half")
    raising(ValueError("\udcff")).detail.encode("utf-8")  # what decoders quote can be stored


@pytest.mark.parametrize("error", [AffectError("ours"), ImportError("no library"), KeyboardInterrupt(), SystemExit()])
def test_what_is_about_the_run_stops_it(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raising(error)


def test_broken_files_of_every_format_give_a_clip_or_a_reason(tmp_path: Path) -> None:
    outcomes = fuzz(tmp_path, count=200, seed=11, seconds=60.0)
    counts = table(outcomes)
    assert len(outcomes) > 250 and not [outcome for outcome in outcomes if outcome.fault], counts
    assert {"opened", "unreadable", "undecodable", "truncated", "no_audio_stream"} <= {o.reason for o in outcomes}, (
        counts
    )


PLAYLISTS = {
    "live.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:5,\nfilm.ts\n",  # never ends
    "list.mkv": "ffconcat version 1.0\nfile 'film.ts'\n",
    "call.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "words.avi": "plain words, which FFmpeg would draw as a picture\n" * 40,
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_file_is_read_and_none_that_it_names(tmp_path: Path, name: str) -> None:
    write(tmp_path / "film.ts", CONTAINERS["ts"], scene(1.0), tones(1.0)[None])
    (tmp_path / name).write_text(PLAYLISTS[name])
    error = open_clip(tmp_path / name, Budget(), frames=True, sound=False)
    assert isinstance(error, MediaError) and error.reason in ("unreadable", "no_video_stream")
    assert getattr(tracks(tmp_path / name), "reason", "unreadable") == "unreadable"


def test_pictures_that_change_their_size_half_way_are_given_in_the_first(tmp_path: Path) -> None:
    streams = []
    for size in (112, 224):
        with av.open(str(tmp_path / f"{size}.h264"), "w") as container:
            stream: Any = container.add_stream("libx264", rate=10)
            stream.width = stream.height = size
            stream.pix_fmt = "yuv420p"
            for index in range(10):
                frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), size, np.uint8), format="rgb24")
                frame.pts, frame.time_base = index, Fraction(1, 10)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        streams.append((tmp_path / f"{size}.h264").read_bytes())
    (tmp_path / "both.h264").write_bytes(b"".join(streams))
    clip = open_clip(tmp_path / "both.h264", Budget(fps=5, max_pixels=112 * 112), frames=True, sound=False)
    assert isinstance(clip, Clip) and clip.frames is not None and clip.frames.shape[1:3] == (112, 112)
    assert clip.frames[0].mean() == pytest.approx(112, abs=4) and clip.frames[-1].mean() == pytest.approx(224, abs=4)


def test_sound_that_changes_its_rate_half_way_is_refused_and_new_channels_are_not(tmp_path: Path) -> None:
    for name, rate, channels in (("first", 44_100, 2), ("slow", 16_000, 2), ("narrow", 44_100, 1)):
        wave = np.stack([tones(1.0, rate, 0.3)] * channels)
        write(tmp_path / f"{name}.aac", ("", "aac"), None, wave, rate=rate)
    first, slow, narrow = ((tmp_path / f"{name}.aac").read_bytes() for name in ("first", "slow", "narrow"))
    (tmp_path / "rate.aac").write_bytes(first + slow)
    (tmp_path / "channels.aac").write_bytes(first + narrow)
    error = open_clip(tmp_path / "rate.aac", Budget(), frames=False, sound=True)
    assert isinstance(error, MediaError) and "changes from 44100" in error.detail
    mono = open_clip(tmp_path / "channels.aac", Budget(), frames=False, sound=True)
    assert isinstance(mono, Clip) and mono.sound is not None and len(mono.sound) > 1.9 * 16_000


def test_a_header_that_claims_years_costs_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "years.wav", tones(1.0), RATE)
    data = bytearray((tmp_path / "years.wav").read_bytes())
    struct.pack_into("<I", data, data.index(b"data") + 4, 0x7FFE0000)  # six hours
    (tmp_path / "years.wav").write_bytes(bytes(data))
    for long, reason in (("reject", "too_long"), ("trim", "truncated")):
        error = open_clip(tmp_path / "years.wav", Budget(max_seconds=5, long=long), frames=False, sound=True)  # type: ignore[arg-type]
        assert isinstance(error, MediaError) and error.reason == reason


def test_frames_beyond_the_limit_are_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "wall.mkv"), "w") as container:
        stream: Any = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = 20_000, 4_016, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame(20_000, 4_016, "yuvj420p")))
        container.mux(stream.encode(None))
    error = open_clip(tmp_path / "wall.mkv", Budget(), frames=True, sound=False)
    assert isinstance(error, MediaError) and (error.reason, error.detail[:9]) == ("too_large", "frames of")


def _broken_pictures(folder: Path) -> dict[str, str]:
    """Five pictures, one of which Pillow fails over with an error that is not its own."""
    folder.mkdir(exist_ok=True)
    for number in range(5):
        Image.new("RGB", (60, 60), (9, 9, 9)).save(folder / f"{number}.png")
    (folder / "3.png").write_bytes(b"P2 4 x 255 " + b"7 " * 16)
    error = open_image(folder / "3.png", Budget())
    assert isinstance(error, MediaError) and error.reason == "undecodable"
    return {"reason": error.reason, "detail": error.detail}


def test_an_audit_counts_them_and_says_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    media = '(MediaRef(f"{number}.png" if number < 5 else "x" * 300 + ".png", "image"),)'
    root = toy_corpus(tmp_path, monkeypatch, counts={"train": 6}, media=media)
    broken = _broken_pictures(root)
    report = audit("toy", root, probe=probe)
    assert report.media_problems == {"undecodable": 1, "unreadable": 1}
    assert "undecodable: 1 clips" in report.render() and broken["detail"] in report.render()


def test_the_look_before_training_counts_and_tells_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from affectllm.model.encode import Encoder
    from affectllm.model.load import load_model
    from affectllm.train.data import look

    _broken_pictures(tmp_path / "toy")
    model = load_model("tiny:qwen2_5_vl")
    encoder = Encoder(model.processor, model.family, model.model.config, Budget(), {"toy": tmp_path / "toy"})
    rows = [
        {
            "id": f"toy/{number}",
            "messages": [
                {"role": "user", "content": [{"type": "image", "corpus": "toy", "path": f"{number}.png"}]},
                {"role": "assistant", "content": [{"type": "text", "text": "joy"}]},
            ],
        }
        for number in range(5)
    ]
    looked = look(rows, encoder, tmp_path / "looked_train.json", workers=0)  # type: ignore[arg-type]
    assert list(looked.kept) == [0, 1, 2, 4] and looked.rejected == {"undecodable": 1}
    assert "1 rows dropped (1 × undecodable)" in capsys.readouterr().err
    log = json.loads((tmp_path / "looked_train.rejected.jsonl").read_text(encoding="utf-8"))
    assert log["detail"].startswith("ValueError: ") and log["where"] == "toy:3.png"
    again = look(rows, encoder, tmp_path / "looked_train.json", workers=0)  # type: ignore[arg-type]
    assert again == looked


def test_an_evaluation_tells_how_many_there_were(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = MediaLedger()
    replies = [ledger.add(MediaError("undecodable", f"toy:{n}.png", "ValueError: x")) for n in range(3)]
    replies.append(ledger.add(MediaError("silent", "toy:a.wav")))
    ledger.trimmed += 2
    ledger.tell()
    stderr = capsys.readouterr().err
    assert "3 questions unanswered: undecodable (the first: toy:0.png: ValueError: x)" in stderr
    assert "1 questions unanswered: silent" in stderr and "2 clips were cut" in stderr
    assert [media_error_reason(reply) for reply in replies] == ["media_error:undecodable"] * 3 + ["media_error:silent"]
    ledger.tell()
    assert capsys.readouterr().err == ""
