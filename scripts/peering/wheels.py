"""Emotion wheels of invented words in the published layout of 2025, and answers in such words.

Everything is in them that decides a score: words on several wheels or twice on one, spellings of several words,
synonyms that are wheel words, labels that no table knows.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

_POOL, _INNER, _MIDDLE, _OUTER = 250, 6, 5, 3
_ENDINGS = ("", "s", "ly", "ness", "ed", "ing")
_UNKNOWN = ("neutral", "no emotion")


def make_wheels(folder: Path, seed: int = 0) -> Path:
    """Write five wheels, synonyms of eight runs and spellings."""
    dice = random.Random(seed)
    folder.mkdir(parents=True)
    pool = _invented(dice, _POOL)
    words: set[str] = set()
    for number in range(1, 6):
        rows = _wheel(dice, pool)
        words.update(filter(None, (cell for row in rows for cell in row)))
        _write_book(folder / f"wheel{number}.xlsx", [("level1", "level2", "level3"), *rows])
    synonyms = [*_invented(dice, 600), *dice.sample(sorted(words), 60)]
    columns: list[list[str]] = []
    for run in range(1, 9):
        order = dice.sample(sorted(words), len(words))
        columns.append([f"word_run{run}", *order])
        columns.append([f"synonym_run{run}", *(str(dice.sample(synonyms, 5)) for _ in order)])
    _write_book(folder / "synonym.xlsx", list(zip(*columns, strict=True)))
    named = {name for column in columns[1::2] for cell in column[1:] for name in synonyms if repr(name) in cell}
    with (folder / "format.csv").open("w", newline="", encoding="utf-8") as stream:
        bases = sorted(words | named)
        spelt = [[base + ending for ending in _ENDINGS] + dice.sample(bases, dice.randrange(2)) for base in bases]
        csv.writer(stream).writerows(
            [("name", "format"), *((base, ",".join(forms)) for base, forms in zip(bases, spelt, strict=True))]
        )
    return folder


def open_labels(folder: Path, wheels: Path, items: int) -> tuple[Path, Path]:
    """Write gold and answers of a few words each, of which some are shared and some unknown; some answers are empty."""
    dice = random.Random(1)
    with (wheels / "format.csv").open(newline="", encoding="utf-8") as stream:
        known = [form for row in csv.DictReader(stream) for form in row["format"].split(",")]
    files = folder / "gold.csv", folder / "predicted.csv"
    rows: tuple[list[tuple[str, str]], ...] = ([], [])
    for number in range(items):
        truth = dice.sample(known, dice.randint(1, 4)) + dice.sample(_UNKNOWN, dice.random() < 0.1)
        said = dice.sample(truth, dice.randint(0, len(truth))) + dice.sample(known, dice.randint(0, 2))
        for side, labels in zip(rows, (truth, said), strict=True):
            side.append(
                (f"clip_{number:06d}", str([label.title() if dice.random() < 0.2 else label for label in labels]))
            )
    for file, side in zip(files, rows, strict=True):
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("name", "openset"), *side])
    return files


def _invented(dice: random.Random, count: int) -> list[str]:
    syllables = [one + other for one in "bdfgklmnprstv" for other in "aeiou"]
    made: set[str] = set()
    while len(made) < count:
        made.add("".join(dice.choices(syllables, k=3)))
    return sorted(made)


def _wheel(dice: random.Random, pool: Sequence[str]) -> list[tuple[str | None, str | None, str]]:
    """Return the rows of a wheel as published: a word stands beside the first of those that are outside of it."""
    rows: list[tuple[str | None, str | None, str]] = []
    for inner in dice.sample(pool, _INNER):
        for place, middle in enumerate(dice.sample(pool, _MIDDLE)):
            for rank, outer in enumerate(dice.sample(pool, _OUTER)):
                rows.append((None if place or rank else inner, None if rank else middle, outer))
    return rows


def _write_book(path: Path, rows: Sequence[Sequence[str | None]]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
