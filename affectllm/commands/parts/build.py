"""`affectllm build`: corpora into samples; recipes and mixtures into conversations, with a card and a gallery."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
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
from affectllm.processes import usable_cores
from affectllm.run import RUNS
from affectllm.train.recipe import Recipe, load_recipe
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
    tell: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """Build a mixture, the data of a recipe, or the samples of corpora, and tell the counts.

    Args:
        filters: fields of the mixture to override, as ``key=value``; samples without a question have none.
        workers: processes, of which no more are started than there are cores: each reads the whole corpus.
        stats: also tell and draw label distributions, lengths and what is lost, for each corpus.
        tell: takes the lines that a person reads.

    Returns:
        For each thing built its ``name``, ``folder``, counts (``samples``, ``conversations``, ``rejected`` …), the
        paths of what else was ``written``, of a mixture what is ``missing``, and, where asked for, ``stats`` by corpus.
    """
    if workers > (cores := usable_cores()):
        started = f"{cores} process{'es' if cores > 1 else ''}"  # each reads the whole corpus
        tell(f"{started} in place of {workers}: there are no more cores to use")
        workers = cores
    with shards.pool(workers) as processes:
        making = _Making(given_roots, out, stats, workers, processes, tell)
        if len(names) == 1 and is_mixture(names[0]):
            return [making.mixture(load_mixture(names[0], [*overrides, *filters]))]
        if len(names) == 1 and _is_recipe(names[0]):
            return [making.recipe(load_recipe(names[0], [*overrides, *(f"data.{text}" for text in filters)]))]
        _refuse_misspelt(names)
        if filters:
            raise Malformed("only mixtures and recipes are filtered", do="drop --only and --languages")
        return making.corpora(names)


@dataclass(frozen=True)
class _Making:
    """Builds things with the same options; each method returns what ``build`` says of one."""

    given: Roots
    out: Path | None
    stats: bool
    workers: int
    processes: Executor | None
    tell: Callable[[str], None]

    def mixture(self, page: MixturePage) -> dict[str, Any]:
        roots, missing = present_roots(page, self.given)
        folder = self.out or RUNS / "mixtures" / page.name
        counts = build_mixture(_present(page, roots), page.seed, roots, folder, self.processes, self.workers)
        self._tell_counts(counts, folder / "build")
        self._tell_missing(page, counts, missing)
        written = self._tell_written(_describe(page, counts, missing, folder / "build", roots))
        facts = {"name": page.name, "folder": str(folder / "build"), **counts, "missing": dict(missing)}
        return {**facts, "expected": page.expected, "written": written, **self._of_corpora(counts, folder, roots)}

    def recipe(self, recipe: Recipe) -> dict[str, Any]:
        folder, roots = run_folder(recipe, self.out), self.given.find_all(recipe.corpora())
        counts = build_mixture(recipe.data, recipe.seed, roots, folder, self.processes, self.workers)
        self._tell_counts(counts, folder / "build")
        written = self._tell_written([_gallery(recipe.name, folder / "build", roots)])
        facts = {"name": recipe.name, "folder": str(folder / "build"), **counts, "written": written}
        return {**facts, **self._of_corpora(counts, folder, roots)}

    def corpora(self, names: Sequence[str]) -> list[dict[str, Any]]:
        roots, every = self.given.find_all(names), []
        for name in names:
            folder = (self.out or RUNS / "samples") / name
            counts = build_samples(name, roots[name], folder, self.processes, self.workers)
            self._tell_counts(counts, folder)
            facts = {"name": name, "folder": str(folder), **counts}
            every.append(facts | ({"stats": {name: self._stats(name, roots[name], folder)}} if self.stats else {}))
        return every

    def _of_corpora(self, counts: Mapping[str, Any], folder: Path, roots: Mapping[str, Path]) -> dict[str, Any]:
        if not self.stats:
            return {}
        samples = folder / "build" / "samples"  # without those of corpora that a filter left out
        return {"stats": {name: self._stats(name, roots[name], samples / name) for name in counts["samples"]}}

    def _stats(self, name: str, root: Path, folder: Path) -> dict[str, Any]:
        """Count the labels of a corpus, and write them as JSON and as a figure beside its samples."""
        from affectllm.corpus.builder import load_builder
        from affectllm.corpus.tally import count, rows
        from affectllm.report.galleries.gallery import write_stats

        card = load_builder(name).CARD
        tally = count(load_builder(name).samples(root), card, root)
        self.tell("\n".join(["", name, *rows(tally)]))
        self._tell_written(write_stats(tally, folder, card.title))
        return tally.to_json()

    def _tell_counts(self, counts: Mapping[str, Any], folder: Path) -> None:
        for kind in ("samples", "conversations", "rejected"):
            for name, count in counts.get(kind, {}).items():
                self.tell(f"{kind:>14}  {name:<24} {count}")
        self._tell_written([folder])

    def _tell_written(self, paths: Sequence[Path]) -> list[str]:
        for path in paths:
            self.tell(f"written to {path}")
        return list(map(str, paths))

    def _tell_missing(self, page: MixturePage, counts: Mapping[str, Any], missing: Mapping[str, str]) -> None:
        """Tell which corpora the mixture lacks, and how large it would be with all of them."""
        for name, reason in counts["left_out"].items():
            self.tell(f"{'left out':>14}  {name:<24} {reason}")
        for name in missing:
            self.tell(f"{'missing':>14}  {name:<24} affectllm show {name} says how to get it")
        if page.expected is not None:
            made, all_of_it = counts["conversations"]["train"], f"all {len(page.corpora())} corpora are there whole"
            self.tell(f"{made:,} training conversations; about {page.expected:,} when {all_of_it}")


def _is_recipe(name: str) -> bool:
    return name in registry.names("recipes") or name.endswith((".yaml", ".yml"))


def _present(page: MixturePage, roots: Mapping[str, Path]) -> MixturePage:
    """Return the page with only the parts whose corpora are present."""
    return replace(page, mixture=tuple(part for part in page.mixture if part.corpus in roots))


def _describe(
    page: MixturePage, counts: Mapping[str, Any], missing: Mapping[str, str], build: Path, roots: Mapping[str, Path]
) -> list[Path]:
    """Write the card, its figure and the gallery, and return their paths."""
    from affectllm.report.cards.dataset_card import write_dataset_card

    return [*write_dataset_card(page, counts, missing, build), _gallery(page.name, build, roots)]


def _gallery(name: str, build: Path, roots: Mapping[str, Path]) -> Path:
    """Write the gallery of the built conversations, and return its path."""
    from affectllm.report.galleries.conversation_gallery import render_conversations

    return render_conversations(name, build, roots)


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
