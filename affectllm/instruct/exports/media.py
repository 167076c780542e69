"""Provide the files that an export refers to: whole clips are linked, copied or named in place, all else is cut.

Other trainers know files, not moments: a span becomes a file of its own, the sound of a video a ``.wav``, and, where a
trainer may take the sound out of a video, a video that is to be shown silently is written without its sound.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from affectllm.corpus.files.links import inside_root
from affectllm.corpus.store import explained
from affectllm.errors import AffectError
from affectllm.instruct.exports.exported import File, Kind, Refused
from affectllm.run import digest

Mode = Literal["link", "copy", "path"]
MODES: tuple[Mode, ...] = ("link", "copy", "path")
# What soundfile, librosa and torchaudio open without FFmpeg.
SOUND_FILES = frozenset({".wav", ".flac", ".ogg", ".mp3"})
_LONGEST_NAME, _CUT_NAME = 255, 180  # bytes


@dataclass(frozen=True)
class Cut:
    """How a clip is to be cut.

    Args:
        kind: ``sound`` (a 16-bit ``.wav`` at the track's own rate and channels), ``video`` (an ``.mp4`` of a span), or
            ``silent`` (the pictures as they are, without the sound).
        start, end: seconds from the beginning of the file; None means its own ends.
        sound: whether a ``video`` keeps its sound.
    """

    kind: Literal["sound", "video", "silent"]
    start: float | None = None
    end: float | None = None
    sound: bool = False


class Cutter(Protocol):
    """Decodes and cuts clips, which this package may not do itself: see ``affectllm.model.clips.cut``."""

    def tracks(self, source: Path) -> frozenset[str] | Refused:
        """Return which of ``video`` and ``audio`` the file has."""

    def cut(self, source: Path, target: Path, wanted: Cut) -> Refused | None:
        """Write ``target``, or leave no file and return why."""


class Media:
    """Finds, links and cuts the files of content parts.

    Args:
        roots: corpus name → folder.
        scratch: folder that is being written.
        final: where that folder will lie; None where rows name files relative to it.
        mode: what happens to whole files.
        apart: whether the sound of a video is a file of its own.
        silences: whether a video to be shown silently must not hold sound.
        cutter: opens clips.
    """

    def __init__(
        self,
        roots: Mapping[str, Path],
        scratch: Path,
        final: Path | None,
        mode: Mode,
        *,
        apart: bool,
        silences: bool,
        cutter: Cutter,
    ) -> None:
        self.roots, self.scratch, self.final, self.mode = dict(roots), scratch, final, mode
        self.apart, self.silences, self.cutter = apart, silences, cutter

    def files(self, part: Mapping[str, Any]) -> list[File] | Refused:
        """Return the file of a content part, and after a video its sound where that is a file of its own."""
        source = self._source(part)
        if isinstance(source, Refused):
            return source
        kinds: list[Kind] = [part["type"]]
        if part["type"] == "video" and part.get("sound") and self.apart:
            kinds.append("audio")
        files = []
        for kind in kinds:
            file = self._file(kind, source, part)
            if isinstance(file, Refused):
                return file
            files.append(file)
        return files

    def _source(self, part: Mapping[str, Any]) -> Path | Refused:
        root, where = self.roots[part["corpus"]], f"{part['corpus']}:{part['path']}"
        path = root / part["path"]
        if not _is_file(path):
            return Refused("media_missing", where)
        if not inside_root(root, part["path"]):
            return Refused("unsafe_path", where, "outside the folder of its corpus")
        return path if path.stat().st_size else Refused("empty_file", where)

    def _file(self, kind: Kind, source: Path, part: Mapping[str, Any]) -> File | Refused:
        wanted = self._wanted(kind, source, part)
        if isinstance(wanted, Refused):
            return wanted
        if wanted is None:
            return self._whole(kind, source, part)
        place = Path("cut", part["corpus"], _lengthened(part["path"], _suffix(wanted, source)))
        target = self.scratch / place
        if not target.is_file():  # several rows ask about one clip
            with explained(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                failed = self.cutter.cut(source, target, wanted)
            if failed is not None:
                return Refused(failed.reason, f"{part['corpus']}:{part['path']}", failed.detail)
        return File(kind, self._name(place), target, part)

    def _wanted(self, kind: Kind, source: Path, part: Mapping[str, Any]) -> Cut | Refused | None:
        """Return how the file has to be cut, or None where it can be used as it is."""
        start, end = part.get("start"), part.get("end")
        if kind == "image":
            where = f"{part['corpus']}:{part['path']}"
            return Refused("box", where, "a picture is exported whole") if part.get("box") else None
        if kind == "audio":
            whole = start is None and end is None and source.suffix.lower() in SOUND_FILES
            return None if whole else Cut("sound", start, end)
        heard = bool(part.get("sound"))
        if start is not None or end is not None:
            return Cut("video", start, end, sound=heard and not self.apart)
        if not self.silences:
            return None
        tracks = self.cutter.tracks(source)
        if isinstance(tracks, Refused):
            return Refused(tracks.reason, f"{part['corpus']}:{part['path']}", tracks.detail)
        if heard and "audio" not in tracks:
            return Refused("no_audio_stream", f"{part['corpus']}:{part['path']}")
        return Cut("silent") if "audio" in tracks and not heard else None

    def _whole(self, kind: Kind, source: Path, part: Mapping[str, Any]) -> File:
        if self.mode == "path":
            return File(kind, str(source.absolute()), source, part)
        place = Path("clips", part["corpus"], part["path"])
        target = self.scratch / place
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            if self.mode == "copy" and not target.is_file():
                shutil.copyfile(source, target)
            elif self.mode == "link" and not target.is_symlink():
                target.symlink_to(source.resolve())
        return File(kind, self._name(place), target, part)

    def _name(self, place: Path) -> str:
        return place.as_posix() if self.final is None else (self.final / place).as_posix()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        return False


def check_mode(mode: str) -> Mode:
    """Return ``mode`` if it is one of the three.

    Raises:
        AffectError: when it is none of them.
    """
    for choice in MODES:
        if mode == choice:
            return choice
    raise AffectError(f"--media {mode!r} is unknown", do=f"choose among {', '.join(MODES)}")


def _suffix(wanted: Cut, source: Path) -> str:
    """Return the suffix of a cut file's name; spans are exact, so that no two share a file."""
    span = ""
    if wanted.start is not None or wanted.end is not None:
        span = f"@{_seconds(wanted.start or 0.0)}-{'end' if wanted.end is None else _seconds(wanted.end)}"
    if wanted.kind == "sound":
        return f"{span}.wav"
    if wanted.kind == "video":
        return f"{span}{'' if wanted.sound else '.silent'}.mp4"
    return f".silent{source.suffix.lower()}"


def _lengthened(path: str, suffix: str) -> str:
    """Return a path with a suffix; of a name that is too long for a disk with it, a digest stands for the end."""
    folder, slash, name = path.rpartition("/")
    if len((name + suffix).encode()) > _LONGEST_NAME:
        name = f"{name.encode()[:_CUT_NAME].decode(errors='ignore')}~{digest(path)}"
    return f"{folder}{slash}{name}{suffix}"


def _seconds(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
