"""SemEval-2007 task 14, Affective Text: 1,250 news headlines, each with how much of six emotions it holds.

Six annotators gave anger, disgust, fear, joy, sadness and surprise 0 to 100 points each, and the valence -100 to 100;
the means are released. Headlines lie in ``affectivetext_trial.xml`` and ``affectivetext_test.xml``, the scores in
``*.emotions.gold`` and ``*.valence.gold``, one line a headline, separated by blanks. There is no train split: 250
headlines were given for development, 1,000 are test.

The test XML is no XML: two headlines hold a bare ``&``. It is read line by line, not parsed.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file, read_lines
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

PARTS = {"trial": VALIDATION, "test": TEST}
_SOURCE = "Strapparava and Mihalcea, SemEval-2007 Task 14: Affective Text, 2007"
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
SPACE = LabelSpace(
    "affective_text_emotions", "dimension", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS), bounds=(0.0, 100.0)
)
VALENCE = LabelSpace("affective_text_valence", "dimension", ("valence",), source=_SOURCE, bounds=(-100.0, 100.0))
CARD = CorpusCard(
    name="semeval2007_affective_text",
    title="SemEval-2007 Affective Text",
    citation="Strapparava, Mihalcea: SemEval-2007 Task 14: Affective Text. SemEval 2007",
    url="https://web.eecs.umich.edu/~mihalcea/affectivetext/",
    obtain="AffectiveText.trial and AffectiveText.test from https://web.eecs.umich.edu/~mihalcea/affectivetext/ , "
    "unpacked side by side",
    licence="free for research",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, VALENCE),
    raters={"mean": "mean of six annotators"},
    counts={VALIDATION: 250, TEST: 1000},
    split_policy="official: trial (here validation) and test; there is no train split",
    notes=(
        "Headlines 666 and 1233 of test hold an unescaped &; entities are resolved elsewhere.",
        "Columns are anger, disgust, fear, joy, sadness, surprise; a first line of names overrules this order.",
        "In the copy of gsitk the files lie in trial, test and key; they are found there too.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "AffectiveText.trial/affectivetext_trial.xml": '<corpus task="affective text">\n'
    '<instance id="1">Old bridge falls after 90 years</instance>\n'
    '<instance id="2">No score for this one</instance>\n</corpus>\n',
    "AffectiveText.trial/affectivetext_trial.emotions.gold": "1 10 0 40 0 60 25\n",
    "AffectiveText.trial/affectivetext_trial.valence.gold": "1 -80\n",
    "AffectiveText.test/affectivetext_test.xml": '<corpus task="affective text">\n'
    '<instance id="500">Bread & butter cheaper &quot;at last&quot;</instance>\n'
    '<instance id="501">Lake freezes</instance>\n</corpus>\n',
    "AffectiveText.test/affectivetext_test.emotions.gold": "500 0 0 0 90 0 12\n501 0 0 300 0 0 0\n502 0 0 0 0 0 0\n",
    "AffectiveText.test/affectivetext_test.valence.gold": "500 75\n501 x\n",
}
_INSTANCE = re.compile(r'<instance\s+id\s*=\s*"(\d+)"\s*>(.*?)</instance>')


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per headline, in the order of the files."""
    base = folder_of(root, CARD, _is_ours, "affectivetext_test.xml")
    for part, split in PARTS.items():
        path = find_file(base, f"affectivetext_{part}.xml")
        if path is None:
            yield missing_file(f"affectivetext_{part}.xml", CARD)
            continue
        scores: dict[str, list[Annotation]] = {}
        for ending, space in (("emotions", SPACE), ("valence", VALENCE)):
            gold = find_file(base, f"affectivetext_{part}.{ending}.gold")
            if gold is None:
                yield missing_file(f"affectivetext_{part}.{ending}.gold", CARD)
            else:
                yield from _read_scores(gold, root, space, scores)
        yield from _headlines(path, root, part, split, scores)


def _is_ours(folder: Path) -> bool:
    folders = [(part, inner) for part in PARTS for inner in ("", f"AffectiveText.{part}", part)]
    return any((folder / inner / f"affectivetext_{part}.xml").is_file() for part, inner in folders)


def _read_scores(path: Path, root: Path, space: LabelSpace, scores: dict[str, list[Annotation]]) -> Iterator[Rejection]:
    """Fill ``scores`` (headline number → annotations) from one gold file."""
    low, high = space.bounds or (0.0, 0.0)
    names, seen = list(space.names), set[str]()
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, cells = line[0], line[1].replace(",", " ").split()
        named = [space.resolve(cell) for cell in cells[1:]]
        if cells and all(named) and set(named) == set(space.names):
            names = [name for name in named if name]
            continue
        values = [number(cell, low, high) for cell in cells[1:]]
        read = {name: value for name, value in zip(names, values, strict=False) if value is not None}
        if cells and (len(read) < len(names) or len(values) != len(names)):
            yield Rejection(f"{where}", "broken_row", where, line[1][:120])
        elif cells and (again := first_sight(seen, cells[0], where)):
            yield again
        elif cells:
            scores.setdefault(cells[0], []).append(Annotation(space.name, "mean", read))


def _headlines(
    path: Path, root: Path, part: str, split: str, scores: Mapping[str, list[Annotation]]
) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    name = ""
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        name = where.rpartition(":")[0]
        for key, headline in _INSTANCE.findall(text):
            if again := first_sight(seen, key, where):
                yield again
            else:
                yield _sample(part, split, key, html.unescape(headline).strip(), where, scores.get(key, []))
        if "<instance" in text and not _INSTANCE.search(text):
            yield Rejection(where, "broken_row", where, text[:120])
    for key in sorted(set(scores) - seen):
        yield Rejection(f"{part}/{key}", "text_missing", name or path.name, "scores without a headline")


def _sample(
    part: str, split: str, key: str, headline: str, where: str, annotations: list[Annotation]
) -> Sample | Rejection:
    if not headline or not annotations:
        return Rejection(f"{part}/{key}", "no_annotation" if headline else "broken_row", where, headline[:80])
    return Sample(
        id=f"{part}/{key}",
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=where,
        text=headline,
        language="en",
    )
