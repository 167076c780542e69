"""The family tree of corpora: which is built from which, by their cards."""

from __future__ import annotations

from affectllm import registry
from affectllm.corpus.builder import load_builder


def family(name: str) -> set[str]:
    """Return a corpus and everything it is built from, transitively; names without a builder are kept."""
    return set(_lines(name))


def descent(train: str, scored: str) -> str:
    """Return how two corpora are related, by the shortest path, or "" where they are not.

    An arrow points from the older corpus to the one that is built from it: ``reccon ← dailydialog``,
    ``dailydialog → reccon``, ``child ← base → sibling``.
    """
    ours, theirs = _lines(train), _lines(scored)
    common = sorted(ours.keys() & theirs.keys(), key=lambda name: (len(ours[name]) + len(theirs[name]), name))
    if not common:
        return ""
    return " → ".join([" ← ".join(ours[common[0]]), *reversed(theirs[common[0]][:-1])])


def _lines(name: str) -> dict[str, tuple[str, ...]]:
    """Return each ancestor → the shortest path from ``name`` to it, both included."""
    lines: dict[str, tuple[str, ...]] = {}
    waiting: list[tuple[str, ...]] = [(name,)]
    while waiting:
        line = waiting.pop(0)
        if line[-1] not in lines:
            lines[line[-1]] = line
            waiting += [(*line, parent) for parent in _parents(line[-1])]
    return lines


def _parents(name: str) -> tuple[str, ...]:
    return load_builder(name).CARD.built_from if name in registry.names("data_builders") else ()
