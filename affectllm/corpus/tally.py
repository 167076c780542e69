"""Count what a corpus holds in one pass over its samples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.audit import wav_header
from affectllm.corpus.card import CorpusCard
from affectllm.corpus.sample import SPLITS, MediaRef, Rejection, Sample
from affectllm.labels import LabelSpace

_PARTS = 10
_BINS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
UNKNOWN = "unknown"


@dataclass
class Tally:
    """Counts of one corpus.

    Args:
        spaces: the label spaces of the corpus, by name.

    Attributes:
        splits: split → samples.
        labels: ``space by rater`` → split → label → samples; numbers are counted in ten equal parts of their range.
        seconds: modality → length of clips in seconds, in bins; ``unknown`` where neither table nor header tells it.
        languages, modalities: how many samples have each.
        speakers, dialogues: how many there are.
        rejections: reason → items that are not used.
    """

    spaces: Mapping[str, LabelSpace]
    splits: Counter[str] = field(default_factory=Counter)
    labels: defaultdict[str, defaultdict[str, Counter[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(Counter))
    )
    seconds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    languages: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    rejections: Counter[str] = field(default_factory=Counter)
    _speakers: set[str] = field(default_factory=set)
    _dialogues: set[str] = field(default_factory=set)

    def add(self, item: Sample | Rejection, root: Path | None = None) -> None:
        """Count one item; with ``root`` the headers of WAV files are read for their length."""
        if isinstance(item, Rejection):
            self.rejections[item.reason] += 1
            return
        self.splits[item.split] += 1
        self.languages[item.language or UNKNOWN] += 1
        self.modalities.update({ref.modality for ref in item.media} | ({"text"} if item.text else set()))
        self._speakers.update([item.speaker] if item.speaker else [])
        self._dialogues.update([item.dialogue] if item.dialogue else [])
        for ref in item.media:
            if ref.modality != "image":
                self.seconds[ref.modality][_bin(_length(ref, root))] += 1
        for annotation in item.annotations:
            named = list(names_of(annotation.value, self.spaces[annotation.space]))
            self.labels[f"{annotation.space} by {annotation.rater}"][item.split].update(named)

    @property
    def speakers(self) -> int:
        """How many speakers are named."""
        return len(self._speakers)

    @property
    def dialogues(self) -> int:
        """How many dialogues are named."""
        return len(self._dialogues)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON types."""
        plain = ("splits", "languages", "modalities", "rejections")
        counts = {name: dict(getattr(self, name).most_common()) for name in plain}
        labels = {key: {s: dict(c.most_common()) for s, c in splits.items()} for key, splits in self.labels.items()}
        seconds = {modality: dict(bins) for modality, bins in self.seconds.items()}
        people = {"speakers": self.speakers, "dialogues": self.dialogues}
        return {**counts, **people, "seconds": seconds, "labels": labels}


def count(items: Iterable[Sample | Rejection], card: CorpusCard, root: Path | None = None) -> Tally:
    """Count a whole stream."""
    tally = Tally({space.name: space for space in card.spaces})
    for item in items:
        tally.add(item, root)
    return tally


def names_of(value: Any, space: LabelSpace) -> Iterator[str]:
    """Yield the labels that an annotation counts as: those of largest weight in a distribution, none of free words."""
    if space.kind in ("open", "spans"):
        return
    if space.kind == "pairs":
        yield from (pair["emotion"] for pair in value)
        return
    if space.kind == "options":
        yield from value["right"]
        return
    if isinstance(value, str):
        yield value
    elif space.bounds is not None:
        yield from (_part(name, number, *space.bounds) for name, number in value.items())
    elif isinstance(value, Mapping):
        largest = max(value.values(), default=0)
        yield from (name for name, weight in value.items() if weight == largest > 0)
    else:
        yield from value


def _part(name: str, number: float, low: float, high: float) -> str:
    """Return the tenth of the range that holds ``number``, named so that parts sort in their order."""
    step = (high - low) / _PARTS
    start = low + step * min(_PARTS - 1, int((number - low) / step))
    return f"{name} {start:+.2f} to {start + step:+.2f}"


def ranked(tally: Tally, key: str) -> list[tuple[str, int]]:
    """Return the labels of one layer over all splits: numbers in their order, names the most frequent first."""
    total: Counter[str] = sum(tally.labels[key].values(), Counter())
    numbers = tally.spaces[key.partition(" by ")[0]].bounds is not None
    order = _numerically if numbers else (lambda item: (-item[1], item[0]))
    return sorted(total.items(), key=order)


def _numerically(item: tuple[str, int]) -> tuple[Any, ...]:
    name, start, *_ = item[0].rsplit(" ", 3)  # "valence +0.10 to +0.20"; a name may have blanks itself
    return name, float(start)


def _length(ref: MediaRef, root: Path | None) -> float | None:
    if ref.start is not None and ref.end is not None:
        return ref.end - ref.start
    path = root / ref.path if root is not None else None
    if path is not None and path.suffix.lower() == ".wav" and path.is_file():
        header = wav_header(path)
        return header[1] if header else None
    return None


def _bin(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    above = next((edge for edge in _BINS if seconds < edge), None)
    return f"under {above:g} s" if above else f"{_BINS[-1]:g} s and more"


def rows(tally: Tally) -> Iterator[str]:
    """Yield the lines of the tally as text for a terminal."""
    splits = [split for split in SPLITS if tally.splits[split]]
    yield "samples   " + ", ".join(f"{split} {tally.splits[split]:,}" for split in splits)
    yield f"people    {tally.speakers:,} speakers, {tally.dialogues:,} dialogues"
    for title, counts in (
        ("language", tally.languages),
        ("modality", tally.modalities),
        ("not used", tally.rejections),
    ):
        if counts:
            yield f"{title:<9} " + ", ".join(f"{name} {number:,}" for name, number in counts.most_common())
    for modality, bins in tally.seconds.items():
        yield f"{modality:<9} " + ", ".join(f"{name}: {number:,}" for name, number in bins.most_common())
    for key, by_split in tally.labels.items():
        if not (labels := ranked(tally, key)[:40]):
            continue
        yield f"\n{key}"
        widest, most = max(len(name) for name, _ in labels), max(number for _, number in labels)
        for name, number in labels:
            shares = "".join(f"{by_split[split][name]:>9,}" for split in splits)
            yield f"  {name:<{widest}} {shares}  {'█' * max(1, round(30 * number / most))}"
