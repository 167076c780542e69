"""Count the conversations in files by kind, and the distribution of their answers, in constant memory."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from affectllm.corpus import TRAIN
from affectllm.corpus.store import opened
from affectllm.corpus.tally import Tally, names_of
from affectllm.instruct.conversations import conversation_files
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.sampling import ASKED_SPLITS
from affectllm.instruct.template import Slot
from affectllm.labels import LabelSpace

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 50_000


class Kind(NamedTuple):
    """A kind of conversation: the columns by which they are grouped."""

    corpus: str
    template: str
    space: str
    rater: str
    language: str


def kinds_of(parts: Sequence[Part]) -> dict[Kind, list[Part]]:
    """Group the parts of a mixture by the kind of conversation that they make, in order."""
    by_kind: dict[Kind, list[Part]] = {}
    for part in parts:
        template = part.bind()
        kind = Kind(part.corpus, template.name, template.space.name, template.rater, template.language)
        by_kind.setdefault(kind, []).append(part)
    return by_kind


@dataclass
class Summary:
    """Running count, mean, minimum and maximum of numbers."""

    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    def add(self, number: float, times: int = 1) -> None:
        """Add ``number`` ``times`` times."""
        self.count += times
        self.total += number * times
        self.low, self.high = min(self.low, number), max(self.high, number)

    @property
    def mean(self) -> float:
        return self.total / self.count


@dataclass
class Layer:
    """Answers in one label space, given by one rater.

    Args:
        space: the space.
        rater: who answered.

    Attributes:
        conversations: how many have such an answer.
        empty: of these, answers that name nothing.
        numbers: name → its values; of a distribution, its shares (0 where it has none).
        lengths: of free text, in characters.
    """

    space: LabelSpace
    rater: str
    conversations: int = 0
    empty: int = 0
    numbers: defaultdict[str, Summary] = field(default_factory=lambda: defaultdict(Summary))
    lengths: Summary = field(default_factory=Summary)

    @property
    def key(self) -> str:
        """The key of this layer in ``Tally.labels``."""
        return f"{self.space.name} by {self.rater}"


@dataclass
class Composition:
    """The counts over all conversations.

    Attributes:
        kinds: kind → split → conversations.
        samples: kind → training samples, each counted once, however often it is asked.
        layers: ``space by rater`` → its answers.
        tally: the labels of all layers by split; numbers in tenths of their range, of distributions the largest share.
    """

    kinds: defaultdict[Kind, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    samples: Counter[Kind] = field(default_factory=Counter)
    layers: dict[str, Layer] = field(default_factory=dict)
    tally: Tally = field(default_factory=lambda: Tally({}))

    @property
    def splits(self) -> dict[str, int]:
        """Return split → number of conversations."""
        return {split: sum(counts[split] for counts in self.kinds.values()) for split in ASKED_SPLITS}

    def add(self, slot: Slot, value: Any, split: str, times: int) -> None:
        """Count an answer of one slot."""
        layer = Layer(slot.space, slot.rater)
        layer = self.layers.setdefault(layer.key, layer)
        layer.conversations += times
        if slot.how.free:
            layer.lengths.add(sum(map(len, slot.how.texts(value))), times)
            return
        if isinstance(value, Mapping) and slot.space.names:
            shares = slot.space.kind == "distribution"
            for name in slot.space.names if shares else value:
                layer.numbers[name].add(value.get(name, 0.0), times)
        names = list(names_of(value, slot.space))
        layer.empty += 0 if names else times
        for name in names:
            self.tally.labels[layer.key][split][name] += times


def compose(build: Path, parts: Sequence[Part]) -> Composition:
    """Count the conversations in ``build``, which were made of ``parts``.

    Raises:
        NotFound: when a split has no file.
    """
    slots = {kind: members[0].bind().slots for kind, members in kinds_of(parts).items()}
    spaces = {slot.space.name: slot.space for several in slots.values() for slot in several}
    composition = Composition(tally=Tally(spaces))
    for split, kind, value, first, times in _distinct(build):
        composition.kinds[kind][split] += times
        composition.samples[kind] += times if first and split == TRAIN else 0
        asked = slots.get(kind, ())
        for slot in asked:
            composition.add(slot, value if len(asked) == 1 else value[slot.name], split, times)
    return composition


def _distinct(build: Path) -> Iterator[tuple[str, Kind, Any, bool, int]]:
    """Yield split, kind, value and whether a row is its sample's first copy, with the count of each combination."""
    import pyarrow.compute as compute

    keys = [*Kind._fields, "value", "first"]
    for split, rows in _tables(build, [*keys[:-1], "id"]):
        table = rows.append_column("first", compute.ends_with(rows["id"], "/0")).drop_columns("id")
        # One thread: several would count the same, in an order of their own, and sums of floats depend on it.
        counted = table.group_by(keys, use_threads=False).aggregate([([], "count_all")]).to_pydict()
        for *kind, value, first, times in zip(*(counted[name] for name in (*keys, "count_all")), strict=True):
            yield split, Kind(*kind), json.loads(value), first, times


def _tables(build: Path, columns: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    import pyarrow as pa

    for split in ASKED_SPLITS:
        for path in conversation_files(build, split):
            with opened(path) as file:
                for batch in file.iter_batches(_ROWS, columns=list(columns)):
                    # Grouping knows no JSON; what is stored is its text.
                    plain = [getattr(batch[name], "storage", batch[name]) for name in columns]
                    yield split, pa.table(plain, names=list(columns))
