"""Symbolic links in a corpus: which ones are followed, and which ones are refused.

The root that a user names is trusted, and so is what a hub keeps beside it; a link that leads elsewhere may have come
with an archive that somebody else packed (``clip.wav → ~/.ssh/id_rsa``), and nobody can see from it who made it. So it
is refused until the user says that its goal may be read: ``AFFECTLLM_LINKS=DIR`` (several as in ``$PATH``).
"""

from __future__ import annotations

import os
from pathlib import Path

from affectllm.errors import Malformed

VARIABLE = "AFFECTLLM_LINKS"
"""The environment variable with the folders into which links of corpora may lead."""
LEAVES = "a link that leaves the corpus"
"""How the rejection of a link that is not followed begins."""


def leaves(root: Path | str, path: str) -> str:
    """Return why the file at ``path`` below ``root`` may not be read: a link out of the corpus; "" where it may.

    Raises:
        Malformed: when a folder of ``path`` is such a link: all in it would be lost, and the remedy is one word.
    """
    return Links(root)(path)


def inside_root(root: Path | str, path: str) -> bool:
    """Whether the file at ``path`` below ``root`` lies in it, or where its links may lead."""
    return _inside(os.path.realpath(os.path.join(root, path)), trusted(root))


class Links:
    """``leaves`` for many files below one root; every folder is looked at once."""

    def __init__(self, root: Path | str) -> None:
        self._root, self._trusted = str(root), trusted(root)
        self._checked: set[str] = set()

    def __call__(self, path: str) -> str:
        """As ``leaves``."""
        folder = os.path.dirname(path)
        if folder not in self._checked:
            self._check(folder)
            self._checked.add(folder)
        full = os.path.join(self._root, path)
        if not os.path.islink(full) or _inside(os.path.realpath(full), self._trusted):
            return ""
        goal = os.path.realpath(full)
        return f"{LEAVES}, to {goal}; if you made it, set {VARIABLE}={os.path.dirname(goal)}"

    def _check(self, folder: str) -> None:
        real = os.path.realpath(os.path.join(self._root, folder))
        if _inside(real, self._trusted):
            return
        raise Malformed(
            f"{_link(self._root, folder)} is a link that leaves the corpus: it leads to {real}",
            where=self._root,
            do=f"if you made this link, set {VARIABLE}={real} (several folders as in $PATH); "
            "else remove it: it came with the corpus",
        )


def trusted(root: Path | str) -> tuple[str, ...]:
    """Return the real paths of the folders in which all that is read below ``root`` has to lie."""
    real, also = os.path.realpath(root), os.environ.get(VARIABLE, "")
    named = [os.path.realpath(os.path.expanduser(folder)) for folder in also.split(os.pathsep) if folder]
    return (real, *_blobs(real), *named)


def _blobs(real: str) -> tuple[str, ...]:
    """Return where a hub keeps the content of the files of ``…/snapshots/REVISION``, or of a folder below it."""
    parts = Path(real).parts
    for place in range(len(parts) - 2, 0, -1):
        repository = Path(*parts[:place])
        if parts[place] == "snapshots" and (repository / "blobs").is_dir():
            return (os.path.realpath(repository / "blobs"),)
    return ()


def _inside(real: str, folders: tuple[str, ...]) -> bool:
    return any(real == folder or real.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _link(root: str, folder: str) -> str:
    """Return the first part of ``folder`` that is a link, below ``root``."""
    parts = Path(folder).parts
    tried = (os.path.join(*parts[: count + 1]) for count in range(len(parts)))
    return next((place for place in tried if os.path.islink(os.path.join(root, place))), folder)
