"""Refuse leakage: training data must not overlap with scored data, across all related corpora."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from affectllm.corpus.family import family
from affectllm.corpus.leaks.overlap import CONTENT, EXAMPLES, NEAR, RECODED, Shared, Source, find_shared
from affectllm.corpus.sample import Sample
from affectllm.errors import Leakage

__all__ = ["family", "refuse_leakage", "refuse_shared"]


def refuse_leakage(
    train: Mapping[str, Iterable[Sample]],
    test: Mapping[str, Iterable[Sample]],
    *,
    recipe: str,
    task: str,
    roots: Mapping[str, Path] | None = None,
) -> None:
    """Refuse training samples that overlap with the samples a task scores.

    Clips, dialogues and ids are compared within a corpus, speakers where its card promises disjoint splits, words (of
    at least six) between corpora of one family, and with ``roots`` the content of clips between corpora.

    With ``roots`` it costs a look at the size of every clip, and the reading of those whose size one of the other side
    has.

    Raises:
        Leakage: names what is shared.
    """
    shared_by_task = find_shared(_sources(train), _sources(test), roots=roots)
    refuse_shared([item for shared in shared_by_task.values() for item in shared], recipe=recipe, task=task)


def refuse_shared(shared: Sequence[Shared], *, recipe: str, task: str) -> None:
    """Refuse what ``find_shared`` found between a recipe's training data and a task.

    Three kinds pass, and only ``affectllm leaks`` shows them: near-duplicate texts, which may be chance, clips that
    sound or look the same, and clips of the same bytes within one corpus, which are the release's own doing and in
    every published score.

    Raises:
        Leakage: names what is shared.
    """
    refused = [
        one for one in shared if one.kind not in (NEAR, RECODED) and (one.kind != CONTENT or one.train != one.scored)
    ]
    if refused:
        named = "; ".join(f"{one.kind}s {_some(one)}" for one in refused)
        raise Leakage(
            f"the recipe {recipe} trains on what the task {task} scores: {named}",
            do="train on another split or corpus, or drop the task from the recipe",
        )


def _sources(samples: Mapping[str, Iterable[Sample]]) -> dict[str, Source]:
    return {name: partial(iter, some) for name, some in samples.items()}


def _some(shared: Shared) -> str:
    more = f" and {shared.count - EXAMPLES} more" if shared.count > EXAMPLES else ""
    where = f" ({shared.path})" if shared.path else ""
    return ", ".join(example.name for example in shared.examples) + more + where
