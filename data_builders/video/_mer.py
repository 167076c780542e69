"""Shared reader of the corpora of the MER challenges: clips of Chinese films known by a name, tables keyed by it.

Not a corpus. A clip is ``sample_00000342.avi`` or ``.mp4`` (with ``.wav`` beside it in later releases), and the same
names go through MER2023, MER2024, MER2025, EMER, OV-MERD and MERR. Open vocabularies are written as a Python list in a
csv field (``"['angry', 'worry']"``).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.reading import find_file, first_sight, missing_file
from affectllm.corpus.tables import read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

SIX = ("neutral", "anger", "happiness", "sadness", "worry", "surprise")
"""The emotions of MER2023, MER2024 and MER2025, in the order of their numbers."""
SOURCE = "Lian et al., MER 2023: Multi-label Learning, Semi-Supervised Learning, and Modality Robustness, 2023"
CHINESE = {
    **{"中性": "neutral", "生气": "anger", "愤怒": "anger", "开心": "happiness", "高兴": "happiness"},
    **{"悲伤": "sadness", "难过": "sadness", "担心": "worry", "担忧": "worry", "惊讶": "surprise"},
}
MER_6 = LabelSpace("mer_6", "category", SIX, source=SOURCE, aliases={**aliases(*SIX), **CHINESE})
SUBTITLES = ("subtitle_chieng.csv", "transcription-engchi-polish.csv", "transcription.csv", "transcription_en_all.csv")
_EMPTY = ("", "nan", "none")


@dataclass
class Entry:
    """The data of all tables on one clip."""

    name: str
    split: str
    where: str
    answers: dict[tuple[str, str], Annotation] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def add(self, space: LabelSpace, rater: str, value: str | Mapping[str, float]) -> Iterator[Rejection]:
        """Keep an answer, unless the rater gave another one before."""
        before = self.answers.setdefault((space.name, rater), Annotation(space.name, rater, value))
        if before.value != value:
            yield Rejection(self.name, "contradiction", self.where, f"{rater} in {space.name}: {str(value)[:60]}")


Entries = dict[str, Entry]


def filled(text: str) -> str:
    """Return a cell without surrounding blanks; pandas writes ``nan`` for an empty one."""
    return "" if text.strip().lower() in _EMPTY else text.strip()


def words(text: str) -> list[str]:
    """Return the words of an open vocabulary, in lower case, each once: a Python list, or words between commas."""
    try:
        parsed = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        parsed = None
    listed = parsed if isinstance(parsed, (list, tuple, set)) else re.split(r"[,，、;；]", text)
    tidy = (str(word).strip(" \t\r\n[]'\"“”‘’").lower() for word in listed)
    return list(dict.fromkeys(word for word in tidy if word))


def open_words(entry: Entry, space: LabelSpace, rater: str, text: str) -> Iterator[Rejection]:
    """Add an open vocabulary; an empty one means neutral, as the official loader reads it."""
    named = words(filled(text))
    if not named:
        entry.facts["openset"] = "empty"
    yield from entry.add(space, rater, ", ".join(named or ["neutral"]))


def subtitles(base: Path, root: Path, words_by_name: dict[str, dict[str, str]]) -> Iterator[Rejection]:
    """Fill ``words_by_name`` with name → ``chinese`` and ``english`` words, of the transcripts that are there."""
    columns = {"name": ("names",), "chinese": ("sentence_zh",), "english": ("sentence", "sentence_en")}
    for path in filter(None, (find_file(base, name) for name in SUBTITLES)):
        for row in read_table(path, root, columns, optional=("chinese", "english")):
            if isinstance(row, Rejection):
                yield row
                continue
            spoken = words_by_name.setdefault(stem(row["name"]), {})
            for tongue in ("chinese", "english"):
                if text := filled(row.fields.get(tongue, "")):
                    spoken.setdefault(tongue, text)


def stem(name: str) -> str:
    """Return the name of a clip, which some tables write with a suffix or a folder."""
    return re.sub(r"\.(avi|mp4|wav)$", "", name.strip().replace("\\", "/").rpartition("/")[2])


def samples(card: CorpusCard, entries: Entries, base: Path, root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip: with its subtitle and its media, where the download has them."""
    spoken: dict[str, dict[str, str]] = {}
    yield from subtitles(base, root, spoken)
    clips = Clips(base, root)
    yield from clips.odd()
    for name, entry in entries.items():
        media = clips.media(name)
        if not entry.answers:
            yield Rejection(name, "no_annotation", entry.where)
            continue
        yield from clips.missing(name, name, entry.where)
        text = {**entry.facts, **spoken.get(name, {})}
        english = {"english": text["english"]} if text.get("english") and text.get("chinese") else {}
        facts = {key: value for key, value in entry.facts.items() if key not in ("chinese", "english") and value}
        yield Sample(
            id=name,
            corpus=card.name,
            split=entry.split,
            annotations=tuple(entry.answers.values()),
            source=entry.where,
            text=text.get("chinese") or text.get("english"),
            language="zh" if text.get("chinese") or not text.get("english") else "en",
            media=media,
            attributes={**english, **facts},
        )
    yield from clips.left()


def described(
    files: Mapping[str, str],
    base: Path,
    root: Path,
    card: CorpusCard,
    how: tuple[LabelSpace, LabelSpace, str, str],
    entries: Entries,
) -> Iterator[Rejection]:
    """Read the tables ``name,openset`` and ``name,reason`` of MER2025.

    Args:
        files: column → table.
        how: the space of the words, that of the descriptions, the rater, and the split of a clip that is not known yet.
    """
    openset, reason, rater, split = how
    for column, file in files.items():
        path = find_file(base, file)
        if path is None:
            yield missing_file(file, card)
            continue
        seen: set[str] = set()
        for row in read_table(path, root, {"name": (), column: ()}):
            if isinstance(row, Rejection):
                yield row
                continue
            name = stem(row["name"])
            if again := first_sight(seen, name, row.where):
                yield again
                continue
            entry = entries.setdefault(name, Entry(name, split, row.where))
            if column == "openset":
                if (openset.name, rater) not in entry.answers:
                    yield from open_words(entry, openset, rater, row[column])
            elif text := filled(row[column]):
                yield from entry.add(reason, rater, text)
