"""Which samples of a corpus a task scores, and which ones a model may learn from beside it.

A split of the release is one way of choosing, a fold of a cross-validation another: a card has one split only, and a
corpus with five folds (DFEW, MAFW) has clips among its training samples that the other folds test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from affectllm.corpus.sample import TRAIN, Rejection, Sample
from affectllm.errors import NotFound

ALL, FOLD = "all", "fold"
"""Values of ``split`` beside those of samples: the whole corpus, and the test side of a fold."""
_FIELDS = ("language", "speaker", "dialogue")
Conditions = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Selection:
    """The samples of a corpus that are scored.

    Args:
        corpus: its name.
        split: ``test`` or ``validation``; ``all`` for the whole corpus; ``fold`` where ``fold`` chooses.
        where: attribute of the samples → the values that are asked; ``language``, ``speaker`` and ``dialogue`` count as
            attributes. Holds for what is learned from, too.
        fold: attribute and value of the samples that are scored; those with another value are for training.
    """

    corpus: str
    split: str
    where: Conditions = ()
    fold: tuple[str, str] | None = None

    def scores(self, sample: Sample) -> bool:
        """Return whether ``sample`` is scored."""
        if not self._admits(sample):
            return False
        if self.fold is not None:
            return fact(sample, self.fold[0]) == self.fold[1]
        return self.split in (ALL, sample.split)

    def trains(self, sample: Sample) -> bool:
        """Return whether a model may learn from ``sample``: it is of the training side, and not scored."""
        if not self._admits(sample) or self.split == ALL:
            return False
        if self.fold is not None:
            return fact(sample, self.fold[0]) not in (None, self.fold[1])
        return sample.split == TRAIN

    def _admits(self, sample: Sample) -> bool:
        return all(fact(sample, name) in values for name, values in self.where)

    @property
    def only_split(self) -> str | None:
        """The split in which all that is scored lies; None where others must be looked at."""
        return None if self.conditions or self.split == ALL else self.split

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """Attribute → the values that are asked for, the fold among them."""
        return {**dict(self.where), **({self.fold[0]: (self.fold[1],)} if self.fold else {})}

    def __str__(self) -> str:
        chosen = [f"{name}={'|'.join(values)}" for name, values in self.conditions.items()]
        split = [] if self.fold else [self.split]
        return f"{self.corpus}:{','.join([*split, *chosen])}"


def fact(sample: Sample, name: str) -> str | None:
    """Return what a sample has under the name of an attribute, or None."""
    value = getattr(sample, name) if name in _FIELDS else sample.attributes.get(name)
    return None if value is None else str(value)


def scored(items: Iterable[Sample | Rejection], selection: Selection) -> Iterator[Sample | Rejection]:
    """Yield the samples that are scored, and every rejection.

    Raises:
        NotFound: at the end, when a value that is asked for occurs nowhere in the corpus: a typing error would leave
            its samples out without a word.
    """
    values: dict[str, set[str]] = {name: set() for name in selection.conditions}
    some = False
    for item in items:
        if isinstance(item, Rejection):
            yield item
            continue
        some = True
        for name, seen in values.items():
            if (value := fact(item, name)) is not None:
                seen.add(value)
        if selection.scores(item):
            yield item
    if some:
        _check(selection, values)


def _check(selection: Selection, values: Mapping[str, set[str]]) -> None:
    for name, asked in selection.conditions.items():
        if not values[name]:
            raise NotFound(f"no sample of {selection.corpus} has the attribute {name!r}", do="correct where: or fold:")
        if missing := sorted(set(asked) - values[name]):
            has = ", ".join(sorted(values[name])[:20])
            message = f"no sample of {selection.corpus} has {name} {missing[0]!r}"
            raise NotFound(message, do=f"it has {has}; or complete the download")
