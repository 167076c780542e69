"""Estimate what an annotation would ask: requests, tokens, money and time, before anything is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm.annotate.models import Model, load_models, paces
from affectllm.annotate.page import Annotated, ModelOptions
from affectllm.annotate.pipeline import begun
from affectllm.annotate.row import Row
from affectllm.annotate.source import Source
from affectllm.annotate.step import Context, Question
from affectllm.predict.models import ENDPOINT
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.estimate import estimate
from affectllm.respond.responder import Ask


def asks_of(
    page: Annotated, rows: Sequence[Row], context: Context, models: Mapping[str, Model]
) -> dict[str, list[Ask]]:
    """Return model → everything that it would be asked at most, as if no filter dropped a row that is not yet judged.

    Args:
        models: whose kept answers are looked up; of others all is to be asked.
    """
    asked: dict[str, list[Ask]] = defaultdict(list)
    known, supposed = list(rows), list[Row]()  # rows of which all answers are kept so far, and the others
    for step in page.steps:
        if step.whole:
            continue
        later_known, later_supposed = list[Row](), list[Row]()
        for row in known:
            questions = step.asks(row, context)
            left = [one for one in questions if not _is_kept(one, models)]
            _add(asked, left)
            if left:
                later_supposed += step.supposed(row, context)
            else:
                replies = [models[one.model].replies([one])[0] for one in questions]
                later_known += [item for item in step.take(row, replies, context) if isinstance(item, Row)]
        for row in supposed:
            _add(asked, step.asks(row, context))
            later_supposed += step.supposed(row, context)
        known, supposed = later_known, later_supposed
    return {name: asked[name] for name in page.models}


def _add(asked: dict[str, list[Ask]], questions: Sequence[Question]) -> None:
    for one in questions:
        asked[one.model].append(one.ask)


def _is_kept(question: Question, models: Mapping[str, Model]) -> bool:
    return question.model in models and models[question.model].knows(question)


def endpoints_of(page: Annotated, source: Source, answers: Path) -> dict[str, Model]:
    """Return the models of a page that are behind an endpoint; weights are not loaded for an estimate."""
    wanted = {name: options for name, options in page.models.items() if options.model == ENDPOINT}
    return load_models(wanted, answers, {source.corpus: source.root}, page.lines)


def print_estimate(
    page: Annotated, source: Source, context: Context, models: Mapping[str, Model], answers: Path
) -> None:
    """Print what each model would be asked; nothing is asked."""
    for name, asks in asks_of(page, begun(source.items).rows, context, models).items():
        options = page.models[name]
        line = _of_endpoint(models[name], asks, answers) if name in models else _of_weights(options, asks, answers)
        print(f"{name}: {line}")
    print("at most: filters may leave fewer rows; what weights in this process have answered before is not asked again")


def _of_weights(options: ModelOptions, asks: Sequence[Ask], answers: Path) -> str:
    tokens = sum(ask.max_new_tokens for ask in asks)
    cost = f"{len(asks):,} answers of weights in this process, at most {tokens:,} tokens, at no cost"
    return f"{cost}; {_time(options, len(asks), 1, answers, '')}"


def _of_endpoint(model: Model, asks: Sequence[Ask], answers: Path) -> str:
    endpoint, check = model.answering.responder, model.answering.check
    assert isinstance(endpoint, Endpoint) and check is not None
    tested = check.requests_needed(ask.messages for ask in asks)
    test = f" and up to {tested} requests of the media self-test" if tested else ""
    time = _time(model.options, len(asks), endpoint.concurrency, answers, model.rater)
    return f"{estimate(endpoint, asks, model.answering.roots)}{test}; {time}"


def _time(options: ModelOptions, count: int, at_once: int, answers: Path, rater: str) -> str:
    """Return how long so many answers take, in words: as measured before, or as the page supposes."""
    known = paces(answers)
    same = [pace for name, pace in known.items() if name == rater or (not rater and _is_of(options, name))]
    if same:
        seconds = count * sum(pace[0] for pace in same) / max(1, sum(pace[1] for pace in same))
        return f"about {seconds:,.0f} s, as fast as before"
    return f"about {count * options.seconds / at_once:,.0f} s, if an answer takes {options.seconds:g} s"


def _is_of(options: ModelOptions, rater: str) -> bool:
    return rater.partition("@")[0] == (options.called or Path(options.model.removeprefix("tiny:")).name)
