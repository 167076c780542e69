"""Find clips and pictures below a root by their stem, and reject those that may not be used."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from affectllm.corpus.files.links import leaves
from affectllm.corpus.files.names import ByName
from affectllm.corpus.files.suffixes import FILMS, PICTURES
from affectllm.corpus.reading import is_lfs_pointer, list_media, relative
from affectllm.corpus.sample import Rejection


def clips_below(folders: Collection[Path], root: Path, depth: int = 0) -> ByName[str]:
    """Return stem → path below ``root`` of each video in ``folders`` (and ``depth`` levels below); the first counts."""
    clips: ByName[str] = ByName()
    for folder in folders:
        for path in list_media(folder, FILMS, depth):
            clips.setdefault(path.stem, relative(path, root))
    return clips


def unusable(root: Path, path: str, identifier: str) -> Rejection | None:
    """Return why a file may not be used: a link that leaves the corpus, or a Git LFS pointer."""
    if refused := leaves(root, path):
        return Rejection(identifier, "unsafe_path", path, refused)
    return Rejection(identifier, "lfs_pointer", path, "run `git lfs pull`") if is_lfs_pointer(root / path) else None


class Stems:
    """Finds pictures of a folder by stem, ignoring Unicode normal form and case."""

    def __init__(self, suffixes: tuple[str, ...] = PICTURES) -> None:
        self._suffixes = suffixes
        self._folders: dict[Path, ByName[Path]] = {}

    def find(self, folder: Path, stem: str) -> Path | None:
        """Return the picture called ``stem``: as it stands, or in another Unicode normal form, or in another case."""
        if folder not in self._folders:
            paths = list_media(folder, self._suffixes) if folder.is_dir() else ()
            self._folders[folder] = ByName((path.stem, path) for path in paths)
        return self._folders[folder].get(stem)
