"""REN-20k: news articles, and how many percent of their readers chose each of eight moods.

The articles are from a news site whose readers could click a mood below each: happy, sad, angry, don't care, inspired,
afraid, amused, annoyed. The release is a tree of small csv files (``REN-20k/REN-10k/<folder>/*.csv`` and
``REN-20k/REN-10k+/<folder>/*.csv``), a row an article, with the text in ``content`` and a percentage a mood. Headers
are written in several ways (case, blanks), some columns have no name, some rows hold words where numbers should be, and
some texts hold UTF-7 escapes such as ``+AC0-``, which are undone.

What a reader felt about an article is not what its words express: the only rater is "readers".
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import folder_of, folders_below, is_debris, is_lfs_pointer, read_lines, relative
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, plain_name
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("happy", "sad", "angry", "don't care", "inspired", "afraid", "amused", "annoyed")
SPACE = LabelSpace(
    "ren20k_8",
    "distribution",
    EMOTIONS,
    source="Anoop et al., Readers' affect: predicting and understanding readers' emotions with deep learning, "
    "Journal of Big Data 9, 2022",
    aliases={**aliases(*EMOTIONS), "dont care": "don't care", "don’t care": "don't care"},
)
PARTS = ("REN-10k", "REN-10k+")
TEXT, TITLE, URL = ("content", "text", "article", "body"), ("title", "headline"), ("url", "link")
CARD = CorpusCard(
    name="ren20k",
    title="REN-20k",
    citation="Anoop, Deepak, Manjary, Savitha Sam, Lajish: Readers' affect: predicting and understanding readers' "
    "emotions with deep learning. Journal of Big Data 9, 2022",
    url="https://dcs.uoc.ac.in/cida/resources/ren-20k.html",
    obtain="the form at https://dcs.uoc.ac.in/cida ; the zip holds REN-20k/REN-10k and REN-20k/REN-10k+",
    licence="CC-BY-NC",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"readers": "percent of the readers who clicked each mood"},
    counts={},
    total=20000,
    split_policy="ours, as there is no official one: by a hash of the words of the article, 80, 10 and 10 percent",
    notes=(
        "The total is what the name promises.",
        "Rows whose percentages are no numbers from 0 to 100, or all 0, are rejected.",
        "An article that occurs twice is used once.",
    ),
)
_HEADER = " Content ,Title,URL,Happy,Sad, angry,Don't Care,INSPIRED,afraid,amused,annoyed,\n"
MINIATURE: Mapping[str, Content] = {
    "REN-20k/REN-10k/2017/a.csv": _HEADER
    + '"The harbour opened,\n\nafter +AC0-at last+AC0- ten years.",Harbour,http://a.example/1,60,0,0,10,30,0,0,0,\n'
    + "Prices rose.,Prices,http://a.example/2,x,0,0,10,30,0,0,0,\n"
    + ",Nothing,http://a.example/3,1,0,0,10,30,0,0,0,\n",
    "REN-20k/REN-10k+/b/b.csv": _HEADER
    + "The harbour closed 6.,Harbour,http://a.example/4,10.5%,50,0,10,0,0,0,29.5,\n"
    + "The harbour closed 10.,Harbour,http://a.example/5,0,50,50,0,0,0,0,0,\n"
    + "The harbour closed 6.,Harbour,http://a.example/4,10.5,50,0,10,0,0,0,29.5,\n"
    + "No mood.,Harbour,http://a.example/6,0,0,0,0,0,0,0,0,\n",
}
_UTF7 = re.compile(r"\+[A-Za-z0-9/+]{3,}-")
_ODD_LETTERS = 0x2100  # escapes stand for quotes, dashes and accents, all below; words between + and - decode above


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per article, in the order of folders and files."""
    base = folder_of(root, CARD, _is_ours, "REN-20k/REN-10k with csv files")
    seen: dict[str, str] = {}
    for path in _tables(base):
        for item in _articles(path, root, base):
            if not isinstance(item, Sample):
                yield item
            elif (first := seen.setdefault(_plain(item.text or ""), item.source)) != item.source:
                yield Rejection(item.id, "duplicate_id", item.source, f"the article of {first}")
            else:
                yield item


def _is_ours(folder: Path) -> bool:
    return any((folder / inner / part).is_dir() for part in PARTS for inner in ("", "REN-20k"))


def _tables(base: Path) -> Iterator[Path]:
    for folder in folders_below(base):
        for path in sorted(folder.glob("*.csv")):
            if not is_debris(path.name) and path.is_file():
                yield path


def _articles(path: Path, root: Path, base: Path) -> Iterator[Sample | Rejection]:
    """Yield the articles of one file; quoted ones may span any number of lines, so only the csv module can tell."""
    name = relative(path, root)
    if is_lfs_pointer(path):
        yield Rejection(name, "lfs_pointer", name)
        return
    bad: list[Rejection] = []
    reader = csv.reader(_lines(path, root, bad))
    columns: dict[str, int] = {}
    line = 1
    try:
        for record in reader:
            where, number_in_file, line = f"{name}:{line}", line, reader.line_num + 1
            yield from bad
            bad.clear()
            if not columns:
                columns = _columns(record)
                if not columns:
                    yield Rejection(name, "broken_row", where, f"no text or no moods: {','.join(record)[:100]}")
                    return
            elif any(record):
                yield _article(record, columns, where, f"{relative(path, base)}:{number_in_file}")
        if not columns:
            yield Rejection(name, "broken_row", name, "an empty file")
    except csv.Error as error:
        yield Rejection(f"{name}:{line}", "broken_row", f"{name}:{line}", f"the rest of the file: {error}")
    yield from bad


def _lines(path: Path, root: Path, bad: list[Rejection]) -> Iterator[str]:
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            bad.append(line)
            yield "\n"  # so that line numbers stay right
        else:
            yield _UTF7.sub(_escape, line[1]) + "\n"


def _escape(match: re.Match[str]) -> str:
    try:
        text = match[0].encode().decode("utf-7")
    except UnicodeDecodeError:
        return match[0]
    return text if text and all(ord(letter) < _ODD_LETTERS for letter in text) else match[0]


def _columns(header: list[str]) -> dict[str, int]:
    """Return fact → column; empty where the header is none of this corpus."""
    places = {plain_name(name): place for place, name in reversed(list(enumerate(header)))}
    columns: dict[str, int] = {}
    for key, names in (("text", TEXT), ("title", TITLE), ("url", URL)):
        if name := next((name for name in names if name in places), None):
            columns[key] = places[name]
    for place, name in enumerate(header):
        if mood := SPACE.resolve(name):
            columns.setdefault(mood, place)
    return columns if "text" in columns and set(EMOTIONS) <= set(columns) else {}


def _article(record: list[str], columns: Mapping[str, int], where: str, identifier: str) -> Sample | Rejection:
    cells = {key: record[place].strip() if place < len(record) else "" for key, place in columns.items()}
    if not cells["text"]:
        return Rejection(where, "no_text", where, cells.get("title", "")[:80])
    percents = {mood: number(cells[mood].rstrip("% ") or "0", 0, 100) for mood in EMOTIONS}
    read = {mood: share for mood, share in percents.items() if share is not None}
    if len(read) < len(EMOTIONS):
        strange = ", ".join(f"{mood} {cells[mood]!r}" for mood in EMOTIONS if mood not in read)
        return Rejection(where, "unknown_label", where, strange[:120])
    if not any(read.values()):
        return Rejection(where, "no_annotation", where, "no reader chose a mood")
    facts = {"title": cells.get("title", ""), "url": cells.get("url", ""), "folder": identifier.rpartition("/")[0]}
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=by_hash(_plain(cells["text"]), salt=CARD.name),
        annotations=(Annotation(SPACE.name, "readers", read),),
        source=where,
        text=cells["text"],
        language="en",
        attributes={name: fact for name, fact in facts.items() if fact},
    )


def _plain(text: str) -> str:
    return "".join(text.lower().split())
