"""Start lm-eval with all of its own options, and ours: ``--root NAME=DIR``, ``--modalities``, ``--shots`` …."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm import voice
from affectllm.corpus.roots import Roots
from affectllm.corpus.shared_samples import shared_samples
from affectllm.errors import explained
from affectllm.evaluate import logged
from affectllm.evaluate.environment import parse_modalities, settings
from affectllm.evaluate.on_disk import kept_on_disk
from affectllm.evaluate.plain.arguments import check_arguments, check_model
from affectllm.evaluate.protocol import Protocol
from affectllm.evaluate.shelf import all_ours, check_pages, with_members
from affectllm.hints.attach import SHOWN
from affectllm.lock import LOCK, held
from affectllm.metrics import Score
from affectllm.model.torchvision_ops import install
from affectllm.processes import is_first
from affectllm.respond.keys import refuse_secret_words

if TYPE_CHECKING:
    from affectllm.evaluate.task import AffectTask

_COMMANDS = ("run", "ls", "validate")
_NEED_SAMPLES = {"--log_samples", "-s", "--predict_only", "-x", "--write_out", "-w", "--cache_requests"}
_NEED_SAMPLES |= {"--wandb_args", "--trackio_args", "--hf_hub_log_args", "--config", "-C"}
_MODELS = {"affectllm": "lm", "affectllm-api": "api_lm", "affectllm-head": "head_lm"}
_MODELS |= {"affectllm-shallow": "shallow", "affectllm-embedding": "embedding"}
_DRY = re.compile(r"\bdry_run[\"']?\s*[=:]\s*[\"']?(true|1)\b", re.IGNORECASE)


def parser() -> argparse.ArgumentParser:
    """Return a parser of our options; all others are lm-eval's."""
    ours = argparse.ArgumentParser(prog="affectllm eval", add_help=False, allow_abbrev=False)
    group = ours.add_argument_group("options of affectllm (all others are lm-eval's, see below)")
    group.add_argument("--root", action="append", default=[], metavar="NAME=DIR", help="folder of a corpus; repeatable")
    group.add_argument(
        "--modalities",
        metavar="NAMES",
        help="show only these of a task's modalities, for example text, audio, video+audio",
    )
    group.add_argument(
        "--held-out",
        action="store_true",
        help="ask in the paraphrases that no training set uses: the difference is how much the wording matters",
    )
    text = "folder of the published emotion wheels, for tasks that compare open words by them"
    group.add_argument("--wheels", type=Path, metavar="DIR", help=text)
    group.add_argument("--json", action="store_true", help="print the scores of our tasks as JSON")
    _protocol_options(group)
    return ours


def _protocol_options(group: Any) -> None:
    text = "examples of each class before every question, from the training split (default: 0)"
    group.add_argument("--shots", type=int, default=0, metavar="K", help=text)
    group.add_argument("--shots-seed", type=int, default=0, metavar="N", help="draws them, and the votes (default: 0)")
    group.add_argument("--system", default="", metavar="TEXT", help="system prompt (default: the template's own)")
    text = "`all`: ask every item in every wording; details.json has mean, spread and the worst wording"
    group.add_argument("--paraphrases", choices=("all",), help=text)
    text = "draw N replies for each item and count the commonest reading (default: 1, the most likely reply)"
    group.add_argument("--votes", type=int, default=1, metavar="N", help=text)
    text = "`none`: leave out the hints of tasks that have some; `other`: show those of another item (default: own)"
    group.add_argument("--hints", choices=SHOWN, default="own", help=text)
    group.add_argument("--votes-temperature", type=float, default=0.7, metavar="T", help="of them (default: 0.7)")


def _protocol(ours: argparse.Namespace) -> Protocol:
    return Protocol(
        shots=ours.shots,
        seed=ours.shots_seed,
        system=ours.system,
        paraphrases=ours.paraphrases == "all",
        votes=ours.votes,
        temperature=ours.votes_temperature,
        hints=ours.hints,
    )


def lm_eval_main(argv: Sequence[str]) -> dict[str, dict[str, Score]]:
    """Run lm-eval's command line with our tasks, models and options.

    With ``--output_path DIR`` lm-eval's results and samples, ``scores.json``, ``details.json`` and ``rejected.jsonl``
    are written into DIR itself. The model ``affectllm`` then keeps its answers there, so that a killed run resumes.

    Args:
        argv: the arguments after the program's name; lm-eval's subcommand ``run`` may be left out.

    Returns:
        The scores of our tasks; empty without ``--output_path`` and in processes other than the first.

    Raises:
        AffectError: for our own options, pages, corpora and models; lm-eval's errors pass through.
    """
    install()
    if "--help" in argv or "-h" in argv:
        parser().print_help()
    ours, theirs = parser().parse_known_args(list(argv))
    if not theirs or theirs[0] not in _COMMANDS:
        theirs = ["run", *theirs]
    check_arguments(theirs)
    if _model(theirs) == "affectllm-api":
        refuse_secret_words(theirs)  # before lm-eval logs its arguments
    modalities = parse_modalities(ours.modalities) if ours.modalities else None
    roots, human = Roots.parse(ours.root).given, _model(theirs) == "affectllm-human"
    asked = settings(roots, modalities, ours.held_out, _protocol(ours), ours.wheels, human)
    with asked, ExitStack() as stack:
        _find_corpora(theirs)
        if _is_dry(theirs):
            with redirect_stdout(io.StringIO()):  # lm-eval's table of what was not asked
                return _run(_without_output(theirs), None)
        folder, theirs = _own_output(theirs)
        if folder is not None and is_first():
            stack.enter_context(held(folder / LOCK))
            logged.clear(folder)
        return _run(theirs, folder)


def scores(argv: Sequence[str]) -> bool:
    """Return whether the arguments ask for scores, and not for help or another of lm-eval's subcommands."""
    other = bool(argv) and argv[0] in _COMMANDS and argv[0] != "run"
    return bool(argv) and not other and not {"--help", "-h"} & set(argv)


def output_folder(argv: Sequence[str]) -> Path | None:
    """Return the folder of ``--output_path``; None where there is none."""
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--output_path", "-o", type=Path)
    path: Path | None = finder.parse_known_args(list(argv))[0].output_path
    return path.parent if path is not None and path.suffix == ".json" else path


def only_ours(argv: Sequence[str]) -> bool:
    """Return whether all tasks that the arguments name are tasks of ours."""
    return all_ours(_tasks(argv))


def _tasks(argv: Sequence[str]) -> list[str]:
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--tasks", "-t", nargs="+", default=[])
    return [name for word in finder.parse_known_args(list(argv))[0].tasks for name in word.split(",") if name]


def _model(argv: list[str]) -> str:
    finder = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    finder.add_argument("--model", "-M", default="hf")
    return str(finder.parse_known_args(argv)[0].model)


def _is_dry(argv: list[str]) -> bool:
    """Return whether only an estimate is wanted, of which nothing is written."""
    return _model(argv) == "affectllm-api" and any(_DRY.search(word) for word in argv)


def _without_output(argv: list[str]) -> list[str]:
    remover = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    remover.add_argument("--output_path", "-o")
    remover.add_argument("--log_samples", "-s", action="store_true")
    return remover.parse_known_args(argv)[1]


def _own_output(argv: list[str]) -> tuple[Path | None, list[str]]:
    """Return the folder of ``--output_path``, and arguments that make lm-eval write into an empty folder within it."""
    folder = output_folder(argv)
    if folder is None or argv[0] != "run":
        return None, argv
    extra = ["--output_path", str(logged.scratch(folder) / "results.json")]
    extra += [] if _writes_samples(argv) else ["--log_samples"]
    if _model(argv) in ("affectllm", "affectllm-api"):
        extra += ["--model_args", json.dumps({"answers": str(folder / "answers")})]
    return folder, [*argv, *extra]


def _writes_samples(argv: list[str]) -> bool:
    """Return whether we write the samples, so that lm-eval need not keep them: in one process, with tasks of ours.

    Some options of lm-eval's look at the samples that it keeps.
    """
    asked = {word.partition("=")[0] for word in argv} & _NEED_SAMPLES
    return int(os.environ.get("WORLD_SIZE", "1")) == 1 and not asked and only_ours(argv)


def _find_corpora(argv: list[str]) -> None:
    """Raise ``MissingCorpus`` for our tasks before a model is loaded: lm-eval builds its tasks afterwards."""
    if argv[0] == "run":
        entries, here = check_pages(), Roots.parse()
        ours = [entries[name].config for name in with_members(_tasks(argv), entries) if entries[name].ours]
        for corpus in dict.fromkeys(config.get("corpus") for config in ours):
            here.find(str(corpus))


def _write_samples(folder: Path, tasks: Iterable[tuple[str, AffectTask]]) -> None:
    """Write the samples files beside lm-eval's results file, under the names that it would give them."""
    from affectllm.evaluate.samples_file import write_samples

    files = logged.of_results(logged.only_results(folder)).samples
    for name, task in tasks:
        write_samples(task, files[name])
        task.forget()  # before their scores need the memory


def _register_models(name: str) -> None:
    # lm-eval's own first: it loads them only into an empty registry. Ours needs torch, the reference models do not.

    import affectllm.evaluate.models.reference

    if name in _MODELS:
        import_module(f"affectllm.evaluate.models.{_MODELS[name]}")
    elif not name.startswith("affectllm-"):
        import affectllm.evaluate.models.lm  # noqa: F401
    check_model(name, _MODELS)


def _run(argv: list[str], folder: Path | None) -> dict[str, dict[str, Score]]:
    from lm_eval.__main__ import cli_evaluate

    from affectllm.evaluate.scoring.lm_eval_metrics import register
    from affectllm.evaluate.scoring.scores import REJECTED, wordings_told, write_scores
    from affectllm.evaluate.tasks import our_task_manager

    _register_models(_model(argv))
    register()
    _log_to_stderr()
    on_disk = folder is not None and "--log_samples" not in argv
    with ExitStack() as stack:
        managers = stack.enter_context(our_task_manager(check_arguments(argv)))
        stack.enter_context(_arguments(["lm-eval", *argv]))
        stack.enter_context(shared_samples())
        stack.enter_context(_named_bar())
        if on_disk:
            stack.enter_context(kept_on_disk())
        cli_evaluate()
    if folder is None or not managers or not is_first():
        return {}
    with explained(folder):
        tasks = managers[-1].scored.items()
        if on_disk:
            _write_samples(folder, tasks)
        written = logged.collect(folder)
        rows = ({"task": name, **rejection.to_json()} for name, task in tasks for rejection in task.rejected)
        _write_lines(folder / REJECTED, rows)
        scores = write_scores(folder, written, managers[-1].suites)
        print(wordings_told(folder), end="", file=sys.stderr)
        return scores


def _log_to_stderr() -> None:
    """Point lm-eval's log handlers at the present stderr: they keep that of the first run, which may be closed."""
    from lm_eval.utils import setup_logging

    setup_logging()
    voice.divert()
    for handler in logging.getLogger("lm_eval").handlers:
        if type(handler) is logging.StreamHandler:  # others' own kinds write elsewhere
            handler.stream = sys.stderr  # setStream would flush what may be closed


@contextmanager
def _named_bar() -> Iterator[None]:
    """Say what lm-eval counts while it reads the documents of a task: its bar has no name."""
    import lm_eval.api.task as room

    before, room.tqdm = room.tqdm, partial(voice.bar, desc="questions", unit=" questions", leave=False)
    try:
        yield
    finally:
        room.tqdm = before


@contextmanager
def _arguments(argv: list[str]) -> Iterator[None]:
    # lm-eval's command reads sys.argv and takes no arguments of its own.
    before, sys.argv = sys.argv, argv
    try:
        yield
    finally:
        sys.argv = before


def _write_lines(path: Path, rows: Iterable[dict[str, str]]) -> None:
    scratch = path.with_name(f".{path.name}.part")
    with scratch.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
    scratch.replace(path)
