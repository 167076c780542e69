"""The interface of export formats: ``Page``, with which a format writes, and ``Format``, which describes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.instruct.exports.exported import COLUMNS, Exported, Kind
from affectllm.instruct.exports.lines import Lines
from affectllm.instruct.exports.tokens import TAGS


@dataclass
class Page:
    """The state of one export while it is written.

    Args:
        scratch: folder to write into.
        final: where it will lie.
        kinds: which kinds of files occur anywhere in it.
        pairs: whether worse answers occur in it.
        conversations: split → its conversations, to be read once and in order.
        rows: split → rows written; complete when ``conversations`` have been read.
        heard: how many videos are shown with their sound.
        silent: how many are shown without.
    """

    scratch: Path
    final: Path
    kinds: frozenset[Kind]
    conversations: Mapping[str, Iterator[Exported]]
    rows: Counter[str] = field(default_factory=Counter)
    heard: int = 0
    silent: int = 0
    pairs: bool = False

    def lines(self, split: str) -> Lines:
        """Return a JSON Lines writer for ``split`` that puts rows with every kind of file at the top."""
        return Lines(self.scratch / f"{split}.jsonl", (COLUMNS[kind] for kind in self.kinds))

    def place(self, name: str) -> str:
        """Return the absolute path that a file of the export will have."""
        return (self.final / name).as_posix()


def fills(one: Exported) -> list[str]:
    """Return the columns that a conversation fills."""
    return [COLUMNS[file.kind] for file in one.files()]


@dataclass(frozen=True)
class Format:
    """An export format: what another trainer reads.

    Args:
        name: as ``--to`` takes it.
        title: one line on what comes out.
        write: writes the files and returns what to tell the trainer, one line each.
        apart: whether the sound of a video becomes a file of its own.
        silences: whether the reader may take sound out of a video, so that a silent one must hold none.
        relative: whether rows name files relative to the folder of the export.
        embeds: whether the files' bytes go into the export's own files.
        pairs: whether the format has a place for worse answers.
        tags: texts that its reader takes for clips or other control tokens; a row that holds one is not exported.
        refuse: returns why the reader could not take a conversation, or None.
    """

    name: str
    title: str
    write: Callable[[Page], list[str]]
    apart: bool = True
    silences: bool = False
    relative: bool = False
    embeds: bool = False
    pairs: bool = False
    tags: tuple[str, ...] = TAGS
    refuse: Callable[[Exported], str | None] = lambda conversation: None
