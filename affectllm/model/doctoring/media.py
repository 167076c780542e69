"""Clips: the codecs that FFmpeg has, and one clip of each kind, written and read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from affectllm.model.doctoring.check import Check, first_line, installed

_DECODERS = ("h264", "hevc", "vp9", "mpeg4", "flv", "aac", "mp3", "opus", "flac", "pcm_s16le")
_ENCODERS = ("libx264", "aac", "libmp3lame")


def check_ffmpeg() -> Check:
    if not installed("av"):
        return Check("FFmpeg", "fail", "PyAV is not installed: no clip can be opened", "pip install av")
    try:
        import av
    except (ImportError, OSError) as error:
        return Check("FFmpeg", "fail", f"PyAV cannot be imported: {first_line(error)}", "reinstall it: pip install av")
    text = f"PyAV {av.__version__} with FFmpeg {av.ffmpeg_version_info}"
    missing = [*_lacking(_DECODERS, "r"), *_lacking(_ENCODERS, "w")]
    if missing:
        return Check("FFmpeg", "warn", f"{text}, without {', '.join(missing)}", "install PyAV's own wheel")
    return Check("FFmpeg", "ok", f"{text}; decodes {', '.join(_DECODERS)}")


def _lacking(codecs: tuple[str, ...], mode: Literal["r", "w"]) -> Iterator[str]:
    import av
    from av.codec.codec import UnknownCodecError

    for name in codecs:
        try:
            av.Codec(name, mode)
        except UnknownCodecError:
            yield f"{name} ({'decoding' if mode == 'r' else 'encoding'})"


def check_sound() -> Check:
    if missing := [name for name in ("soundfile", "soxr") if not installed(name)]:
        return Check("Sound", "fail", f"{', '.join(missing)} not installed", f"pip install {' '.join(missing)}")
    try:
        import soundfile
        import soxr
    except (ImportError, OSError) as error:
        return Check("Sound", "fail", first_line(error), "install libsndfile (Debian: apt install libsndfile1)")
    return Check(
        "Sound",
        "ok",
        f"soundfile {soundfile.__version__} ({soundfile.__libsndfile_version__}), soxr {soxr.__version__}",
    )


def check_clips() -> Check:
    """Write a clip of each kind, and read it as training and evaluation do."""
    try:
        from affectllm.corpus.miniature import Clip, Picture, Tone, materialise
        from affectllm.model.clips.budget import Budget
        from affectllm.model.clips.media import MediaError, open_clip, open_image
    except (ImportError, OSError) as error:
        return Check("Clips", "fail", f"cannot be opened: {first_line(error)}", "see FFmpeg and Sound")
    sounds = {name: Tone() for name in ("a.wav", "a.flac", "a.mp3", "a.m4a")}
    films = {name: Clip() for name in ("a.mp4", "a.avi", "a.flv")}
    pictures = {name: Picture() for name in ("a.png", "a.jpg")}
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        for file, content in {**sounds, **films, **pictures}.items():
            try:
                path = materialise({file: content}, Path(name)) / file
                if file in pictures:
                    result = open_image(path, Budget(), 28)
                else:
                    result = open_clip(path, Budget(), frames=file in films, sound=True)
            except (OSError, ValueError) as error:
                wrong.append(f"{path.suffix} ({first_line(error)})")
                continue
            if isinstance(result, MediaError):
                wrong.append(f"{path.suffix} ({result.reason})")
    kinds = ", ".join(Path(file).suffix[1:] for file in (*sounds, *films, *pictures))
    if wrong:
        return Check("Clips", "fail", f"not read: {', '.join(wrong)}", "reinstall PyAV's own wheel: pip install av")
    return Check("Clips", "ok", f"written and read: {kinds}")
