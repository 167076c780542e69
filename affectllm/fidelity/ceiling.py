"""The judge's own accuracy on real clips, and whether it has met what the generator has learned from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from affectllm.corpus.family import descent
from affectllm.errors import Leakage
from affectllm.evaluate.models.requests import content_digest
from affectllm.fidelity.correction import Labels
from affectllm.fidelity.judges.judgement import Remembering, reasons
from affectllm.fidelity.pairs import Example
from affectllm.metrics import METRICS
from affectllm.metrics.core.result import Result


@dataclass(frozen=True)
class Ceiling:
    """What a judge reaches on real clips.

    Args:
        scores: metric → result: accuracy and UAR of labels, or the error of dimensions.
        labels: for correction; None of numbers.
        unjudged: reason → real clips that could not be judged, and count as wrong.
    """

    scores: dict[str, Result]
    labels: Labels | None
    unjudged: dict[str, int]


def ceiling(judge: Remembering, real: Sequence[Example], names: dict[str, str]) -> Ceiling:
    """Score a judge on real clips.

    Args:
        names: judge's word → word of the page.
    """
    judgements = [one.renamed(names) for one in judge.judge([one.sample for one in real])]
    speakers = [one.speaker for one in real]
    unjudged = reasons(judgements)
    if isinstance(real[0].label, (dict, int, float)):
        rows = [number for number, one in enumerate(judgements) if one.numbers]
        golds = [real[row].label if isinstance(real[row].label, dict) else {"value": real[row].label} for row in rows]
        numbers = [judgements[row].numbers for row in rows]
        own = [speakers[row] for row in rows]
        return Ceiling(
            {"vad_error": METRICS["vad_error"](golds, numbers, clusters=own)} if rows else {}, None, unjudged
        )
    true = [names.get(str(one.label), str(one.label)) for one in real]
    judged = [one.label for one in judgements]
    known = sorted({*true, *(label for label in judged if label is not None)})
    scores = {name: METRICS[name](true, judged, labels=known, clusters=speakers) for name in ("accuracy", "uar")}
    return Ceiling(scores, Labels(true, judged, speakers), unjudged)


def refuse_learned(learned: Iterable[Example], real: Iterable[Example], name: str) -> None:
    """Refuse to score a judge on clips that it was fitted on, by their bytes.

    Raises:
        Leakage: names one of them.
    """
    known = {content_digest(Path(ref.path)) for one in learned for ref in one.sample.media}
    shared = [ref.path for one in real for ref in one.sample.media if content_digest(Path(ref.path)) in known]
    if shared:
        message = f"the judge {name} would be scored on {len(shared)} clips that it was fitted on, such as {shared[0]}"
        raise Leakage(message, do="give other real clips")


def kinship(judge: Iterable[str], generator: Iterable[str]) -> list[str]:
    """Return how corpora that a judge and a generator have learned from are related; a line for each pair."""
    ways = ((one, other, descent(one, other)) for one in judge for other in generator)
    return [f"{one} and {other}: {way}" if one != other else f"{one}, by both" for one, other, way in ways if way]
