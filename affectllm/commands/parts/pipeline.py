"""The whole pipeline of one recipe: build → train → eval → report, each stage a run folder, skipped or resumed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from affectllm import voice
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.lock import LOCK, held
from affectllm.report.boards.guard import AFTER, BEFORE, GUARD, changes
from affectllm.report.leaks import corpora_of, of_guard, refuse_leaks
from affectllm.run import read_manifest
from affectllm.train.recipe import Recipe, load_recipe, variants
from affectllm.train.whole import train

if TYPE_CHECKING:
    from affectllm.evaluate.run import Evaluation

T = TypeVar("T")
REFERENCE = "reference"
MODALITIES = "modalities"
_SCORING = "ddp"  # launch configuration


def run(
    name: str,
    overrides: Sequence[str],
    given_roots: Roots,
    out: Path | None,
    processes: int | None,
    tell: Callable[[str], None] = print,
) -> list[Path]:
    """Run a recipe, or every variant of its ``matrix``, and return the reports.

    Args:
        tell: takes the scores of each run and where its report lies, as lines for people.

    Raises:
        AffectError: with what to do; starting the same command again goes on where it stopped. Of several variants
            one that fails is told, and the others run.
    """
    from affectllm.report.boards.sweep import Varied, write_sweep
    from affectllm.train.stage import run_folder

    earlier: list[Path] = []

    def one(suffix: str, chosen: Sequence[str]) -> Varied:
        page = _run(name, chosen, given_roots, out, suffix, processes, tell, earlier)
        earlier.append(page.parent)
        return Varied(_values(chosen[len(overrides) :]), page.parent)

    varied = variants(name, overrides)
    runs, failed = _each(varied, one)
    if len(varied) > 1 and runs:
        table, spread = write_sweep(run_folder(load_recipe(name, overrides), out), runs, failed)
        tell("\n".join([*spread, f"sweep: {table}"]))
    _tell_failed(failed, len(varied))
    return [one.folder / "report.html" for one in runs]


def _each(
    varied: Sequence[tuple[str, list[str]]], one: Callable[[str, Sequence[str]], T]
) -> tuple[list[T], dict[str, str]]:
    """Run the variants one after another; returns what came out, and the names of those that failed with the reason."""
    done, failed = list[T](), dict[str, str]()
    for number, (suffix, chosen) in enumerate(varied, 1):
        if suffix:
            voice.tell(f"━━ {suffix} ({number} of {len(varied)})")
        try:
            done.append(one(suffix, chosen))
        except AffectError as error:
            if len(varied) == 1:
                raise
            print(f"{suffix} failed: {error}", file=sys.stderr)
            failed[suffix] = error.what
    return done, failed


def _tell_failed(failed: Mapping[str, str], count: int) -> None:
    if failed:
        message = f"{len(failed)} of {count} runs failed: {', '.join(failed)}"
        raise AffectError(message, do="mend what is told above; the same command goes on with these")


def _values(chosen: Sequence[str]) -> dict[str, str]:
    """Return what a variant of a matrix sets: dotted key → value."""
    pairs = (text.partition("=") for text in chosen)
    return {key: value for key, _, value in pairs if key != "matrix"}


def _run(
    name: str,
    overrides: Sequence[str],
    given_roots: Roots,
    out: Path | None,
    suffix: str,
    processes: int | None,
    tell: Callable[[str], None],
    earlier: Sequence[Path],
) -> Path:
    from affectllm.evaluate.askable import check_askable
    from affectllm.report.html import render_report
    from affectllm.report.terminal.summary import summary
    from affectllm.report.trackers import tell_trackers
    from affectllm.train.stage import run_folder

    recipe = load_recipe(name, overrides)
    roots = given_roots.find_all(corpora_of(recipe))
    folder = run_folder(recipe, out) / suffix
    refuse_leaks(recipe, roots)
    check_askable(recipe.eval.tasks, roots, recipe.eval.ablations)
    check_askable(of_guard(recipe), roots)
    with held(folder / LOCK), voice.kept(folder / voice.LOG):
        train(name, recipe, overrides, roots, folder, processes)
        if recipe.eval.tasks or recipe.eval.guard:
            score(recipe, roots, folder, processes, earlier)
        for change in changes(folder / "eval"):
            print(f"guard: {change}", file=sys.stderr)
        voice.stage("report")
        report = render_report([folder], folder / "report.html", roots)
        tell_trackers(folder, report)
        table = summary(folder)
    if table:
        tell(f"{suffix}\n{table}" if suffix else table)
    tell(f"report: {report}")
    return report


def score(
    recipe: Recipe,
    roots: Mapping[str, Path],
    folder: Path,
    processes: int | None = None,
    earlier: Sequence[Path] = (),
) -> None:
    """Score the tuned model, its modality ablations and the reference models.

    Args:
        processes: that answer for the tuned model, where the recipe does not say; None for those of the launch
            configuration.
        earlier: folders of other runs of the recipe, whose reference models are asked the same, and not again.
    """
    from affectllm.evaluate.launched import words_for
    from affectllm.train.launch import launch, processes_of
    from affectllm.train.method import find_method

    common = _common(recipe, roots)
    tuned, references = _of_guard(recipe, folder, common), []
    if recipe.eval.tasks:
        tuned = [*_of_tuned(recipe, folder, common), *tuned]
        references = _of_references(recipe, folder, common)
    count = recipe.eval.num_processes or processes or processes_of(recipe.launch)
    if find_method(recipe.method).heads:  # which answers in a moment
        count = 1
    left = [(title, one) for title, one in tuned if not one.finished()]
    if count > 1 and left:
        # Each process has the whole model and a share of the questions, however the training is distributed.
        launch(_SCORING, "affectllm.evaluate.launched", words_for(left), processes=count, what="scoring")
    for title, one in [] if count > 1 else tuned:
        voice.stage(title)
        one.run()
    for title, one in references:
        voice.stage(title)
        for other in earlier:
            one.take(other / one.out.relative_to(folder))
        one.run()


def _common(recipe: Recipe, roots: Mapping[str, Path]) -> dict[str, Any]:
    from affectllm.corpus.identity import identity

    options = ["--batch_size", str(recipe.eval.batch_size)]
    if recipe.eval.limit is not None:
        options += ["--limit", str(recipe.eval.limit)]
    inputs = {"corpora": {name: identity(name, root) for name, root in roots.items()}}
    return {"tasks": recipe.eval.tasks, "roots": roots, "inputs": inputs, "lm_eval_args": options}


def _of_tuned(recipe: Recipe, folder: Path, common: Mapping[str, Any]) -> list[tuple[str, Evaluation]]:
    """Return the evaluations of the tuned model with their titles: with all modalities, and with some."""
    from affectllm.evaluate.run import Evaluation
    from affectllm.report.runfolder import HINTED
    from affectllm.train.checkpoints import FINAL
    from affectllm.train.method import find_method

    method = find_method(recipe.method)
    arguments = {"pretrained": str(folder / "train" / FINAL)}
    if not method.heads:  # the folder of a head says the rest itself
        arguments |= recipe.model.budget.to_json()
        arguments |= {"processor": recipe.model.processor} if recipe.model.processor else {}
    common = {**common, "model": method.answers_as, "model_args": arguments}
    evaluations = [("eval", Evaluation(folder / "eval", **common))]
    for modalities in recipe.eval.ablations:
        label = "+".join(modalities)
        place = folder / "eval" / MODALITIES / label
        evaluations.append((f"eval, {label} only", Evaluation(place, modalities=modalities, **common)))
    for shown in recipe.eval.hints:
        place = folder / "eval" / MODALITIES / HINTED[shown]
        evaluations.append((f"eval, {HINTED[shown]}", Evaluation(place, hints=shown, **common)))
    return evaluations


def _of_guard(recipe: Recipe, folder: Path, common: Mapping[str, Any]) -> list[tuple[str, Evaluation]]:
    """Return the evaluations of the model on the guard's tasks as it was before training, and as it is after."""
    from affectllm.evaluate.run import Evaluation
    from affectllm.train.checkpoints import FINAL

    if (guard := recipe.eval.guard) is None:
        return []
    options = ["--batch_size", str(recipe.eval.batch_size)]
    options += ["--limit", str(guard.limit)] if guard.limit else []
    options += ["--include_path", guard.include_path] if guard.include_path else []
    evaluations = []
    for title, weights in ((BEFORE, recipe.model.path), (AFTER, str(folder / "train" / FINAL))):
        arguments = {"pretrained": weights, **recipe.model.budget.to_json()}
        if recipe.model.processor:
            arguments["processor"] = recipe.model.processor
        asked = {**common, "tasks": guard.tasks, "model": "affectllm", "model_args": arguments, "lm_eval_args": options}
        evaluations.append((f"guard, {title} training", Evaluation(folder / "eval" / GUARD / title, **asked)))
    return evaluations


def _of_references(recipe: Recipe, folder: Path, common: Mapping[str, Any]) -> list[tuple[str, Evaluation]]:
    from affectllm.evaluate.run import Evaluation

    evaluations = []
    for name in recipe.eval.references:
        place = folder / "eval" / REFERENCE / name
        scorable = _with_ceiling(recipe.eval.tasks) if name == "human" else recipe.eval.tasks
        if scorable:
            one = Evaluation(place, model=f"affectllm-{name}", **{**common, "tasks": scorable})
            evaluations.append((f"eval, reference model {name}", one))
    return evaluations


def _with_ceiling(tasks: Sequence[str]) -> list[str]:
    """Return the tasks whose corpus keeps several ratings, and say why the others are left out."""
    from affectllm.evaluate.left_out import without_ceiling
    from affectllm.evaluate.shelf import task_sources

    without = without_ceiling(tasks)
    for task, reason in without.items():
        print(f"{task}: {reason}", file=sys.stderr)
    return [task for task in task_sources(tasks) if task not in without]


def train_only(
    name: str,
    overrides: Sequence[str],
    given_roots: Roots,
    out: Path | None,
    processes: int | None,
    tell: Callable[[str], None] = print,
) -> None:
    """Build and train every variant of a recipe.

    Args:
        tell: takes for each where its model lies, as a line for people.
    """
    from affectllm.train.checkpoints import trained
    from affectllm.train.stage import run_folder

    def one(suffix: str, chosen: Sequence[str]) -> None:
        recipe = load_recipe(name, chosen)
        roots = given_roots.find_all(corpora_of(recipe))
        refuse_leaks(recipe, roots)
        folder = run_folder(recipe, out) / suffix
        with held(folder / LOCK), voice.kept(folder / voice.LOG):
            train(name, recipe, chosen, roots, folder, processes)
        tell(trained(folder / "train", (read_manifest(folder / "train") or {})["outputs"]))

    varied = variants(name, overrides)
    _tell_failed(_each(varied, one)[1], len(varied))
