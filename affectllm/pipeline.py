"""The whole line for one recipe: build → train → eval → report, each stage a run folder that is skipped or resumed."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.train.recipe import Recipe, load_recipe, variants

REFERENCE = "reference"
MODALITIES = "modalities"


def run(
    name: str, overrides: Sequence[str], pairs: Sequence[str], out: Path | None, processes: int | None
) -> list[Path]:
    """Run a recipe, or every variant of its ``matrix``, and return the reports.

    Raises:
        AffectError: with what to do; starting the same command again goes on where it stopped.
    """
    return [_run(name, chosen, pairs, out, suffix, processes) for suffix, chosen in variants(name, overrides)]


def _run(
    name: str, overrides: Sequence[str], pairs: Sequence[str], out: Path | None, suffix: str, processes: int | None
) -> Path:
    from affectllm.report.html import render_report
    from affectllm.train import stage

    recipe = load_recipe(name, overrides)
    roots = stage.find_roots(_corpora(recipe), pairs)
    folder = stage.run_folder(recipe, out) / suffix
    refuse_leaks(recipe, roots)
    train(name, recipe, overrides, roots, folder, processes)
    if recipe.eval.tasks:
        score(recipe, roots, folder)
    _say("report")
    report = render_report([folder], folder / "report.html", roots)
    print(f"report: {report}")
    return report


def train(
    name: str,
    recipe: Recipe,
    overrides: Sequence[str],
    roots: Mapping[str, Path],
    folder: Path,
    processes: int | None = None,
) -> None:
    """Build in this process, then train in those of the launch configuration."""
    from affectllm.model.load import resolve_backbone
    from affectllm.run import read_manifest
    from affectllm.train import stage
    from affectllm.train.launch import launch

    resolve_backbone(recipe.model.path, recipe.model.backbone)  # a wrong checkpoint is refused before any work
    _say("build")
    stage.build(recipe, {corpus: roots[corpus] for corpus in recipe.corpora()}, folder)
    _say("train")
    arguments = [name, "--out", str(folder)]
    arguments += [word for override in overrides for word in ("--set", override)]
    arguments += [word for corpus in recipe.corpora() for word in ("--root", f"{corpus}={roots[corpus]}")]
    done = read_manifest(folder / "train")
    if done and done["finished"] and done["inputs"] == stage.train_inputs(recipe, folder):
        return
    launch(recipe, arguments, processes=processes)


def score(recipe: Recipe, roots: Mapping[str, Path], folder: Path) -> None:
    """Score the tuned model, its modality ablations and the reference models."""
    from affectllm.evaluate.run import evaluate
    from affectllm.train.stage import FINAL, identity

    tuned = {"pretrained": str(folder / "train" / FINAL), **recipe.model.budget.to_json()}
    common: dict[str, Any] = {"roots": roots, "inputs": {"corpora": {n: identity(n, r) for n, r in roots.items()}}}
    options = ["--batch_size", str(recipe.eval.batch_size)]
    if recipe.eval.limit is not None:
        options += ["--limit", str(recipe.eval.limit)]
    _say("eval")
    common["lm_eval_args"] = options
    tasks = recipe.eval.tasks
    evaluate(tasks, "affectllm", folder / "eval", model_args=tuned, **common)
    for shown in recipe.eval.ablations:
        label = "+".join(shown)
        _say(f"eval, {label} only")
        place = folder / "eval" / MODALITIES / label
        evaluate(tasks, "affectllm", place, model_args=tuned, modalities=shown, **common)
    for reference in recipe.eval.references:
        _say(f"eval, reference model {reference}")
        place = folder / "eval" / REFERENCE / reference
        evaluate(tasks, f"affectllm-{reference}", place, **common)


def refuse_leaks(recipe: Recipe, roots: Mapping[str, Path]) -> None:
    """Refuse a recipe that trains on what its tasks score.

    Raises:
        Leakage: with the shared items.
    """
    from affectllm.corpus import TRAIN, VALIDATION, Sample
    from affectllm.corpus.builder import load_builder
    from affectllm.corpus.leakage import refuse_leakage
    from affectllm.evaluate.sources import task_sources

    def samples(corpus: str, splits: tuple[str, ...]) -> Any:
        found = load_builder(corpus).samples(roots[corpus])
        return (item for item in found if isinstance(item, Sample) and item.split in splits)

    for task, (corpus, split) in task_sources(recipe.eval.tasks).items():
        train_side = {name: samples(name, (TRAIN, VALIDATION)) for name in recipe.corpora()}
        refuse_leakage(train_side, {corpus: samples(corpus, (split,))}, recipe=recipe.name, task=task)


def _corpora(recipe: Recipe) -> list[str]:
    from affectllm.evaluate.sources import task_sources

    scored = [corpus for corpus, _ in task_sources(recipe.eval.tasks).values()]
    return list(dict.fromkeys([*recipe.corpora(), *scored]))


def _say(stage: str) -> None:
    print(f"── {stage}", file=sys.stderr, flush=True)


def build(
    names: Sequence[str],
    overrides: Sequence[str],
    pairs: Sequence[str],
    out: Path | None,
    *,
    stats: bool = False,
    workers: int = 1,
) -> None:
    """Build the data of a recipe, or the samples of corpora, and print what came out; with ``stats`` also its tally."""
    from affectllm import registry
    from affectllm.corpus import shards
    from affectllm.train import stage

    if len(names) == 1 and (names[0] in registry.names("recipes") or names[0].endswith((".yaml", ".yml"))):
        recipe = load_recipe(names[0], overrides)
        folder = stage.run_folder(recipe, out)
        roots = stage.find_roots(recipe.corpora(), pairs)
        counts = stage.build(recipe, roots, folder)
        _print_counts(counts, folder / "build")
        for name in recipe.corpora() if stats else ():
            _stats(name, roots[name], folder / "build" / "samples" / name)
        return
    _refuse_misspelt_recipe(names)
    roots = stage.find_roots(names, pairs)
    with shards.pool(workers) as processes:
        for name in names:
            folder = (out or stage.RUNS / "samples") / name
            _print_counts(stage.build_samples(name, roots[name], folder, processes, workers), folder)
            if stats:
                _stats(name, roots[name], folder)


def _stats(name: str, root: Path, folder: Path) -> None:
    """Print the tally of a corpus, and leave it as JSON and as a figure beside its samples."""
    from affectllm.corpus.builder import load_builder
    from affectllm.corpus.tally import count, rows
    from affectllm.report.gallery import write_stats

    card = load_builder(name).CARD
    tally = count(load_builder(name).samples(root), card, root)
    print("\n".join(["", name, *rows(tally)]))
    for path in write_stats(tally, folder, card.title):
        print(f"written to {path}")


def gallery(name: str, pairs: Sequence[str], out: Path | None, limit: int) -> None:
    """Write a page with samples of a corpus and print its path."""
    from affectllm.corpus.roots import locate, parse_roots
    from affectllm.report.gallery import render_gallery
    from affectllm.train.stage import RUNS

    page = out or RUNS / "gallery" / f"{name}.html"
    print(render_gallery(name, locate(name, parse_roots(pairs)), page, limit))


def _refuse_misspelt_recipe(names: Sequence[str]) -> None:
    from affectllm import registry

    nearest = difflib.get_close_matches(names[0], [*registry.names("data_builders"), *registry.names("recipes")], n=1)
    if len(names) == 1 and nearest and nearest[0] in registry.names("recipes"):
        registry.find("recipes", names[0])  # raises, naming what was meant


def _print_counts(counts: Mapping[str, Any], folder: Path) -> None:
    for kind in ("samples", "conversations", "rejected"):
        for name, count in counts.get(kind, {}).items():
            print(f"{kind:>14}  {name:<24} {count}")
    print(f"written to {folder}")


def train_only(
    name: str, overrides: Sequence[str], pairs: Sequence[str], out: Path | None, processes: int | None
) -> None:
    """Build and train every variant of a recipe."""
    from affectllm.train import stage

    for suffix, chosen in variants(name, overrides):
        recipe = load_recipe(name, chosen)
        roots = stage.find_roots(_corpora(recipe) if recipe.eval.tasks else recipe.corpora(), pairs)
        refuse_leaks(recipe, roots)
        train(name, recipe, chosen, roots, stage.run_folder(recipe, out) / suffix, processes)


def report(runs: Sequence[Path], out: Path | None, pairs: Sequence[str]) -> None:
    """Render one page about runs and print its path."""
    from affectllm.report.html import render_report

    print(render_report(runs, out, _roots_at_hand(runs, pairs)))


def publish(folder: Path, repo_id: str, dry_run: bool, private: bool, pairs: Sequence[str]) -> None:
    """Publish a run and print where it went."""
    from affectllm.report.publish import publish as send

    print(send(folder, repo_id, dry_run=dry_run, private=private, roots=_roots_at_hand([folder], pairs)))


def _roots_at_hand(runs: Sequence[Path], pairs: Sequence[str]) -> dict[str, Path]:
    """Folders of the runs' corpora, as far as they are known here; a report says which clips it had to leave out."""
    from affectllm.corpus.roots import locate, parse_roots
    from affectllm.errors import MissingCorpus
    from affectllm.run import read_manifest

    given = parse_roots(pairs)
    manifests = [read_manifest(run / "eval") or {} for run in runs]
    names = {name for manifest in manifests for name in manifest.get("inputs", {}).get("roots", {})}
    names |= {path.name for run in runs for path in (run / "build" / "samples").glob("*")}
    found = dict(given)
    for name in sorted(names - set(given)):
        try:
            found[name] = locate(name, given)
        except MissingCorpus:
            continue
    return found
