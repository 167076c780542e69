"""`affectllm leaks`: find overlap between training data and scored tasks, by the corpora's ancestry and by content."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm import registry
from affectllm.corpus import TEST, TRAIN, VALIDATION, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.leaks.overlap import THRESHOLD, Shared, Source, find_shared
from affectllm.corpus.roots import Roots
from affectllm.corpus.selection import Selection, scored
from affectllm.errors import AffectError, MissingCorpus, NotFound, placed, told_at
from affectllm.evaluate.shelf import all_tasks, ours_among, task_sources
from affectllm.instruct.mixture_page import is_mixture, load_mixture
from affectllm.instruct.present import present_roots
from affectllm.train.recipe import Recipe, load_recipe

if TYPE_CHECKING:
    from affectllm.model.fingerprints.alike import Fingerprints

_SHOWN = 100  # characters of a text


def leaks(
    name: str,
    tasks: Sequence[str],
    overrides: Sequence[str],
    given_roots: Roots,
    *,
    threshold: float = THRESHOLD,
    media: bool = True,
    thorough: bool = False,
    as_json: bool = False,
) -> int:
    """Print what the training data of ``name`` share with what ``tasks`` score; return 1 where they share any, else 0.

    Args:
        name: a recipe or a mixture.
        tasks: tasks or groups, or corpora for their test splits; without any those that the recipe names, or all that
            score a corpus at hand.
        threshold: least similarity of near-duplicate texts.
        media: whether the content of clips is compared.
        thorough: whether clips are decoded and compared by what is heard and seen in them, not by their bytes alone.

    Raises:
        NotFound: when there is no such recipe or task, or a corpus has no test split.
        MissingCorpus: when a corpus of either side is not at hand.
        AffectError: when there is no task, or the threshold is out of bounds.
    """
    trained, compared = _training(name, overrides, given_roots, tasks)
    sources = _sources(compared)
    roots = trained | given_roots.find_all(one.corpus for one in sources.values() if one.corpus not in trained)
    train = {corpus: _announced(corpus, source) for corpus, source in training_samples(trained, roots).items()}
    fingerprints = _fingerprints() if thorough and media else None
    shared = shared_with_tasks(train, sources, roots, threshold=threshold, media=media, fingerprints=fingerprints)
    if fingerprints and fingerprints.unknown:
        counts = ", ".join(f"{count:,} {reason}" for reason, count in sorted(fingerprints.unknown.items()))
        print(f"clips that could not be compared by sound or picture: {counts}", file=sys.stderr)
    print(_json(name, sources, shared) if as_json else "\n".join(_rendered(sources, shared)))
    return int(any(shared.values()))


def _fingerprints() -> Fingerprints:
    from affectllm.model.fingerprints.alike import Fingerprints

    return Fingerprints()


def _sources(names: Sequence[str]) -> dict[str, Selection]:
    """Return task or corpus → what is scored: a test split can be compared before there is a task for it."""
    corpora = [name for name in names if name not in registry.names("eval_tasks")]
    corpora = [name for name in corpora if name in registry.names("data_builders")]
    for name in corpora:
        if (counts := load_builder(name).CARD.counts) and TEST not in counts:
            raise NotFound(f"{name} has no test split", do="write a task that scores another split, and name it")
    return task_sources([name for name in names if name not in corpora]) | {
        name: Selection(name, TEST) for name in corpora
    }


def _training(
    name: str, overrides: Sequence[str], given_roots: Roots, tasks: Sequence[str]
) -> tuple[dict[str, Path], Sequence[str]]:
    """Return the corpora of a recipe or a mixture with their folders, and the tasks to compare them with."""
    if not is_mixture(name):
        recipe = load_recipe(name, overrides)
        if not (compared := tasks or recipe.eval.tasks):
            raise AffectError(f"{name} names no task to compare with", do=f"name one: affectllm leaks {name} TASK")
        return given_roots.find_all(recipe.corpora()), compared
    roots, missing = present_roots(load_mixture(name, overrides), given_roots)
    if missing:
        print(f"not compared, since they are not there: {', '.join(missing)}", file=sys.stderr)
    return roots, tasks or _tasks_at_hand(given_roots)


def _tasks_at_hand(roots: Roots) -> list[str]:
    """Return every task whose corpus is available."""
    sources = task_sources(list(all_tasks()))
    at_hand, _ = roots.at_hand(selection.corpus for selection in sources.values())
    return [name for name, selection in sources.items() if selection.corpus in at_hand]


def of_guard(recipe: Recipe) -> list[str]:
    """Return the tasks of a recipe's guard that are ours.

    Raises:
        NotFound: when the guard names a task that nobody has.
    """
    guard = recipe.eval.guard
    with told_at(f"eval.guard of {recipe.name}"):
        return ours_among(guard.tasks, guard.include_path) if guard else []


def corpora_of(recipe: Recipe) -> list[str]:
    """Return the corpora that a recipe trains on or scores.

    Raises:
        NotFound: when it names a task that nobody has.
    """
    scored = [selection.corpus for selection in _sources_of(recipe).values()]
    return list(dict.fromkeys([*recipe.corpora(), *scored]))


def _sources_of(recipe: Recipe) -> dict[str, Selection]:
    guarded = of_guard(recipe)
    with placed(f"eval.tasks of {recipe.name}"):
        return task_sources([*recipe.eval.tasks, *guarded])


def refuse_leaks(recipe: Recipe, roots: Mapping[str, Path]) -> None:
    """Refuse a recipe that trains on what its tasks score.

    Raises:
        Leakage: with the shared items.
    """
    from affectllm.corpus.leaks.leakage import refuse_shared

    sources = _sources_of(recipe)
    train_side = training_samples(recipe.corpora(), roots)
    for task, shared in shared_with_tasks(train_side, sources, roots, threshold=None).items():
        refuse_shared(shared, recipe=recipe.name, task=task)


def shared_with_tasks(
    train: Mapping[str, Source],
    sources: Mapping[str, Selection],
    roots: Mapping[str, Path],
    *,
    threshold: float | None = THRESHOLD,
    media: bool = True,
    fingerprints: Fingerprints | None = None,
) -> dict[str, list[Shared]]:
    """Return task → what it shares with the training data. Tasks that score the same samples are compared once.

    Args:
        train: corpus → its samples to train on.
        sources: task → what it scores.
        roots: folders of all corpora.
        threshold, media: see ``leaks``; None leaves near-duplicate texts out.
        fingerprints: to compare clips by what is heard and seen in them.

    Raises:
        MissingCorpus: when a selection that is scored has no sample, with which nothing can be compared.
    """
    tested = {str(selection): _scored(selection, roots[selection.corpus]) for selection in sources.values()}
    shared = find_shared(train, tested, roots=roots if media else None, threshold=threshold, fingerprints=fingerprints)
    return {task: shared[str(selection)] for task, selection in sources.items()}


def training_samples(corpora: Iterable[str], roots: Mapping[str, Path]) -> dict[str, Source]:
    """Return corpus → its samples for training and validation."""
    return {corpus: samples(corpus, roots[corpus], (TRAIN, VALIDATION)) for corpus in corpora}


def _announced(corpus: str, source: Source) -> Source:
    def read() -> Iterable[Sample]:
        print(f"reading {corpus}", file=sys.stderr, flush=True)
        return source()

    return read


def samples(corpus: str, root: Path, splits: Sequence[str]) -> Callable[[], Iterator[Sample]]:
    """Return a function that reads the samples of some splits of a corpus, from the beginning at every call."""
    return partial(_samples, corpus, root, tuple(splits))


def _scored(selection: Selection, root: Path) -> Source:
    corpus = selection.corpus

    def read() -> Iterator[Sample]:
        rows = (one for one in scored(load_builder(corpus).samples(root), selection) if isinstance(one, Sample))
        if (first := next(rows, None)) is None:
            message = f"{corpus} in {root} has no sample of {_named(selection)}, so nothing can be compared with it"
            hint = f"complete the download (see affectllm audit {corpus}), or name the tasks to compare with"
            raise MissingCorpus(message, do=hint)
        return chain([first], rows)

    return read


def _named(selection: Selection) -> str:
    return str(selection).partition(":")[2] if selection.conditions else f"the split {selection.split}"


def _samples(corpus: str, root: Path, splits: tuple[str, ...]) -> Iterator[Sample]:
    for item in load_builder(corpus).samples(root):
        if isinstance(item, Sample) and item.split in splits:
            yield item


def _json(name: str, sources: Mapping[str, Selection], shared: Mapping[str, Sequence[Shared]]) -> str:
    tasks: dict[str, Any] = {
        task: {
            "corpus": selection.corpus,
            "split": selection.split,
            **({"selection": str(selection)} if selection.conditions else {}),
            "shared": [one.to_json() for one in shared[task]],
        }
        for task, selection in sources.items()
    }
    return json.dumps({"name": name, "clean": not any(shared.values()), "tasks": tasks}, indent=2, ensure_ascii=False)


def _rendered(sources: Mapping[str, Selection], shared: Mapping[str, Sequence[Shared]]) -> Iterator[str]:
    for task, selection in sources.items():
        verdict = "shares with the training data" if shared[task] else "nothing shared"
        scored_part = str(selection).replace(":", ", ", 1).replace(",", ", ").replace(",  ", ", ")
        yield f"{task} ({scored_part}): {verdict}"
        for one in shared[task]:
            yield f"  {_heading(one)}"
            for example in one.examples:
                alike = f", {example.sameness}" if example.sameness else ""
                alike += f", similarity {example.similarity:.2f}" if example.similarity is not None else ""
                yield f"      {_cut(example.name)}{alike}"
                yield f"        train  {example.train}"
                yield f"        scored {example.scored}"
            if (more := one.count - len(one.examples)) > 0:
                yield f"      and {more:,} more"


def _heading(one: Shared) -> str:
    things = one.kind if one.count == 1 else f"{one.kind}s"
    way = one.path or ("the same corpus" if one.train == one.scored else "not related by their cards")
    return f"{one.count:,} {things} of {one.train} ({way})"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
