"""How a task was asked beyond its page, as lines for the report: examples, system prompt, wordings, votes, endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.report import display
from affectllm.report.charts import Axis, axis
from affectllm.report.runfolder import RunData


@dataclass(frozen=True)
class Wordings:
    """How much one metric depends on the wording.

    Args:
        metric: its title.
        mean, spread: over the wordings; ``spread`` is the standard deviation.
        rows: of the best wording and of the worst one, or of any where all are alike: which end it is, its number, the
            value and its text.
        axis, places: where the value of each wording lies, in percent.
    """

    metric: str
    mean: float
    spread: float
    count: int
    rows: tuple[tuple[str, str, float, str], ...]
    axis: Axis
    places: tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """How one run asked a task.

    Args:
        facts: pairs such as ("examples of each class", "2, drawn by seed 0").
        wordings: of each metric, where every item was asked in all wordings.
    """

    run: str
    facts: tuple[tuple[str, str], ...]
    wordings: tuple[Wordings, ...]


def asked_as(runs: Sequence[RunData], task: str) -> list[Asked]:
    """Return how each run asked a task, as far as that is not the usual way."""
    details = [(run.name, run.evaluation.details.get(task, {})) for run in runs if run.evaluation]
    every = [Asked(name, tuple(_facts(one)), tuple(_wordings(one))) for name, one in details]
    return [one for one in every if one.facts or one.wordings]


def _facts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    protocol = details.get("protocol", {})
    if "shots" in protocol:
        text = f"{protocol['shots']}, from the training split, drawn by seed {protocol.get('seed', 0)}"
        yield "examples of each class", text
    if protocol.get("system"):
        yield "system prompt", protocol["system"]
    if "votes" in protocol:
        yield "votes", f"the commonest of {protocol['votes']} replies at temperature {protocol.get('temperature'):g}"
    if details.get("held_out"):
        yield "wordings", "held out: paraphrases that no training set uses"
    elif details.get("wordings"):
        yield "wordings", "every item in all of them"
    yield from _endpoint(details.get("endpoint", {}))
    if details.get("choices_scored_by") == "first_token":
        yield "likelihoods", "of the first token of each answer only, which a server gives; not of whole answers"


def _endpoint(endpoint: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what an endpoint is: the model that was asked for, and what of a clip its profile sends."""
    if endpoint.get("model"):
        yield "endpoint", f"{endpoint['model']} at {endpoint.get('endpoint', 'an unnamed address')}"
    profile = endpoint.get("profile")
    if isinstance(profile, Mapping):
        yield "profile", ", ".join(f"{name} {value}" for name, value in profile.items())
    elif profile:
        yield "profile", str(profile)


def _wordings(details: Mapping[str, Any]) -> Iterator[Wordings]:
    questions = details.get("questions", [])
    for metric, row in details.get("wordings", {}).items():
        ends = [(end, row[f"{end}_wording"], row[end]) for end in ("best", "worst") if end in row]
        if len({number for _, number, _ in ends}) == 1:
            ends = [("any", *ends[0][1:])]  # they are all alike
        rows = tuple(
            (end, str(number + 1), value, questions[number] if number < len(questions) else "")
            for end, number, value in ends
        )
        values = [float(value) for value in row["values"].values()]
        known = display.known_metric(metric)
        on = axis([display.bare(value) for value in values], *((known.range,) if known else ()))
        places = tuple(on.place(value) for value in values)
        yield Wordings(display.metric_name(metric), row["mean"], row["spread"], len(values), rows, on, places)
