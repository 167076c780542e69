"""Match clips to samples by file name without suffix, because tables and releases disagree on suffixes.

A table says ``sample_1.mp4`` and the folder holds ``sample_1.avi`` and ``sample_1.wav``: the stem is what counts. Clips
are listed here, never opened. A key is found in another Unicode form or case too, where only one clip can be meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from affectllm.corpus.files.names import ByName
from affectllm.corpus.files.suffixes import FILMS, SOUNDS
from affectllm.corpus.reading import is_lfs_pointer, list_media, relative
from affectllm.corpus.sample import MediaRef, Rejection

DEPTH = 7  # levels below the folder that holds the tables


def stem(path: Path) -> str | None:
    """Return the name of a file without its suffix."""
    return path.stem


class Clips:
    """An index of the clips below a folder by key; every clip is either used or reported.

    Args:
        base: the folder (or folders) that hold them, at any depth up to ``depth``.
        root: the root of the corpus.
        key: file → key of its moment, or None for a file outside the naming scheme.
        suffixes: what counts as a clip.
        without: folders that hold something else, by name.
    """

    def __init__(
        self,
        base: Path | Iterable[Path],
        root: Path,
        key: Callable[[Path], str | None] = stem,
        suffixes: Collection[str] = (*FILMS, *SOUNDS),
        depth: int = DEPTH,
        without: Collection[str] = (),
    ) -> None:
        self.files: ByName[dict[str, str]] = ByName()
        self.pointers: ByName[str] = ByName()
        self._asked: set[str] = set()
        self._odd: list[Rejection] = []
        for folder in (base,) if isinstance(base, Path) else base:
            for path in list_media(folder, suffixes, depth):
                if not without or not set(path.relative_to(folder).parts) & set(without):
                    self._add(path, relative(path, root), key(path))

    def __bool__(self) -> bool:
        return bool(self.files or self.pointers)

    def _add(self, path: Path, where: str, key: str | None) -> None:
        modality = "video" if path.suffix.lower() in FILMS else "audio"
        if key is None:
            self._odd.append(Rejection(where, "unknown_name", where, "outside the naming scheme"))
        elif is_lfs_pointer(path):
            self.pointers.setdefault(key, where)
        elif (first := self.files.setdefault(key, {}).setdefault(modality, where)) != where:
            self._odd.append(Rejection(where, "duplicate_file", where, f"{first} is used"))

    def media(self, key: str, start: float | None = None, end: float | None = None) -> tuple[MediaRef, ...]:
        """Return the clips of one sample, the video first; ``start`` and ``end`` in seconds."""
        self._asked.add(self.files.spelt(key) or key)
        files = self.files.get(key, {})
        refs = []
        if video := files.get("video"):
            refs.append(MediaRef(video, "video", sound=True, start=start, end=end))
        if audio := files.get("audio"):
            refs.append(MediaRef(audio, "audio", start=start, end=end))
        return tuple(refs)

    def missing(self, key: str, item: str, where: str) -> Iterator[Rejection]:
        """Yield the rejection of a sample without a clip; nothing where the download has no clips at all."""
        if key in self.files or not self:
            return
        if key in self.pointers:
            yield Rejection(item, "lfs_pointer", self.pointers[key], "run `git lfs pull`")
        else:
            yield Rejection(item, "media_missing", where)

    def odd(self) -> Iterator[Rejection]:
        """Yield rejections of unusable clips: duplicates, names outside the scheme."""
        yield from self._odd

    def left(self) -> Iterator[Rejection]:
        """Yield rejections of clips that no sample uses."""
        for key, files in self.files.items():
            if key not in self._asked:
                where = next(iter(files.values()))
                yield Rejection(where, "no_annotation", where, "a clip without a row")
