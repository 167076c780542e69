"""Put hints on samples: their words for the prompt, and a mark of where each comes from."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

from affectllm.corpus import Sample
from affectllm.errors import Malformed
from affectllm.hints.table import SEEN, Hint, HintTable, open_table

Shown = Literal["own", "none", "other"]
SHOWN: tuple[Shown, ...] = get_args(Shown)
"""Whose hints stand in the prompt: the sample's own, nobody's, or those of another sample."""
ATTRIBUTE = "affectllm.hints"
"""Attribute of a sample that holds its hints, as a JSON list with one object a table."""
NO_ROW, NO_OTHER = "no_row", "no_other"
NO_FRAME = "ask in English, or give the page of the language in the lexicon a frame: `hints:` under `asking:`"


@dataclass(frozen=True)
class Hints:
    """Tables of hints, and whose hints are shown.

    Args:
        tables: names or paths, in the order in which their words stand in the prompt.
        shown: ``other`` shows the hints of another sample of the same split: what a model makes of them says whether
            it reads hints alone.
    """

    tables: tuple[str, ...]
    shown: Shown = "own"

    def attached(self, sample: Sample) -> Sample:
        """Return the sample with its hints; a hint that is missing leaves a mark with the reason."""
        if not self.tables or self.shown == "none":
            return sample
        marks = [self._mark(table, sample) for table in self._opened]
        return replace(sample, attributes={**sample.attributes, ATTRIBUTE: json.dumps(marks, ensure_ascii=False)})

    def _mark(self, table: HintTable, sample: Sample) -> dict[str, Any]:
        own = table.of(sample.corpus, sample.id)
        if reason := _missing(own):
            return {"table": table.name, "missing": reason}
        hint = own if self.shown == "own" else table.of_another(sample.corpus, sample.id)
        if hint is None:
            return {"table": table.name, "missing": NO_OTHER}
        of = {} if hint is own else {"of": hint.sample}
        facts = {"kind": hint.kind, "source": hint.source, "version": hint.version}
        return {"table": table.name, **facts, **of, "words": hint.words}

    @cached_property
    def _opened(self) -> tuple[HintTable, ...]:
        return tuple(map(open_table, self.tables))

    def check(self, language: str) -> None:
        """Make sure that the tables are there, and in the language of the question.

        Raises:
            NotFound: when a table is nowhere.
            Malformed: when its words are in another language, or a table is named twice.
        """
        if len(set(self.tables)) < len(self.tables):
            raise Malformed("a table of hints is named twice", do="name each once")
        if self.shown == "none":
            return
        for table in self._opened:
            if others := sorted(table.languages - {language}):
                message = f"the hints of {table.name} are in {', '.join(others)}, and the question is in {language!r}"
                raise Malformed(message, do="leave hints out, or make them in that language")

    def identity(self) -> dict[str, Any]:
        """Return name → what decides the hints of each table; empty where none are shown."""
        return {} if self.shown == "none" else {table.name: table.identity() for table in self._opened}


NO_HINTS = Hints(())


def _missing(hint: Hint | None) -> str:
    """Return why a hint cannot be used; empty where it can."""
    if hint is None:
        return NO_ROW
    if hint.words is None:
        return hint.reason
    # A model is surer of what it has learned from: such a hint would teach, or show, too much trust.
    return SEEN if hint.seen else ""


def marks_of(sample: Sample) -> list[dict[str, Any]]:
    """Return the marks of a sample's hints, one a table; empty where it was given none."""
    text = sample.attributes.get(ATTRIBUTE)
    return json.loads(text) if text else []


def words_of(sample: Sample) -> list[str]:
    """Return the lines that stand in the prompt."""
    return [mark["words"] for mark in marks_of(sample) if "words" in mark]


def provenance_of(sample: Sample) -> list[dict[str, Any]]:
    """Return the marks without the words, which stand in the prompt."""
    return [{key: value for key, value in mark.items() if key != "words"} for mark in marks_of(sample)]


def counted(marks: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return ``table: given`` or ``table: <why not>`` → how often."""
    return Counter(f"{mark['table']}: {mark.get('missing') or 'given'}" for mark in marks)
