"""Small hand-made emotion wheels in both published file forms: the same shape, invented words."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl

Rows = list[tuple[str | None, str | None, str | None]]
Lists = dict[str, list[str]]
Clusters = dict[str, str]

WHEELS: list[Rows] = [
    [
        ("Bright", "sunny", "gleeful"),
        (None, None, "merry "),
        (None, "daring", "bold"),
        ("dark", "gloomy", "tearful"),
        (None, "shaky", "jittery"),
    ],
    [
        ("bright", "sunny", "merry"),
        ("grim", "gloomy", "tearful"),
        (None, "fuming", "livid"),
        ("shaky", "jittery", "trembly"),
        (None, "alarmed", "spooked"),
    ],
    [("high", "merry", "gleeful"), (None, "bold", "daring"), ("low", "tearful", "gloomy"), (None, "livid", "fuming")],
    # "merry" stands twice: in the tree of the wheel its second place is the later one
    [
        ("dread", "spooked", "alarmed"),
        ("cheer", "merry", "sunny"),
        ("ache", "gloomy", "merry"),
        (None, "tearful", "low"),
    ],
    [("bright", "gleeful", "sunny"), (None, "bold", "merry"), ("dark", "livid", "fuming"), (None, "gloomy", "spooked")],
]
SYNONYMS: Lists = {
    "bright": ["radiant"],
    "sunny": ["radiant", "cheery"],
    "gleeful": ["cheery"],
    "merry": ["cheery", "jolly"],
    "bold": ["dreadless"],
    "daring": ["dreadless"],
    "gloomy": ["downcast"],
    "tearful": ["weepy"],
    "livid": ["irate"],
    "fuming": ["irate"],
    "spooked": ["dread", "frightful"],
    "alarmed": ["frightful"],
    "dread": ["frightful"],
}
"""Wheel word → its synonyms; "dread" is both a word of wheel 4 and a synonym on others."""

FORMATS: Lists = {
    "cheery": ["cheery", "cheerily", "cheers"],
    "merry": ["merrily", "merriest"],
    "jolly": ["jolly", "jollier"],
    "dread": ["dread", "dreads", "dreadful"],
    "dreadless": ["dread", "dreadless", "dreads"],  # its spellings include its own opposite, as in the published ones
    "frightful": ["frightfully"],
    "gloomy": ["gloom", "gloomily"],
    "tearful": ["tears", "tear"],
    "weepy": ["weeping", "tears"],
    "irate": ["irately"],
    "radiant": ["radiantly"],
    "sunny": [],
    "bold": ["boldly"],
    "spooked": ["spooky"],
    "livid": ["lividly"],
}


@dataclass
class Spec:
    """What tables hold, before it is written."""

    wheels: list[Rows] = field(default_factory=lambda: [list(rows) for rows in WHEELS])
    runs: list[Lists] = field(default_factory=lambda: [SYNONYMS] * 8)
    formats: Lists = field(default_factory=lambda: dict(FORMATS))


def write_2025(folder: Path, spec: Spec | None = None) -> Path:
    """Five wheels and the synonyms as xlsx, the spellings as csv."""
    spec = spec or Spec()
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(spec.wheels, start=1):
        write_xlsx(folder / f"wheel{number}.xlsx", [("level1", "level2", "level3"), *rows])
    header, lines = [], [[] for _ in range(max(map(len, spec.runs)))]
    for run, synonyms in enumerate(spec.runs, start=1):
        header += [f"word_run{run}", f"synonym_run{run}"]
        for line, (word, words) in zip(lines, synonyms.items(), strict=True):
            line += [word, f"{words}" if words else None]
    write_xlsx(folder / "synonym.xlsx", [header, *lines])
    with (folder / "format.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("name", "format"), *((base, ",".join(forms)) for base, forms in spec.formats.items())]
        )
    return folder


def write_xlsx(path: Path, rows: Sequence[Sequence[object]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)


def write_2026(folder: Path, spec: Spec | None = None, name: str = "wheel_mapping.npz") -> Path:
    """One archive with the mappings ready made: dicts in object arrays without dimensions."""
    forms, bases, wheels = mappings(spec or Spec())
    folder.mkdir(parents=True, exist_ok=True)
    whole = {f"wheel{number}": {"level1": one, "level2": two} for number, (one, two) in enumerate(wheels, start=1)}
    np.savez(
        folder / name,
        format_mapping=np.array(forms, object),
        raw_mapping=np.array(bases, object),
        wheel_map_whole=np.array(whole, object),
    )
    return folder


def mappings(
    spec: Spec,
) -> tuple[dict[str, list[str]], dict[str, list[str]], list[tuple[dict[str, str], dict[str, str]]]]:
    """Spelling → bases, base → wheel words, and level 1 and 2 of each wheel: written from the published description."""
    forms: Lists = {}
    for base, spellings in spec.formats.items():
        for spelling in [*spellings, base]:
            forms[spelling] = [*forms.get(spelling, []), base]
    bases: Lists = {}
    for run in spec.runs:
        for word, synonyms in run.items():
            for base in [word, *synonyms]:
                bases[base] = sorted({*bases.get(base, []), word})
    return forms, bases, [clusters(rows) for rows in spec.wheels]


def clusters(rows: Rows) -> tuple[Clusters, Clusters]:
    """Level 1 and level 2 clusters of the words of one wheel."""
    last: list[str] = ["", "", ""]
    filled = []
    for row in rows:
        last = [(cell if cell is not None else above).lower().strip() for cell, above in zip(row, last, strict=True)]
        filled.append(tuple(last))
    one, two = {}, {}
    for inner in dict.fromkeys(row[0] for row in filled):
        inside = [row for row in filled if row[0] == inner]
        one[inner], two[inner] = inner, sorted(row[1] for row in inside)[0]
        for middle in dict.fromkeys(row[1] for row in inside):
            for word in [middle, *(row[2] for row in inside if row[1] == middle)]:
                one[word], two[word] = inner, middle
    return one, two


_PLEASANT = ("happy", "joy", "happiness", "moved", "grateful", "surprise")
_UNPLEASANT = ("angry", "sad", "anger", "lonely", "worried", "sadness", "fear")


def write_emotions(folder: Path) -> Path:
    """Write wheels of 2025 that know the words of the miniatures, but not all of them: "neutral" is in no table."""
    rows: Rows = [("bright", "sunny", word) for word in _PLEASANT] + [("dark", "gloomy", word) for word in _UNPLEASANT]
    own = {word: [word] for word in (*_PLEASANT, *_UNPLEASANT)}
    return write_2025(folder, Spec([rows] * 5, [own] * 8, own))
