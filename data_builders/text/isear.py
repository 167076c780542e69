"""ISEAR: about 1,096 students from 37 countries tell when they felt each of seven emotions.

Every respondent was asked for a situation of joy, fear, anger, sadness, disgust, shame and guilt, and for how long and
how strongly they felt it, what they did, and how they appraised it. The common copy, ``isear.csv``, is separated by
``|`` without quoting: label in ``Field1``, text in ``SIT``, key in ``MYKEY``, respondent in ``ID``. Line breaks of the
texts became ``á``, and some texts hold ``|`` themselves; both are repaired. A copy with the label and the text alone
(``DATA.csv``, quoted) is read too; it does not say who wrote what.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import first_sight, folder_of, is_lfs_pointer, read_lines
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Scherer and Wallbott, Journal of Personality and Social Psychology 66(2), 1994"
EMOTIONS = ("joy", "fear", "anger", "sadness", "disgust", "shame", "guilt")
SPACE = LabelSpace("isear_7", "category", EMOTIONS, source=_SOURCE, aliases={**aliases(*EMOTIONS), "guit": "guilt"})
INTENSITY = LabelSpace("isear_intensity", "dimension", ("intensity",), source=_SOURCE, bounds=(1.0, 4.0))
FULL, SHORT = ("isear.csv", "ISEAR.csv"), ("DATA.csv", "data.csv", "isear.csv", "ISEAR.csv")
CARD = CorpusCard(
    name="isear",
    title="ISEAR",
    citation="Scherer, Wallbott: Evidence for universality and cultural variation of differential emotion response "
    "patterning. Journal of Personality and Social Psychology 66(2), 1994",
    url="https://www.unige.ch/cisa/research/materials-and-online-research/research-material/",
    obtain="isear.csv from https://github.com/sinmaniphel/py_isear_dataset",
    licence="free for research",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE, INTENSITY),
    raters={"writer": "the respondent, who was asked for a situation of that emotion and said how strong it was"},
    counts={},
    total=7567,
    known={"no_text": 99},
    split_policy="ours, as there is no official one: by a hash of the respondent, 80, 10 and 10 percent; in a copy "
    "that names no respondents by a hash of the words",
    notes=(
        "7,666 rows are published; 99 of them hold no text but that there is no response, and are rejected as no_text.",
        "á stands for a line break and is read as a blank.",
        "162 rows have | in the text; the fields between SIT and STATE are joined again.",
        "All other columns of the questionnaire are attributes under their lower-case names, as codes.",
        "Many texts are translations by the collectors. The original release is an Access or SPSS file.",
    ),
)
_HEADER = "ID|COUN|SEX|AGE|INTS|EMOT|Field1|Field3|Field2|MYKEY|SIT|STATE|\n"
_ROW = "{0}|1|2|21|3|{1}|{2}|6|7|{0}{1}|{3}|1|\n"
MINIATURE: Mapping[str, Content] = {
    "isear.csv": (
        _HEADER
        + _ROW.format("1", 1, "joy", "My garden grew, á after three years.")
        + _ROW.format("1", 2, "fear", "A bear | or a bull | came.")
        + _ROW.format("2", 7, "guilt", "I took the last ÷ bread.")
        + _ROW.format("22", 6, "shame", "I fell on the stage.")
        + _ROW.format("22", 5, "disgust", "[ No response.]")
        + _ROW.format("22", 8, "envy", "She won.")
        + _ROW.format("1", 1, "joy", "Again.")
        + "1|1|2\n"
    ).encode("cp1252"),
}
_NOTHING = re.compile(r"\W*(no response|none|nothing|blank|not applicable|no answer|never (felt|experienced).*)?\W*")
_SKIPPED = {"Field1", "SIT", "MYKEY", "ID", "STATE", "EMOT", ""}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per situation, in the order of the table."""
    base = folder_of(root, CARD, lambda folder: _table(folder) is not None, "isear.csv")
    path, is_full = _table(base) or (base / FULL[0], True)
    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=path.name, do="run `git lfs pull`")
    seen: set[str] = set()
    for item in _full(path, root) if is_full else _short(path, root):
        yield item if isinstance(item, Rejection) else first_sight(seen, item.id, item.source) or item


def _table(folder: Path) -> tuple[Path, bool] | None:
    """Return the table and whether it is the full one. Many corpora have a data.csv; ours begins with a label."""
    for name in dict.fromkeys((*FULL, *SHORT)):
        path = folder / name
        if not path.is_file():
            continue
        with path.open("rb") as stream:
            head = stream.readline(2000).decode("utf-8", "replace")
        if ("SIT" in head and "|" in head) or (name in FULL and is_lfs_pointer(path)):
            return path, True
        first = next(csv.reader([head.strip()]), [""])
        named = [cell.strip().lower() for cell in first[:2]] in (["emotion", "text"], ["label", "text"])
        if named or any(SPACE.resolve(cell) for cell in first[:2]):
            return path, False
    return None


def _full(path: Path, root: Path) -> Iterator[Sample | Rejection]:
    header: list[str] = []
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, fields = line[0], line[1].split("|")
        if not header:
            header = [name.strip().strip('"') for name in fields]
            _check(header, where)
            continue
        row = _aligned(fields, header)
        if row is not None:
            yield _situation(row, where)
        elif line[1].strip():
            yield Rejection(where, "broken_row", where, line[1][:120])


def _check(header: list[str], where: str) -> None:
    if absent := [name for name in ("Field1", "SIT", "MYKEY", "ID") if name not in header]:
        raise Malformed(f"the header lacks {', '.join(absent)}", where=where, do=CARD.obtain)


def _aligned(fields: list[str], header: list[str]) -> dict[str, str] | None:
    """Return fields by column; fields split at a | within SIT are joined again."""
    if len(fields) == len(header) - 1 and not header[-1]:
        fields = [*fields, ""]  # the header ends in a separator, not every copy's rows do
    excess, place = len(fields) - len(header), header.index("SIT")
    if excess < 0:
        return None
    text = "|".join(fields[place : place + excess + 1])
    return dict(zip(header, [*fields[:place], text, *fields[place + excess + 1 :]], strict=True))


def _situation(row: Mapping[str, str], where: str) -> Sample | Rejection:
    identifier, person = row["MYKEY"].strip(), row["ID"].strip()
    text, emotion = _words(row["SIT"]), SPACE.resolve(row["Field1"])
    if not identifier:
        return Rejection(where, "broken_row", where, "no key")
    if emotion is None:
        return Rejection(identifier, "unknown_label", where, row["Field1"][:80])
    if _NOTHING.fullmatch(text.lower()):
        return Rejection(identifier, "no_text", where, text[:80])
    annotations = [Annotation(SPACE.name, "writer", emotion)]
    strength = number(row.get("INTS"), 1, 4)
    if strength is not None:
        annotations.append(Annotation(INTENSITY.name, "writer", {"intensity": strength}))
    facts = {name.lower(): field.strip() for name, field in row.items() if name not in _SKIPPED and field.strip()}
    return _sample(identifier, where, text, annotations, person or None, facts)


def _words(text: str) -> str:
    return " ".join(text.replace("á", " ").replace("¦", " ").replace("÷", " ").split())


def _short(path: Path, root: Path) -> Iterator[Sample | Rejection]:
    """Read the short form: label and text, quoted, with or without a number before and an empty field after them."""
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, cells = line[0], next(csv.reader([line[1]]), [])
        place = next((place for place, cell in enumerate(cells[:2]) if SPACE.resolve(cell)), None)
        line_number = where.rpartition(":")[2]
        if place is None or len(cells) < place + 2:
            if line_number != "1" and any(cells):
                yield Rejection(where, "unknown_label" if len(cells) > 1 else "broken_row", where, line[1][:120])
            continue
        text, emotion = _words(cells[place + 1]), SPACE.resolve(cells[place]) or ""
        if _NOTHING.fullmatch(text.lower()):
            yield Rejection(f"line/{line_number}", "no_text", where, text[:80])
        else:
            yield _sample(f"line/{line_number}", where, text, [Annotation(SPACE.name, "writer", emotion)], None, {})


def _sample(
    identifier: str, where: str, text: str, annotations: list[Annotation], person: str | None, facts: Mapping[str, str]
) -> Sample:
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=by_hash(person or text.lower(), salt=CARD.name),
        annotations=tuple(annotations),
        source=where,
        text=text,
        language="en",
        speaker=person,
        attributes=facts,
    )
