"""Match file names in tables with those on disk, across Unicode normal forms and letter case.

``Zoë.wav`` can be written with one letter ``ë`` or with ``e`` and a mark, and no reader sees which; archives made on
one system unpack on another with the other form, and cameras and converters write ``.WAV``.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_FOLDERS = 512  # listings that are kept: corpora have some folders a split, or one a speaker


def folded(name: str) -> str:
    """Return ``name`` in a form that ignores its Unicode normal form and its case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class ByName(Mapping[str, _T]):
    """A mapping whose keys are found as they stand, else in another Unicode form, else in another case.

    A name that several keys share once they are folded is found only as it stands.
    """

    def __init__(self, items: Mapping[str, _T] | Iterable[tuple[str, _T]] = ()) -> None:
        self._items: dict[str, _T] = {}
        self._spelt: dict[str, list[str]] = {}
        for key, value in items.items() if isinstance(items, Mapping) else items:
            self.setdefault(key, value)

    def setdefault(self, key: str, value: _T) -> _T:
        """Return the value under this very key, which is set to ``value`` where there was none."""
        if key not in self._items:
            self._items[key] = value
            if not (key.isascii() and key.islower()):  # most names are their own folded form
                self._spelt.setdefault(folded(key), []).append(key)
        return self._items[key]

    def spelt(self, key: str) -> str | None:
        """Return the stored key that ``key`` matches; None where there is none, or several."""
        if key in self._items:
            return key
        plain = folded(key)
        spellings = [*self._spelt.get(plain, ()), *([plain] if plain in self._items else [])]
        spellings = list(dict.fromkeys(spellings))
        if len(spellings) > 1:  # the same letters in another form are nearer than the same letters in another case
            form = unicodedata.normalize("NFC", key)
            spellings = [other for other in spellings if unicodedata.normalize("NFC", other) == form]
        return spellings[0] if len(spellings) == 1 else None

    def __getitem__(self, key: str) -> _T:
        spelt = self.spelt(key)
        if spelt is None:
            raise KeyError(key)
        return self._items[spelt]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.spelt(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def find_equivalent(base: Path, name: str) -> Path | None:
    """Return the file below ``base`` whose name equals ``name`` but for normal form and case; None if none or several.

    Args:
        name: a POSIX path, in which every folder may be spelt otherwise too.
    """
    place = base
    for part in Path(name).parts:
        spelt = part if os.path.lexists(place / part) else _listing(place).spelt(part)
        if spelt is None:
            return None
        place = place / spelt
    return place


def _listing(folder: Path) -> ByName[None]:
    try:
        return _listed(str(folder), folder.stat().st_mtime_ns)
    except (OSError, ValueError):  # no folder, or a name that no system can have
        return ByName()


@lru_cache(maxsize=_FOLDERS)
def _listed(folder: str, changed: int) -> ByName[None]:
    return ByName((name, None) for name in os.listdir(folder))
