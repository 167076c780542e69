"""The models of an annotation page: who answers, what each is called as a rater, and how fast it was."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.annotate.page import ModelOptions
from affectllm.annotate.step import Question
from affectllm.errors import AffectError, Malformed
from affectllm.predict.answering import Answering, Likelihoods
from affectllm.predict.models import ENDPOINT, answering_of
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.responder import Reply, Unanswered
from affectllm.run import digest, write_json
from affectllm.yaml_page import Page

PACE = "pace.json"
"""Seconds and number of the answers of each model, measured; an estimate reads it."""


@dataclass
class Model:
    """A model of the page with its memory.

    Args:
        name: on the page.
        options: as the page has them.
        answering: who answers.
        rater: its name and version.
        seconds: spent on answers.
    """

    name: str
    options: ModelOptions
    answering: Answering
    rater: str
    seconds: float = field(default=0.0)

    def replies(self, questions: Sequence[Question]) -> list[Reply]:
        """Return the replies; only those that were never given are asked for."""
        start = time.monotonic()
        chosen = iter(self.answering.likelihoods([(one.ask.messages, one.choices) for one in questions if one.choices]))
        written = iter(self.answering.replies([one.ask for one in questions if not one.choices]))
        self.seconds += time.monotonic() - start
        return [_likeliest(one.choices, next(chosen)) if one.choices else next(written) for one in questions]

    def knows(self, question: Question) -> bool:
        """Return whether the model answered a question before."""
        return self.answering.knows(question.ask, question.choices or None)

    def summary(self) -> str:
        """Return what was asked and spent, in words."""
        responder, asked = self.answering.responder, self.answering.asked
        words = f"{self.name} ({self.rater}): {asked:,} answers in {self.seconds:.1f} s"
        return f"{words}; {responder.spending.summary()}" if isinstance(responder, Endpoint) else words

    @property
    def sentence(self) -> str:
        """What it is, for the card of the annotated corpus."""
        return f"the model {self.options.model}{_behind(self.options)}: {_facts(self.answering)}"


def load_models(
    wanted: Mapping[str, ModelOptions], answers: Path, roots: Mapping[str, Path], page: Page
) -> dict[str, Model]:
    """Load the models of a page.

    Args:
        answers: folder in which the answers of each are kept.
        page: for the lines of errors.

    Raises:
        AffectError: as ``answering_of``, with file and line.
    """
    models: dict[str, Model] = {}
    for name, options in wanted.items():
        twin = next((model for model in models.values() if model.options == options), None)
        with _at_option(page, name, options):
            answering = twin.answering if twin else answering_of(_arguments(options), answers, roots)[0]
        models[name] = Model(name, options, answering, rater_of(options, answering))
    return models


@contextmanager
def _at_option(page: Page, name: str, options: ModelOptions) -> Iterator[None]:
    """Give errors of an option, which are those of the command line, the line and the words of the page."""
    place = ("models", name)
    if options.options and options.model != ENDPOINT:
        do = f"leave them out, or write model: {ENDPOINT}"
        raise Malformed(f"options are for {ENDPOINT}", where=page.where((*place, "options")), do=do)
    try:
        yield
    except AffectError as error:
        if error.where:
            raise
        words, own = re.findall(r"\w+", _of_page(error.what)), page.value["models"][name]
        ways = [("options", key) for key in options.options] + [(key,) for key in own]
        ways.sort(key=lambda way: way[-1] == "model")  # of which most messages speak
        where = page.where((*place, *next((way for way in ways if way[-1] in words), ())))
        raise type(error)(_of_page(error.what), where=where, do=_of_page(error.do)) from error


def _of_page(words: str) -> str:
    return re.sub(r"--(\w[\w-]*)", lambda option: option[1].replace("-", "_"), words)


def rater_of(options: ModelOptions, answering: Answering) -> str:
    """Return the rater of a model: its name, and eight digits of what decides its answers."""
    served = str(options.options.get("model", "")) if options.model == ENDPOINT else ""
    name = options.called or served or options.model.removeprefix("tiny:")
    return f"{re.sub(r'[^a-zA-Z0-9._-]+', '-', Path(name).name)}@{digest(answering.responder.identity())[:8]}"


def keep_pace(models: Mapping[str, Model], answers: Path) -> None:
    """Add what answers took to what was measured before."""
    before = paces(answers)
    for model in models.values():
        if model.answering.asked:
            seconds, count = before.get(model.rater, (0.0, 0))
            before[model.rater] = (seconds + model.seconds, count + model.answering.asked)
    if before:
        answers.mkdir(parents=True, exist_ok=True)
        write_json(answers / PACE, before)


def paces(answers: Path) -> dict[str, tuple[float, int]]:
    """Return rater → seconds and number of its answers so far."""
    path = answers / PACE
    if not path.is_file():
        return {}
    return {rater: (float(pair[0]), int(pair[1])) for rater, pair in json.loads(path.read_text("utf-8")).items()}


def _arguments(options: ModelOptions) -> argparse.Namespace:
    """Return the options as those of ``affectllm predict``."""
    words = [json.dumps(options.options)] if options.options else []
    return argparse.Namespace(
        model=options.model,
        model_args=words,
        adapter=options.adapter,
        processor=options.processor,
        dtype=options.dtype,
        device=options.device,
        quantize=options.quantize,
        budget=[f"{key}={value}" for key, value in options.budget.items()],
        batch_size=None if options.batch_size is None else str(options.batch_size),
    )


def _likeliest(choices: Sequence[str], likelihoods: Likelihoods) -> Reply:
    if isinstance(likelihoods, Unanswered):
        return likelihoods
    return max(zip(choices, likelihoods, strict=True), key=lambda pair: pair[1])[0]


def _behind(options: ModelOptions) -> str:
    return f" with {options.adapter}" if options.adapter else ""


def _facts(answering: Answering) -> str:
    identity = answering.responder.identity()
    shown = {key: identity[key] for key in ("endpoint", "model", "fingerprint") if key in identity}
    return ", ".join(f"{key} {value}" for key, value in shown.items())
