"""Conversations as exports see them: texts and files in the order in which they occur."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Kind = Literal["image", "audio", "video"]
KINDS: tuple[Kind, ...] = ("image", "audio", "video")
COLUMNS: Mapping[Kind, str] = {"image": "images", "audio": "audios", "video": "videos"}
"""Content part → the column in which ms-swift and LLaMA-Factory list the files."""


@dataclass(frozen=True)
class File:
    """One file that a conversation shows.

    Args:
        kind: ``image``, ``audio`` or ``video``.
        name: how the trainer's rows name it: an absolute path, or one below the export.
        path: where its bytes are while the export is written.
        part: the content part that asked for it.
    """

    kind: Kind
    name: str
    path: Path
    part: Mapping[str, Any] = field(hash=False)


Piece = str | File


@dataclass(frozen=True)
class Turn:
    """One message: role, and texts and files in order."""

    role: str
    pieces: tuple[Piece, ...]

    def tagged(self, tags: Mapping[Kind, str]) -> str:
        """Return one text in which each file is replaced by the tag of its kind."""
        return "".join(piece if isinstance(piece, str) else tags[piece.kind] for piece in self.pieces)

    def parts(self, file_part: Callable[[File], Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return content parts in the Hugging Face form, files as ``file_part`` writes them."""
        return [{"type": "text", "text": p} if isinstance(p, str) else dict(file_part(p)) for p in self.pieces]


@dataclass(frozen=True)
class Exported:
    """One row of a conversations file with its files at hand.

    Args:
        id: of the row, unique over a mixture.
        corpus: name of its corpus.
        turns: in order; the last one is the answer that is trained on.
        rejected: a worse answer in the place of the last turn, or None.
    """

    id: str
    corpus: str
    turns: tuple[Turn, ...]
    rejected: Turn | None = None

    def files(self, kind: Kind | None = None) -> list[File]:
        """Return the files of one kind, or all, in the order in which they are shown."""
        files = (piece for turn in self.turns for piece in turn.pieces if isinstance(piece, File))
        return [file for file in files if kind is None or file.kind == kind]

    def columns(self, kinds: Iterable[Kind]) -> dict[str, list[str]]:
        """Return ``images``, ``audios`` and ``videos`` as lists of names, for the kinds that the export has at all."""
        return {COLUMNS[kind]: [file.name for file in self.files(kind)] for kind in KINDS if kind in set(kinds)}


@dataclass(frozen=True)
class Refused:
    """Why a row is not exported.

    Args:
        reason: ``control_token``, ``media_missing``, ``unsafe_path``, ``no_audio_stream``, ``turns``, …
        where: the file or the text in question.
        detail: what was found.
    """

    reason: str
    where: str
    detail: str = ""
