"""Read the 2025 form of the tables: five wheels and the synonyms as spreadsheets, the spellings as CSV.

pandas reads them as in the published evaluator, because its rules matter: words such as "null", "nan" or "none" are
missing values to it, and a missing cell of a wheel repeats the word above.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.label_sets import parse_set

if TYPE_CHECKING:
    import pandas as pd

WHEEL_FILES = tuple(f"wheel{number}.xlsx" for number in range(1, 6))
SYNONYM, FORMAT = "synonym.xlsx", "format.csv"
RUNS = range(1, 9)
_LEVELS = ("level1", "level2", "level3")


def read_wheel(path: Path) -> dict[int, dict[str, str]]:
    """Read the clusters of a wheel's words: level → word → cluster.

    At level 1 a word goes to the inner word above it; at level 2 to the middle word, and an inner word to its
    alphabetically first middle word. Where a word occurs twice, the later place counts, in the order of the tree: all
    middle words of an inner one, as they first appear, before the next inner one.
    """
    tree: dict[str, dict[str, list[str]]] = {}
    for inner, middle, outer in _filled(path):
        tree.setdefault(inner, {}).setdefault(middle, []).append(outer)
    first: dict[str, str] = {}
    second: dict[str, str] = {}
    for inner, below in tree.items():
        first[inner], second[inner] = inner, min(below)
        for middle, outers in below.items():
            for word in (middle, *outers):
                first[word], second[word] = inner, middle
    return {1: first, 2: second}


def _filled(path: Path) -> list[tuple[str, ...]]:
    """Return the rows of a wheel, missing cells filled from above; above the first word the empty string stands."""
    frame = _frame(path, _LEVELS)
    current = {level: "" for level in _LEVELS}
    rows = []
    for number, cells in enumerate(zip(*(frame[level].tolist() for level in _LEVELS), strict=True), start=2):
        for level, cell in zip(_LEVELS, cells, strict=True):
            if not _missing(cell):
                current[level] = _word(cell, path, number, level)
        rows.append(tuple(current.values()))
    return rows


def read_synonyms(path: Path, wheel_words: Collection[str]) -> dict[str, set[str]]:
    """Map base words to the wheel words they are synonyms of, over all eight runs; a wheel word is its own base."""
    columns = [f"{kind}_run{run}" for run in RUNS for kind in ("word", "synonym")]
    frame = _frame(path, columns)
    bases: dict[str, set[str]] = {}
    for run in RUNS:
        pairs = zip(frame[f"word_run{run}"].tolist(), frame[f"synonym_run{run}"].tolist(), strict=True)
        for number, (cell, synonyms) in enumerate(pairs, start=2):
            word = _word(cell, path, number, f"word_run{run}")
            if word not in wheel_words:
                message = f"{word!r} in column word_run{run} is on none of the five wheels"
                raise Malformed(message, where=f"{path}, row {number}", do="take all tables from one release")
            for base in (word, *map(str.lower, _words(synonyms, path, number, f"synonym_run{run}"))):
                bases.setdefault(base, set()).add(word)
    return bases


def read_format(path: Path) -> dict[str, list[str]]:
    """Map spellings to their base words; every base word is a spelling of itself."""
    frame = _frame(path, ("name", "format"))
    forms: dict[str, list[str]] = {}
    for number, (base, cell) in enumerate(zip(frame["name"].tolist(), frame["format"].tolist(), strict=True), start=2):
        name = "" if _missing(base) else str(base)
        for form in (*_words(cell, path, number, "format"), name):
            forms.setdefault(form, []).append(name)
    return forms


def _frame(path: Path, columns: Collection[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_excel(path, engine="openpyxl")
    except (OSError, ValueError, KeyError, SyntaxError, zipfile.BadZipFile) as error:
        raise Malformed(f"cannot be read as a table ({error})", where=str(path), do="fetch the file again") from error
    if missing := [column for column in columns if column not in frame.columns]:
        message = f"it has no column {missing[0]}, but {', '.join(map(str, frame.columns)) or 'none'}"
        raise Malformed(message, where=str(path), do="give the published file")
    return frame


def _missing(cell: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(cell))


def _word(cell: Any, path: Path, number: int, column: str) -> str:
    return _text(cell, path, number, column).strip().lower()


def _words(cell: Any, path: Path, number: int, column: str) -> list[str]:
    return [] if _missing(cell) else parse_set(_text(cell, path, number, column))


def _text(cell: Any, path: Path, number: int, column: str) -> str:
    if not isinstance(cell, str):
        message = f"{cell!r} in column {column} is no word"
        raise Malformed(message, where=f"{path}, row {number}", do="give the published file")
    return cell
