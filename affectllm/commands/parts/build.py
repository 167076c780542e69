"""`affectllm build`: corpora into samples; recipes and mixtures into conversations, with a card and a gallery."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import shards
from affectllm.corpus.roots import Roots
from affectllm.corpus.stage import build_samples
from affectllm.errors import Malformed
from affectllm.instruct.conversations import FOLDER
from affectllm.instruct.mixture_page import MixturePage, is_mixture, load_mixture
from affectllm.instruct.present import present_roots
from affectllm.instruct.stage import build_mixture
from affectllm.run import RUNS
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import run_folder


def build(
    names: Sequence[str],
    overrides: Sequence[str],
    given_roots: Roots,
    out: Path | None,
    *,
    filters: Sequence[str] = (),
    stats: bool = False,
    workers: int = 1,
) -> None:
    """Build a mixture, the data of a recipe, or the samples of corpora, and print the counts.

    Args:
        filters: fields of the mixture to override, as ``key=value``; samples without a question have none.
        stats: also print and draw label distributions, lengths and what is lost, for each corpus.
    """
    with shards.pool(workers) as processes:
        if len(names) == 1 and is_mixture(names[0]):
            page = load_mixture(names[0], [*overrides, *filters])
            roots, missing = present_roots(page, given_roots)
            folder = out or RUNS / "mixtures" / page.name
            counts = build_mixture(_present(page, roots), page.seed, roots, folder, processes, workers)
            _print_counts(counts, folder / "build")
            _print_missing(page, counts, missing)
            _describe(page, counts, missing, folder / "build", roots)
        elif len(names) == 1 and _is_recipe(names[0]):
            recipe = load_recipe(names[0], [*overrides, *(f"data.{text}" for text in filters)])
            folder = run_folder(recipe, out)
            roots = given_roots.find_all(recipe.corpora())
            counts = build_mixture(recipe.data, recipe.seed, roots, folder, processes, workers)
            _print_counts(counts, folder / "build")
            _show(recipe.name, folder / "build", roots)
        else:
            _refuse_misspelt(names)
            if filters:
                raise Malformed("only mixtures and recipes are filtered", do="drop --only and --languages")
            roots = given_roots.find_all(names)
            for name in names:
                folder = (out or RUNS / "samples") / name
                _print_counts(build_samples(name, roots[name], folder, processes, workers), folder)
                if stats:
                    _stats(name, roots[name], folder)
            return
    if stats:
        for name in counts["samples"]:  # without what a filter left out
            _stats(name, roots[name], folder / "build" / "samples" / name)


def _is_recipe(name: str) -> bool:
    return name in registry.names("recipes") or name.endswith((".yaml", ".yml"))


def _present(page: MixturePage, roots: Mapping[str, Path]) -> MixturePage:
    """Return the page with only the parts whose corpora are present."""
    return replace(page, mixture=tuple(part for part in page.mixture if part.corpus in roots))


def _print_missing(page: MixturePage, counts: Mapping[str, Any], missing: Mapping[str, str]) -> None:
    """Print which corpora the mixture lacks, and how large it would be with all of them."""
    for name, reason in counts["left_out"].items():
        print(f"{'left out':>14}  {name:<24} {reason}")
    for name in missing:
        print(f"{'missing':>14}  {name:<24} affectllm show {name} says how to get it")
    if page.expected is not None:
        built, full = counts["conversations"]["train"], page.expected
        print(
            f"{built:,} training conversations; about {full:,} when all {len(page.corpora())} corpora are there whole"
        )


def _describe(
    page: MixturePage, counts: Mapping[str, Any], missing: Mapping[str, str], build: Path, roots: Mapping[str, Path]
) -> None:
    """Write the card, its figure and the gallery, and print their paths."""
    from affectllm.report.cards.dataset_card import write_dataset_card

    for path in write_dataset_card(page, counts, missing, build):
        print(f"written to {path}")
    _show(page.name, build, roots)


def _show(name: str, build: Path, roots: Mapping[str, Path]) -> None:
    """Write the gallery of the built conversations, and print its path."""
    from affectllm.report.galleries.conversation_gallery import render_conversations

    print(f"written to {render_conversations(name, build, roots)}")


def _stats(name: str, root: Path, folder: Path) -> None:
    """Print the label counts of a corpus, and write them as JSON and as a figure beside its samples."""
    from affectllm.corpus.builder import load_builder
    from affectllm.corpus.tally import count, rows
    from affectllm.report.galleries.gallery import write_stats

    card = load_builder(name).CARD
    tally = count(load_builder(name).samples(root), card, root)
    print("\n".join(["", name, *rows(tally)]))
    for path in write_stats(tally, folder, card.title):
        print(f"written to {path}")


def gallery(name: str, given_roots: Roots, out: Path | None, limit: int) -> None:
    """Write a page with samples of a corpus, or with conversations of a folder, and print its path."""
    from affectllm.report.galleries.conversation_gallery import render_conversations
    from affectllm.report.galleries.gallery import render_gallery

    if (built := _conversations(Path(name))) is not None:
        called = built.resolve().parent.name if built.name == "build" else built.resolve().name
        print(render_conversations(called, built, given_roots.given, limit, out))
        return
    page = out or RUNS / "gallery" / f"{name}.html"
    print(render_gallery(name, given_roots.find(name), page, limit))


def _conversations(folder: Path) -> Path | None:
    """Return the folder with ``conversations/``: this one, or ``build`` of this run; None where neither has it."""
    return next((place for place in (folder, folder / "build") if (place / FOLDER).is_dir()), None)


def _refuse_misspelt(names: Sequence[str]) -> None:
    """Raise for a single name that resembles a recipe or a mixture most; corpora are looked up later."""
    recipes, mixtures = registry.names("recipes"), registry.names("recipes/mixtures")
    near = difflib.get_close_matches(names[0], [*registry.names("data_builders"), *recipes, *mixtures], n=1)
    if len(names) == 1 and near and near[0] in recipes:
        registry.find("recipes", names[0])  # raises, naming what was meant
    if len(names) == 1 and near and near[0] in mixtures:
        registry.find("recipes/mixtures", names[0])


def _print_counts(counts: Mapping[str, Any], folder: Path) -> None:
    for kind in ("samples", "conversations", "rejected"):
        for name, count in counts.get(kind, {}).items():
            print(f"{kind:>14}  {name:<24} {count}")
    print(f"written to {folder}")
