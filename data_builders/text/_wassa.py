"""Shared code of the WASSA tasks of 2022 and 2023: questionnaires of the writers, articles, scores with a range.

Not a corpus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm.corpus import Rejection
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

# Label → columns that hold it.
TRAITS = {
    "conscientiousness": ("personality_conscientiousness",),
    "openness": ("personality_openess", "personality_openness", "openess"),
    "extraversion": ("personality_extraversion",),
    "agreeableness": ("personality_agreeableness",),
    "stability": ("personality_stability",),
}
IRI = {
    "perspective_taking": ("iri_perspective_taking",),
    "personal_distress": ("iri_personal_distress",),
    "fantasy": ("iri_fantasy",),
    "empathic_concern": ("iri_empathatic_concern", "iri_empathic_concern"),
}
QUESTIONS = "\t".join(names[0] for names in (*TRAITS.values(), *IRI.values()))
"""The columns of both questionnaires as a header has them, for miniatures."""


def read_articles(path: Path | None, root: Path) -> dict[str, str]:
    """Return article id → its words; empty where the table is missing."""
    if path is None:
        return {}
    rows = read_table(path, root, {"article_id": (), "text": ()})
    return {row["article_id"].strip(): row["text"].strip() for row in rows if not isinstance(row, Rejection)}


def read_scores(
    fields: Mapping[str, str], identifier: str, where: str, rater: str, spaces: Sequence[LabelSpace]
) -> tuple[list[Annotation], list[Rejection]]:
    """Read the answers of one rater in several spaces; values out of range are rejected, space by space."""
    annotations, trouble = [], []
    for space in spaces:
        cells = {name: fields[name] for name in space.names if fields.get(name, "").strip()}
        scores = {name: number(text, *space.bounds or ()) for name, text in cells.items()}
        if read := {name: score for name, score in scores.items() if score is not None}:
            annotations.append(Annotation(space.name, rater, read))
        if strange := ", ".join(f"{name} {cells[name]!r}" for name in cells if scores[name] is None):
            trouble.append(Rejection(identifier, "unknown_label", where, strange))
    return annotations, trouble
