"""The commands predict and chat: load the model, then ask it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from typing import Any, TextIO

from affectllm.errors import AffectError
from affectllm.instruct.template import MODALITIES
from affectllm.model.clips.media import Budget
from affectllm.model.load import Model, load_model
from affectllm.predict.answering import Answering
from affectllm.predict.chat import Chat, talk, typed
from affectllm.predict.items import ROOTS, Columns, read_items
from affectllm.predict.lines import Table, as_json, as_line
from affectllm.predict.predicting import Prediction, predict
from affectllm.predict.question import DEFAULT_SPACE, Question, labels_of
from affectllm.run import cache_folder


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
        raise AffectError("there is nothing to predict", do="give clips, folders or tables, or --text WORDS")
    folder = arguments.answers or cache_folder() / "predict"
    out = sys.stdout
    with redirect_stdout(sys.stderr):  # some libraries speak when they are imported, and programs read what is printed
        answering = Answering(loaded(arguments), ROOTS, budget_of(arguments.budget), folder)
        predictions = predict(items, question, answering, explain=arguments.explain)
        used, lost = _print(predictions, len(items), *_format(arguments, question), out)
    _summarise(lost, bool(used and not answering.asked), question)
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
        answering = Answering(loaded(arguments), ROOTS, budget_of(arguments.budget))
        chat = Chat(answering, arguments.system, arguments.max_new_tokens, drawn)
        if sys.stdin.isatty():
            print(f"{arguments.model} takes {', '.join(sorted(answering.model.family.modalities))}. /help for help.")
        with redirect_stdout(out):  # where a prompt belongs
            talk(chat, typed(), lambda text: print(text, file=out, flush=True))


def loaded(arguments: argparse.Namespace) -> Model:
    """Load the model of ``--model``, on a GPU where there is one.

    Raises:
        NotFound, WrongCheckpoint: as ``load_model``.
    """
    import torch

    quantization = {f"load_in_{arguments.quantize}": True} if arguments.quantize else None
    device = arguments.device or ("cuda" if torch.cuda.is_available() else "cpu")
    options: dict[str, Any] = {"adapter": arguments.adapter, "processor": arguments.processor}
    model = load_model(arguments.model, dtype=arguments.dtype, device=device, quantization=quantization, **options)
    model.model.eval()
    end = model.family.end_of_turn
    if end not in model.tokenizer.get_vocab():
        message = f"the tokenizer does not know {end}, with which turns of {model.family.name} end"
        print(f"{message}: this checkpoint was tuned on another chat format, expect little of it", file=sys.stderr)
    return model


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


def budget_of(pairs: Iterable[str]) -> Budget:
    """Return the media budget with the fields of ``KEY=VALUE`` changed; longer clips are cut, not refused."""
    fields = Budget(long="trim").to_json()
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in fields:
            raise AffectError(f"--budget has no {key!r}", do=f"choose among {', '.join(fields)}")
        try:
            fields[key] = type(fields[key])(value)
        except ValueError as error:
            raise AffectError(f"--budget {pair!r} is no number", do=f"write for example {key}={fields[key]}") from error
    return Budget(**fields)


def _format(arguments: argparse.Namespace, question: Question) -> tuple[str, Callable[[Prediction], str]]:
    if arguments.csv:
        table = Table(question)
        return table.header(), table.row
    return "", as_json if arguments.json else as_line


def _print(
    predictions: Iterable[Prediction], total: int, header: str, line: Callable[[Prediction], str], out: TextIO
) -> tuple[int, Counter[str]]:
    """Print the predictions as they come; return how many items were asked about, and why others have no answer."""
    from tqdm.auto import tqdm

    used, lost = 0, Counter[str]()
    if header:
        print(header, file=out, flush=True)
    with tqdm(total=total, desc="predict", disable=None) as bar:
        for one in predictions:
            bar.write(line(one), file=out)
            out.flush()
            bar.update()
            used += one.used
            lost.update([one.reason] if one.reason else [])
    return used, lost


def _summarise(lost: Counter[str], known: bool, question: Question) -> None:
    """Say on stderr what has no answer and why, and which labels were meant where the user named none."""
    if lost:
        reasons = ", ".join(f"{count:,} × {reason}" for reason, count in lost.items())
        print(f"without an answer: {reasons}", file=sys.stderr)
    if known:
        print("every answer was known from an earlier run", file=sys.stderr)
    template = question.bound(question.modalities or MODALITIES)
    if not question.labels and template.space.names == DEFAULT_SPACE.names:
        names = ", ".join(DEFAULT_SPACE.names)
        print(f"labels: {names} ({DEFAULT_SPACE.name}); --labels A,B,C for others", file=sys.stderr)
