"""Empathic Reactions: 1,860 short messages about news that make one suffer with others, scored by those who wrote them.

People read a news article about someone in need, scored fourteen adjectives of how they felt, and wrote to a friend
about it. Two means of these scores are the labels: *empathic concern* (warm, tender, sympathetic …) and *personal
distress* (troubled, disturbed, upset …), 1 to 7 each, and whether each lies above the median. ``messages.csv`` is a
properly quoted csv. The shared tasks WASSA 2021 and 2022 train on the same messages.

Each person wrote up to five messages; ``response_id`` names the person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, first_sight, folder_of
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

_NAMES = ("message_id", "response_id", "article_id", "empathy", "distress", "empathy_bin", "distress_bin", "essay")
COLUMNS: dict[str, tuple[str, ...]] = {name: () for name in _NAMES}
_SOURCE = "Buechel et al., Modeling Empathy and Distress in Reaction to News Stories, EMNLP 2018"
SCORES = LabelSpace("empathy_distress", "dimension", ("empathy", "distress"), source=_SOURCE, bounds=(1.0, 7.0))
HIGH = LabelSpace("empathy_distress_high", "set", ("empathy", "distress"), source=_SOURCE)
CARD = CorpusCard(
    name="empathic_reactions",
    title="Empathic Reactions",
    citation="Buechel, Buffone, Slaff, Ungar, Sedoc: Modeling Empathy and Distress in Reaction to News Stories. "
    "EMNLP 2018",
    url="https://github.com/wwbp/empathic_reactions",
    obtain="data/responses/data/messages.csv from https://github.com/wwbp/empathic_reactions",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("text",),
    spaces=(SCORES, HIGH),
    raters={"writer": "the person who wrote the message, by the mean of six and eight adjectives"},
    counts={TRAIN: 1515, VALIDATION: 175, TEST: 170},
    split_policy="ours, as there is no official one (the paper cross-validates): by a hash of the person, 80, 10 and "
    "10 percent",
    speaker_disjoint=True,
    notes=(
        "The messages of WASSA 2021 and 2022 (train) are the same 1,860, with an emotion added.",
        "Two messages have the same words.",
        "The articles themselves are not part of messages.csv; article_id is an attribute.",
    ),
)
_HEADER = '"message_id","response_id","article_id","empathy","distress","empathy_bin","distress_bin","essay"\n'
MINIATURE: Mapping[str, Content] = {
    "messages.csv": _HEADER
    + '"R_1_1","R_1","7","5.667","1.25","1","0","They lost it all, ""all"" of it."\n'
    + '"R_2_1","R_2","8","1.000","7.000","0","1","I did not sleep,\nnot at all."\n'
    + '"R_3_1","R_3","9","much","2.0","1","0","No number."\n'
    + '"R_4_1","R_4","9","0.5","2.0","1","0","Below the scale."\n'
    + '"R_8_1","R_8","9","3","2.0","0","0","Nothing much."\n'
    + '"R_1_1","R_1","7","5.667","1.25","1","0","Again."\n',
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per message, in the order of the table."""
    base = folder_of(root, CARD, lambda folder: _table(folder) is not None, "messages.csv")
    path = _table(base) or base / "messages.csv"
    seen: set[str] = set()
    for row in read_table(path, root, COLUMNS, optional=("empathy_bin", "distress_bin")):
        if isinstance(row, Rejection):
            yield row
        else:
            yield first_sight(seen, row["message_id"].strip(), row.where) or _message(row)


def _table(folder: Path) -> Path | None:
    """Find messages.csv: in a checkout it lies in data/responses/data; other corpora have a messages.csv too."""
    for inner in ("", "data", "data/responses/data"):
        path = folder / inner / "messages.csv"
        if path.is_file():
            with path.open("rb") as stream:
                return path if b"empathy" in stream.readline(800).replace(b"\0", b"").lower() else None
    return None


def _message(row: Row) -> Sample | Rejection:
    identifier, person, essay = (row[name].strip() for name in ("message_id", "response_id", "essay"))
    if not (identifier and person and essay):
        return Rejection(row.where, "broken_row", row.where, "no id, no person or no words")
    scores = {name: number(row[name], 1, 7) for name in SCORES.names}
    read = {name: score for name, score in scores.items() if score is not None}
    if len(read) < len(scores):
        return Rejection(identifier, "broken_row", row.where, f"scores {row['empathy']!r} and {row['distress']!r}")
    annotations = [Annotation(SCORES.name, "writer", read)]
    bins = {name: row.fields.get(f"{name}_bin", "").strip() for name in HIGH.names}
    if set(bins.values()) <= {"0", "1"}:
        annotations.append(Annotation(HIGH.name, "writer", tuple(name for name in HIGH.names if bins[name] == "1")))
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=by_hash(person, salt=CARD.name),
        annotations=tuple(annotations),
        source=row.where,
        text=essay,
        language="en",
        speaker=person,
        attributes={"article_id": row["article_id"].strip()},
    )
