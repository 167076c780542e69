"""Leakage: what is trained on must not be scored on, along the family tree of the corpora."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from affectllm.corpus.builder import load_builder
from affectllm.corpus.sample import Sample
from affectllm.errors import Leakage

_SHOWN = 5
# Shorter utterances ("Yeah.") recur by chance in any two corpora.
_WORDS = 6


@dataclass
class Seen:
    """Fingerprints of what one side of a comparison holds; memory grows with distinct items, by 16 bytes each.

    Args:
        items: kind (``sample``, ``clip``, ``dialogue``, ``speaker``, ``text``) → digest → a name to show.
    """

    items: dict[str, set[bytes]] = field(default_factory=dict)

    def add(self, sample: Sample, *, related: bool) -> None:
        """Remember a sample; ``related`` remembers its words for comparison with another corpus of the family."""
        for kind, name in _marks(sample, related=related):
            self.items.setdefault(kind, set()).add(_digest(name))


def family(name: str) -> set[str]:
    """A corpus and everything it is built from, transitively; names without a builder are kept."""
    found, waiting = set[str](), [name]
    while waiting:
        corpus = waiting.pop()
        if corpus not in found:
            found.add(corpus)
            waiting += _parents(corpus)
    return found


def _parents(name: str) -> tuple[str, ...]:
    from affectllm import registry

    return load_builder(name).CARD.built_from if name in registry.names("data_builders") else ()


def refuse_leakage(
    train: Mapping[str, Iterable[Sample]], test: Mapping[str, Iterable[Sample]], *, recipe: str, task: str
) -> None:
    """Compare training samples with the samples a task scores.

    Clips, dialogues and ids are compared within a corpus, speakers where its card promises disjoint splits, and words
    (of at least six) between corpora of one family.

    Raises:
        Leakage: names what is shared.
    """
    for test_corpus, scored in test.items():
        kin = [name for name in train if family(name) & family(test_corpus)]
        if not kin:
            continue
        seen = Seen()
        for name in kin:
            for sample in train[name]:
                seen.add(sample, related=name != test_corpus)
        _compare(seen, test_corpus, scored, recipe, task)


def _compare(seen: Seen, corpus: str, scored: Iterable[Sample], recipe: str, task: str) -> None:
    promised = load_builder(corpus).CARD.speaker_disjoint
    shared: dict[str, list[str]] = {}
    for sample in scored:
        for kind, name in _marks(sample, related=True):
            if kind == "speaker" and not promised:
                continue
            if _digest(name) in seen.items.get(kind, ()):
                shared.setdefault(kind, []).append(name)
    if shared:
        named = "; ".join(f"{kind}s {_some(names)}" for kind, names in shared.items())
        raise Leakage(
            f"the recipe {recipe} trains on what the task {task} scores: {named}",
            do="train on another split or corpus, or drop the task from the recipe",
        )


def _some(names: list[str]) -> str:
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else ""
    return ", ".join(distinct[:_SHOWN]) + more


def _marks(sample: Sample, *, related: bool) -> Iterator[tuple[str, str]]:
    yield "sample", f"{sample.corpus}/{sample.id}"
    for ref in sample.media:
        span = "" if ref.start is None and ref.end is None else f"@{ref.start}-{ref.end}"
        yield "clip", f"{sample.corpus}/{ref.path}{span}"
    if sample.dialogue:
        yield "dialogue", f"{sample.corpus}/{sample.dialogue}"
    if sample.speaker:
        yield "speaker", f"{sample.corpus}/{sample.speaker}"
    words = (sample.text or "").lower().split()
    if related and len(words) >= _WORDS:
        yield "text", " ".join(words)


def _digest(name: str) -> bytes:
    return hashlib.blake2b(name.encode(), digest_size=16).digest()
