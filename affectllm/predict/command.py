"""The commands predict and chat: load the model, then ask it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from typing import TextIO

from affectllm.corpus import Rejection
from affectllm.errors import AffectError
from affectllm.instruct.template import MODALITIES
from affectllm.predict.answering import Answering
from affectllm.predict.chat import Chat, talk, typed
from affectllm.predict.items import ROOTS, Columns, Item, read_items
from affectllm.predict.lines import Table, as_json, as_line
from affectllm.predict.models import answering_of
from affectllm.predict.predicting import Asker, Prediction, predict, rejected
from affectllm.predict.question import DEFAULT_SPACE, Question, labels_of
from affectllm.respond.endpoint import Endpoint
from affectllm.respond.estimate import estimate
from affectllm.run import cache_folder
from affectllm.voice import bar


def run_predict(arguments: argparse.Namespace) -> int:
    """Predict the items of the command line and print a line for each; return 1 when none could be used.

    Raises:
        AffectError: for a question that cannot be asked, a table that cannot be read, or a model that cannot be loaded.
    """
    question = _question(arguments)
    question.check()
    if arguments.explain:
        question.explaining().check()
    columns = Columns(tuple(filter(None, arguments.clip_column.split(","))), arguments.text_column, arguments.id_column)
    items = list(read_items(arguments.clip, arguments.text, columns))
    if not items:
        within = f" in {', '.join(map(str, arguments.clip))}" if arguments.clip else ""
        raise AffectError(f"there is nothing to predict{within}", do="give clips, folders or tables, or --text WORDS")
    out = sys.stdout
    none = [rejected(item) for item in items if isinstance(item, Rejection)]
    if len(none) == len(items):  # no reason to load a model
        lost = _print(none, len(items), *_format(arguments, question), out)[1]
        _tell_lost(lost, len(items))
        return 1
    with redirect_stdout(sys.stderr):  # some libraries speak when they are imported, and programs read what is printed
        answering, dry = answering_of(arguments, arguments.answers or cache_folder() / "predict")
        if dry:
            return _estimated(items, Asker(question, answering, arguments.explain))
        predictions = predict(items, question, answering, explain=arguments.explain)
        used, lost = _print(predictions, len(items), *_format(arguments, question), out)
    _tell_lost(lost, len(items))
    _summarise(bool(used and not answering.asked), question, answering)
    return 0 if used else 1


def run_chat(arguments: argparse.Namespace) -> None:
    """Talk with the model of the command line until the input ends; replies go to stdout, all else to stderr.

    Raises:
        AffectError: for options that mean nothing, or a model that cannot be loaded.
    """
    if (arguments.temperature or 0) < 0 or arguments.max_new_tokens < 1:
        raise AffectError("--temperature is at least 0, and --max-new-tokens at least 1")
    out = sys.stdout
    drawn = {"do_sample": True, "temperature": arguments.temperature} if arguments.temperature else {}
    with redirect_stdout(sys.stderr):
        answering, dry = answering_of(arguments, None)
        if dry:
            raise AffectError("what a chat costs depends on what is said", do="leave out dry_run")
        chat = Chat(answering, arguments.system, arguments.max_new_tokens, drawn)
        if sys.stdin.isatty():
            print(f"{answering.takes.name} takes {', '.join(sorted(answering.takes.modalities))}. /help for help.")
        with redirect_stdout(out):  # where a prompt belongs
            talk(chat, typed(), lambda text: print(text, file=out, flush=True))


def _question(arguments: argparse.Namespace) -> Question:
    labels = labels_of(arguments.labels) if arguments.labels else ()
    modalities = tuple(filter(None, (arguments.modalities or "").split(",")))
    bounds = (arguments.bounds[0], arguments.bounds[1]) if arguments.bounds else None
    return Question(
        template=arguments.template,
        labels=labels,
        bounds=bounds,
        language=arguments.language,
        modalities=modalities,
        paraphrase=arguments.paraphrase,
        system=arguments.system,
    )


def _format(arguments: argparse.Namespace, question: Question) -> tuple[str, Callable[[Prediction], str]]:
    if arguments.csv:
        table = Table(question)
        return table.header(), table.row
    return "", as_json if arguments.json else as_line


def _print(
    predictions: Iterable[Prediction], total: int, header: str, line: Callable[[Prediction], str], out: TextIO
) -> tuple[int, Counter[str]]:
    """Print the predictions as they come; return how many items were asked about, and why others have no answer."""
    used, lost = 0, Counter[str]()
    if header:
        print(header, file=out, flush=True)
    with bar(total=total, desc="predict", unit=" items") as shown:
        for one in predictions:
            shown.write(line(one), file=out)
            out.flush()
            shown.update()
            used += one.used
            lost.update([one.reason] if one.reason else [])
    return used, lost


def _estimated(items: Iterable[Item], asker: Asker) -> int:
    """Print on stderr what asking would cost; nothing is asked."""
    endpoint, check = asker.answering.responder, asker.answering.check
    assert isinstance(endpoint, Endpoint) and check is not None  # weights cost nothing
    asks = [ask for item in items for ask in asker.to_be_sent(item)]
    print(f"{endpoint.where}: {estimate(endpoint, asks, ROOTS)}", file=sys.stderr)
    if tested := check.requests_needed(ask.messages for ask in asks):
        print(f"and up to {tested} requests of the media self-test", file=sys.stderr)
    return 0


def _tell_lost(lost: Counter[str], total: int) -> None:
    """Say on stderr how many items have no answer, and why."""
    if lost:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in lost.most_common())
        print(f"without an answer: {lost.total():,} of {total:,}: {reasons}", file=sys.stderr)


def _summarise(known: bool, question: Question, answering: Answering) -> None:
    """Say on stderr what answers cost, what likelihoods mean, and which labels were meant where none were named."""
    if known:
        print("every answer was known from an earlier run", file=sys.stderr)
    if isinstance(answering.responder, Endpoint):
        print(f"{answering.responder.where}: {answering.responder.spending.summary()}", file=sys.stderr)
    template = question.bound(question.modalities or MODALITIES)
    if answering.scored_by == "first_token" and len(template.slots) == 1 and template.slots[0].how.choices:
        print("likelihoods are those of the first token of each label, all that the server tells", file=sys.stderr)
    if not question.labels and template.space.names == DEFAULT_SPACE.names:
        names = ", ".join(DEFAULT_SPACE.names)
        print(f"labels: {names} ({DEFAULT_SPACE.name}); --labels A,B,C for others", file=sys.stderr)
