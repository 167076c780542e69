"""Read the published mapping tables from a folder of the user; they are non-commercial, so none are shipped.

Version ``2025`` (AffectGPT, MER-UniBench, MER2025) is a folder with ``wheel1.xlsx`` … ``wheel5.xlsx`` (columns
``level1``, ``level2``, ``level3``), ``synonym.xlsx`` (``word_run1`` … ``word_run8`` and ``synonym_run1`` …) and
``format.csv`` (``name``, ``format``). Version ``2026`` (MER2026) is one archive, ``wheel_mapping.npz``, which holds the
mappings ready made.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.wheels.spreadsheets import FORMAT, SYNONYM, WHEEL_FILES, read_format, read_synonyms, read_wheel
from affectllm.safe_pickle import array_names, load_plain_npz

Version = Literal["2025", "2026"]
Wheel = Mapping[int, Mapping[str, str]]
WHEELS = "AFFECTLLM_WHEELS"
"""Environment variable with the folder of the user's tables."""
ARCHIVE = "wheel_mapping.npz"
_ARRAYS = ("format_mapping", "raw_mapping", "wheel_map_whole")


@dataclass(frozen=True)
class Tables:
    """Tables that map any spelling of an emotion word to its place on five emotion wheels.

    Args:
        forms: a spelling → the base words it may stand for, in alphabetical order.
        bases: a base word → the words of the wheels that it is a synonym of, in alphabetical order.
        wheels: five wheels; each maps its words to their cluster, at level 1 (inner ring) and level 2.
        version: ``2025`` or ``2026``.
        sha256: of the files read, so that a score tells which tables it was computed with.
    """

    forms: Mapping[str, tuple[str, ...]]
    bases: Mapping[str, tuple[str, ...]]
    wheels: tuple[Wheel, ...]
    version: str
    sha256: str

    @property
    def settings(self) -> dict[str, str]:
        """The version and hash of the tables, for the settings of a result."""
        return {"version": self.version, "sha256": self.sha256}


def read_tables(folder: Path, version: str) -> Tables:
    """Return the tables in ``folder``; read again only when a file has changed.

    Raises:
        NotFound: when the folder or one of its files is missing; names it.
        Malformed: when the version is unknown, the folder holds the other one, or a file is not what it should be.
    """
    folder = Path(folder)
    if version not in get_args(Version):
        raise Malformed(f"there are no tables of version {version!r}", do="choose 2025 or 2026")
    if not folder.is_dir():
        raise NotFound("there is no such folder of tables", where=str(folder), do="give the folder of the wheel tables")
    files = _spreadsheets(folder) if version == "2025" else [_archive(folder)]
    return _read(folder.resolve(), version, tuple(files), _digest(files))


@lru_cache(maxsize=8)
def _read(folder: Path, version: str, files: tuple[Path, ...], sha256: str) -> Tables:
    forms, bases, wheels = _from_spreadsheets(folder) if version == "2025" else _from_archive(files[0])
    return Tables(_ordered(forms), _ordered(bases), wheels, version, sha256)


def _ordered(table: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {word: tuple(sorted(set(words))) for word, words in table.items()}


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _spreadsheets(folder: Path) -> list[Path]:
    files = [folder / name for name in (*WHEEL_FILES, SYNONYM, FORMAT)]
    if missing := [path.name for path in files if not path.is_file()]:
        other = "it holds the 2026 form: ask for tables version 2026" if _archives(folder) else ""
        message = f"the tables of 2025 lack {', '.join(missing)}"
        raise NotFound(message, where=str(folder), do=other or "fetch the whole folder emotion_wheel")
    return files


def _archive(folder: Path) -> Path:
    archives = _archives(folder)
    if len(archives) == 1 or (archives and archives[0].name == ARCHIVE):
        return archives[0]
    if archives:
        message = f"several archives hold tables: {', '.join(path.name for path in archives)}"
        raise Malformed(message, where=str(folder), do=f"keep one, or name it {ARCHIVE}")
    other = "it holds the 2025 form: ask for tables version 2025" if (folder / WHEEL_FILES[0]).is_file() else ""
    message = f"the tables of 2026 lack {ARCHIVE}, an archive with the arrays {', '.join(_ARRAYS)}"
    raise NotFound(message, where=str(folder), do=other or "fetch it")


def _archives(folder: Path) -> list[Path]:
    """Return the archives that hold the mappings; first the one of the published name, even if damaged."""
    paths = [path for path in folder.glob("*.npz") if path.name == ARCHIVE or set(_ARRAYS) <= set(array_names(path))]
    return sorted(paths, key=lambda path: (path.name != ARCHIVE, path.name))


def _from_spreadsheets(folder: Path) -> tuple[dict[str, list[str]], dict[str, set[str]], tuple[Wheel, ...]]:
    wheels = tuple(read_wheel(folder / name) for name in WHEEL_FILES)
    words = {word for wheel in wheels for word in wheel[1]}
    return read_format(folder / FORMAT), read_synonyms(folder / SYNONYM, words), wheels


def _from_archive(path: Path) -> tuple[dict[str, list[str]], dict[str, list[str]], tuple[Wheel, ...]]:
    arrays = load_plain_npz(path)
    if missing := [name for name in _ARRAYS if name not in arrays]:
        message = f"it has no array {missing[0]}, but {', '.join(arrays) or 'none'}"
        raise Malformed(message, where=str(path), do="give the published archive")
    forms, bases = (_lists(arrays[name], f"{path}, array {name}") for name in _ARRAYS[:2])
    return forms, bases, tuple(_wheel(arrays[_ARRAYS[2]], number, path) for number in range(1, 6))


def _lists(table: Any, where: str) -> dict[str, list[str]]:
    if not isinstance(table, dict) or not all(isinstance(words, list) for words in table.values()):
        raise Malformed("it is no dict of word → list of words", where=where, do="give the published archive")
    if strange := [word for words in table.values() for word in words if not isinstance(word, str)]:
        raise Malformed(f"{strange[0]!r} is no word", where=where, do="give the published archive")
    return table


def _wheel(whole: Any, number: int, path: Path) -> Wheel:
    where = f"{path}, array {_ARRAYS[2]}"
    wheel = whole.get(f"wheel{number}") if isinstance(whole, dict) else None
    if not isinstance(wheel, dict):
        raise Malformed(f"it lacks wheel{number}", where=where, do="give the published archive")
    levels: dict[int, dict[str, str]] = {}
    for level in (1, 2):
        words = wheel.get(f"level{level}")
        if not isinstance(words, dict) or not all(isinstance(word, str) for pair in words.items() for word in pair):
            message = f"wheel{number} has no level{level} that maps words to clusters"
            raise Malformed(message, where=where, do="give the published archive")
        levels[level] = words
    return levels


def tables_of_environment(version: str) -> Tables:
    """Return the tables of a version in the folder ``$AFFECTLLM_WHEELS``.

    Raises:
        NotFound: when no folder is given, or it does not hold them.
    """
    if not (folder := os.environ.get(WHEELS)):
        message = f"words are to be compared by the emotion wheels of {version}, which no one may ship"
        raise NotFound(message, do=f"give their folder: --wheels DIR, or set {WHEELS}")
    return read_tables(Path(folder), version)
