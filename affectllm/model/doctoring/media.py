"""Clips: the codecs that FFmpeg has, and one clip of each kind, written and read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from affectllm import extras
from affectllm.model.doctoring.check import Check, first_line

_DECODERS = ("h264", "hevc", "vp9", "mpeg4", "flv", "aac", "mp3", "opus", "flac", "pcm_s16le")
_ENCODERS = ("libx264", "aac", "libmp3lame")


def check_ffmpeg() -> Check:
    if not extras.is_installed("av"):
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
    if missing := [name for name in ("soundfile", "soxr") if not extras.is_installed(name)]:
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
        from affectllm.corpus.miniature import Clip, Content, Picture, Tone, materialise
    except (ImportError, OSError) as error:
        return Check("Clips", "fail", f"cannot be opened: {first_line(error)}", "see FFmpeg and Sound")
    kinds: dict[str, Content] = {f"a.{suffix}": Tone() for suffix in ("wav", "flac", "mp3", "m4a")}
    kinds |= {f"a.{suffix}": Clip() for suffix in ("mp4", "avi", "flv")}
    kinds |= {f"a.{suffix}": Picture() for suffix in ("png", "jpg")}
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        for file, content in kinds.items():
            try:
                refused = _refused(materialise({file: content}, Path(name)) / file)
            except (OSError, ValueError, ImportError) as error:
                refused = first_line(error)
            wrong += [f"{file[1:]} ({refused})"] if refused else []
    if wrong:
        return Check("Clips", "fail", f"not read: {', '.join(wrong)}", "reinstall PyAV's own wheel: pip install av")
    return Check("Clips", "ok", f"written and read: {', '.join(file[2:] for file in kinds)}")


def _refused(path: Path) -> str:
    """Return why a clip with sound, a sound or a picture is not read; empty where it is."""
    from affectllm.model.clips import media
    from affectllm.model.clips.budget import Budget

    if path.suffix in (".png", ".jpg"):
        picture = media.open_image(path, Budget())
        return picture.reason if isinstance(picture, media.MediaError) else ""
    clip = media.open_clip(path, Budget(), frames=path.suffix in (".mp4", ".avi", ".flv"), sound=True)
    return clip.reason if isinstance(clip, media.MediaError) else ""
