"""The command annotate: load the models of a page, run its steps, and write the samples."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from affectllm import registry
from affectllm.annotate.checks import at_line
from affectllm.annotate.estimate import endpoints_of, print_estimate
from affectllm.annotate.models import Model, keep_pace, load_models
from affectllm.annotate.page import Annotated, load_annotation
from affectllm.annotate.pipeline import begun, run_shard, run_steps
from affectllm.annotate.rating.export import of_people
from affectllm.annotate.source import Source, source_of
from affectllm.annotate.step import Context
from affectllm.annotate.written import KEPT, MIXTURE, write_corpus
from affectllm.corpus import Sample
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, NotFound, WriteFailed
from affectllm.labels.taxonomies import SPACES
from affectllm.run import RUNS, Run, cache_folder, versions
from affectllm.voice import LOG, kept, tell


def run_annotate(arguments: argparse.Namespace) -> None:
    """Annotate what a page says, or estimate what that costs.

    Raises:
        AffectError: for a page that cannot be run, samples that are not there, or a model that cannot be loaded.
    """
    page = load_annotation(page_path(arguments.page), arguments.set)
    out: Path = arguments.out or RUNS / page.name
    answers: Path = arguments.answers or cache_folder() / "annotate" / page.name
    source = source_of(page, Roots.parse(arguments.root))
    if arguments.dry_run:
        models = endpoints_of(page, source, answers)
        print_estimate(page, source, context_of(page, source, models, out), models, answers)
    elif arguments.shard:
        annotate_shard(page, source, out, answers, *shard_of(arguments.shard))
    else:
        annotate(page, source, out, answers)


def page_path(name: str) -> Path:
    """Return the page at a path, or the one that ships under a name.

    Raises:
        NotFound: when there is neither, for a name that is no path.
    """
    shipped = {path.stem: path for path in sorted((Path(__file__).parent / "pages").glob("*.yaml"))}
    if Path(name).is_file() or Path(name).suffix or len(Path(name).parts) > 1:
        return Path(name)
    if name not in shipped:
        raise NotFound(f"there is no page of annotation called {name!r}", do=registry.suggestion(name, shipped))
    return shipped[name]


def annotate(page: Annotated, source: Source, out: Path, answers: Path) -> dict[str, Any]:
    """Run all steps, write the samples below ``out``, and return the counts of each step.

    A finished run with the same page, samples and models is left as it is; an answer that is kept is not asked for.
    """
    models = load_models(page.models, answers, {source.corpus: source.root}, page.lines)
    context = context_of(page, source, models, out)
    of_people(out)
    with Run(out, "annotate", _inputs(page, source, models), KEPT, of_people) as run:
        if run.done:
            tell(f"{out}: finished earlier")
            return run.outputs
        _make(answers, models)
        try:
            with kept(out / LOG):
                outcome = run_steps(page.steps, begun(source.items), models, context, out)
        finally:
            keep_pace(models, answers)
            for model in models.values():
                tell(model.summary())
        write_corpus(page, source, outcome.rows, outcome.rejections, context)
        run.outputs = {"samples": len(outcome.rows), "rejected": len(outcome.rejections), "steps": outcome.counts}
    where = f"AFFECTLLM_PATH={out} affectllm … --root {page.name}={source.root}"
    print(f"{len(outcome.rows):,} samples in {out}; parts of a mixture in {out / MIXTURE}, with {where}")
    return run.outputs


def annotate_shard(page: Annotated, source: Source, out: Path, answers: Path, number: int, count: int) -> None:
    """Ask what a shard of the samples needs, and keep the answers, from which the run without a shard is put together.

    Behind a step that needs all rows it goes on when it is started again after all shards have ended.

    Args:
        out: not written to.
        number: of the shard, from 0.
        count: of all shards.
    """
    models = load_models(page.models, answers, {source.corpus: source.root}, page.lines)
    _make(answers, models)
    with TemporaryDirectory() as scratch:  # for what steps write: the run without a shard keeps it
        context = context_of(page, source, models, Path(scratch))
        try:
            waits = run_shard(page.steps, begun(source.items).rows, number, count, models, context)
        finally:
            keep_pace(models, answers)
            for model in models.values():
                tell(model.summary())
    told = f"shard {number + 1} of {count}: its answers are in {answers}; when all shards are done, "
    if waits:
        print(f"{told}run them again: {waits} needs the answers of all, and more is asked behind it")
    else:
        print(f"{told}run without --shard")


def _make(answers: Path, models: Mapping[str, Model]) -> None:
    """Make the folder of answers before any is asked: one that could not be kept would be paid in vain.

    Raises:
        WriteFailed: when nobody can write there.
    """
    reason = ""
    try:
        if models:
            answers.mkdir(parents=True, exist_ok=True)
            reason = "" if os.access(answers, os.W_OK | os.X_OK) else "it is not writable"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise WriteFailed(f"no folder for answers: {reason}", where=str(answers), do="choose another --answers")


def context_of(page: Annotated, source: Source, models: Mapping[str, Model], out: Path) -> Context:
    """Return what the steps know besides their rows, checked by each of them.

    Raises:
        Malformed: when a step cannot work.
    """
    raters = {name: models[name].rater if name in models else name for name in page.models}
    samples = [item for item in source.items if isinstance(item, Sample)]
    context = Context(
        corpus=page.name,
        spaces={space.name: space for space in (*SPACES, *source.spaces)},
        raters=raters,
        roots={source.corpus: source.root},
        folder=out,
        given=frozenset((one.space, one.rater) for sample in samples for one in sample.annotations),
        takes={name: model.answering.takes.modalities for name, model in models.items()},
        unscored=frozenset(name for name, model in models.items() if not model.answering.scored_by),
        new_raters={model.rater: model.sentence for model in models.values()},
    )
    for number, step in enumerate(page.steps):
        with at_line(page.lines, "steps", number):
            step.check(context)
    return context


def shard_of(text: str) -> tuple[int, int]:
    """Return number from 0 and count of ``I/N``.

    Raises:
        AffectError: when it is none.
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise AffectError(f"--shard {text!r} is no part of a whole", do="write 1/4, 2/4, 3/4 and 4/4")
    return int(number) - 1, int(count)


def _inputs(page: Annotated, source: Source, models: Mapping[str, Model]) -> dict[str, Any]:
    plain = {key: value for key, value in vars(page).items() if key != "lines"}
    return {
        "page": {**plain, "models": {}, "files": (), "steps": [vars(step) for step in page.steps]},
        "samples": dict(source.identity),
        "models": {name: model.answering.responder.identity() for name, model in models.items()},
        "raters": {name: model.rater for name, model in models.items()},
        "version": versions()["affectllm"],
    }
