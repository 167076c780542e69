"""Audit a corpus: compare what its card promises with the files on disk, and name every difference.

Rows are read through the corpus's own builder. Clips are opened only through a ``probe`` that the caller hands in,
because opening them belongs to the model room; headers of WAV files are read here.
"""

from __future__ import annotations

import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus.builder import load_builder
from affectllm.corpus.card import CorpusCard
from affectllm.corpus.sample import SPLITS, MediaRef, Rejection, Sample
from affectllm.corpus.splits import shared_speakers

Probe = Callable[[Path, MediaRef], str | None]
Progress = Callable[[int], None]
EXAMPLES = 3
_LONGEST_DETAIL = 200  # characters of what a decoder said
# What an audit reports as a difference; other rejections are only counted, because the release itself has them.
_LOSSES = {
    "file_missing": "files of the release that are not there",
    "media_missing": "without their clip",
    "lfs_pointer": "Git LFS pointers instead of files, run `git lfs pull`",
    "duplicate_id": "more than once",
    "broken_row": "rows that cannot be read",
    "bad_encoding": "lines in an unknown encoding",
    "unknown_label": "with a label that the card does not declare",
    "unknown_name": "named outside the naming scheme",
    "unsafe_path": "pointing outside the corpus",
    "turn_missing": "replies to an utterance that is not there",
}


@dataclass
class AuditReport:
    """The result of an audit: promised and actual counts, and every difference.

    Attributes:
        name: the corpus.
        root: the folder that was read.
        promised: samples per split by the card.
        counts: samples per split on disk; ``found`` in JSON.
        labels: ``space by rater`` → split → label → count, for category and set spaces; a tie counts as ``tie``.
        rejections: reason → count.
        media: modality → number of clips that samples refer to.
        media_problems: reason → count, of clips that were looked into.
        examples: reason → the first few items it applies to.
        probed: whether clips were opened.
        differences: everything that is not as promised, a sentence each.
    """

    name: str
    root: str
    promised: dict[str, int]
    counts: dict[str, int] = field(default_factory=dict)
    labels: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    media: dict[str, int] = field(default_factory=dict)
    media_problems: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    probed: bool = False
    differences: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything is as the card promises."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON types."""
        values = {"found" if name == "counts" else name: value for name, value in vars(self).items()}
        return {**values, "ok": self.ok}

    def render(self) -> str:
        """Return the report as text for a terminal."""
        return "\n".join(_render(self))


class _Ledger:
    """Counts while samples stream by; memory grows with speakers and labels, not with samples."""

    def __init__(self, card: CorpusCard) -> None:
        self.kinds = {space.name: space.kind for space in card.spaces}
        self.samples: Counter[str] = Counter()
        self.labels: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.rejections: Counter[str] = Counter()
        self.media: Counter[str] = Counter()
        self.problems: Counter[str] = Counter()
        self.examples: defaultdict[str, list[str]] = defaultdict(list)
        self.speakers: dict[tuple[str, str], Sample] = {}

    def reject(self, rejection: Rejection) -> None:
        self.rejections[rejection.reason] += 1
        at = f" ({rejection.where})" if rejection.where not in ("", rejection.item) else ""
        self.example(rejection.reason, rejection.item + at)

    def example(self, reason: str, item: str) -> None:
        if len(self.examples[reason]) < EXAMPLES:
            self.examples[reason].append(item)

    def keep(self, sample: Sample) -> None:
        self.samples[sample.split] += 1
        if sample.speaker is not None:
            self.speakers.setdefault((sample.speaker, sample.split), sample)
        for annotation in sample.annotations:
            kind, value = self.kinds[annotation.space], annotation.value
            if kind not in ("category", "set") or not isinstance(value, (str, tuple)):
                continue
            names = (value,) if isinstance(value, str) else value
            counter = self.labels[f"{annotation.space} by {annotation.rater}"][sample.split]
            counter.update(["tie"] if kind == "category" and annotation.tied else names)


def audit(
    name: str,
    root: Path,
    probe_media: bool = True,
    probe: Probe | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Compare the card of ``name`` with the files below ``root``.

    Args:
        probe_media: whether clips are looked into at all.
        probe: opens one clip and returns what is wrong with it (``unreadable``, ``silent``, ``too_long``, …) or None;
            what follows ``": "`` is a detail, which is shown with the examples.
        progress: called with the number of samples after each.

    Raises:
        NotFound: when there is no such corpus.
        MissingCorpus: when ``root`` does not hold it.
    """
    builder = load_builder(name)
    card, ledger = builder.CARD, _Ledger(builder.CARD)
    for item in builder.samples(root):
        if isinstance(item, Rejection):
            ledger.reject(item)
            continue
        ledger.keep(item)
        for ref in item.media:
            ledger.media[ref.modality] += 1
            for problem in dict.fromkeys(_problems(root / ref.path, ref, item, card, probe) if probe_media else ()):
                reason, _, detail = problem.partition(": ")
                ledger.problems[reason] += 1
                ledger.example(reason, f"{item.id} ({ref.path}{': ' if detail else ''}{detail[:_LONGEST_DETAIL]})")
        if progress is not None:
            progress(ledger.samples.total())
    return _report(card, root, ledger, probed=probe_media and probe is not None)


def _report(card: CorpusCard, root: Path, ledger: _Ledger, *, probed: bool) -> AuditReport:
    labels = {
        key: {split: dict(splits[split]) for split in SPLITS if ledger.samples[split]}
        for key, splits in ledger.labels.items()
    }
    return AuditReport(
        name=card.name,
        root=str(root),
        promised=dict(card.counts),
        counts={split: ledger.samples[split] for split in SPLITS if ledger.samples[split] or split in card.counts},
        labels=labels,
        rejections=dict(ledger.rejections.most_common()),
        media=dict(ledger.media),
        media_problems=dict(ledger.problems.most_common()),
        examples=dict(ledger.examples),
        probed=probed,
        differences=list(_differences(card, ledger)),
    )


def _problems(path: Path, ref: MediaRef, sample: Sample, card: CorpusCard, probe: Probe | None) -> Iterator[str]:
    try:
        size = path.stat().st_size if path.is_file() else None
        header = wav_header(path) if size and path.suffix.lower() == ".wav" else None
    except OSError as error:  # a name too long for any file, a disk that does not answer
        yield f"unreadable: {error.strerror}"
        return
    if not size:
        yield "absent" if size is None else "empty_file"
        return
    if header is not None:
        rate, seconds = header
        expected = sample.attributes.get("sample_rate")
        if expected and int(expected) != rate:
            yield "wrong_sample_rate"
        if card.max_seconds and ref.end is None and seconds > card.max_seconds:
            yield "too_long"
    if probe is not None and (reason := probe(path, ref)):
        yield reason


def wav_header(path: Path) -> tuple[int, float] | None:
    """Sample rate in Hz and length in seconds by the header of a RIFF file, or None where it has none."""
    with path.open("rb") as stream:
        if stream.read(4) != b"RIFF" or stream.read(8)[4:] != b"WAVE":
            return None
        rate = bytes_a_second = 0
        while len(head := stream.read(8)) == 8:
            kind, size = struct.unpack("<4sI", head)
            if kind == b"data":
                real = min(size, path.stat().st_size - stream.tell())
                return (rate, real / bytes_a_second) if bytes_a_second else None
            body = stream.read(size + size % 2) if kind == b"fmt " else b""
            if len(body) >= 12:
                rate, bytes_a_second = struct.unpack_from("<II", body, 4)
            elif kind != b"fmt ":
                stream.seek(size + size % 2, 1)
    return None


def _differences(card: CorpusCard, ledger: _Ledger) -> Iterator[str]:
    if card.total is not None and card.total != ledger.samples.total():
        yield f"{ledger.samples.total():,} samples in all, the card promises {card.total:,}"
    for split in SPLITS if card.counts else ():
        promised, count = card.counts.get(split, 0), ledger.samples[split]
        if promised != count:
            less = f"{abs(promised - count):,} {'missing' if count < promised else 'more'}"
            yield f"{split}: {count:,} samples, the card promises {promised:,} ({less})"
    yield from _absent_labels(card, ledger)
    yield from _losses(card, ledger)
    for reason, count in ledger.problems.most_common():
        yield f"{reason}: {count:,} clips: {_first(ledger.examples[reason], count)}"
    if card.speaker_disjoint:
        for speaker, splits in shared_speakers(ledger.speakers.values()).items():
            yield f"speaker {speaker} is in {' and '.join(splits)}, the card promises disjoint speakers"
    if ledger.samples and not ledger.media and set(card.modalities) - {"text"}:
        yield "no clip of any modality is on disk, only text"


def _losses(card: CorpusCard, ledger: _Ledger) -> Iterator[str]:
    """Yield rejections that mean lost data; of those that the card knows of the intact release, only the excess."""
    for reason, count in ledger.rejections.most_common():
        if reason in card.known:
            if count > card.known[reason]:
                examples = _first(ledger.examples[reason], count)
                yield f"{reason}: {count:,} items, the card knows of {card.known[reason]:,}: {examples}"
        elif reason in _LOSSES:
            yield f"{reason}: {count:,} {_LOSSES[reason]}: {_first(ledger.examples[reason], count)}"


def _absent_labels(card: CorpusCard, ledger: _Ledger) -> Iterator[str]:
    for key, splits in ledger.labels.items():
        space = card.space(key.partition(" by ")[0])
        for split in (split for split in SPLITS if ledger.samples[split]):
            if absent := [name for name in space.names if not splits[split][name]]:
                yield f"{split}: {key} has no {', '.join(absent)}"


def _first(examples: list[str], count: int) -> str:
    more = f" and {count - len(examples):,} more" if count > len(examples) else ""
    return ", ".join(examples) + more


def _render(report: AuditReport) -> Iterator[str]:
    yield f"{report.name} in {report.root}"
    yield ""
    rows: list[tuple[str, ...]]
    rows = [(split, f"{report.promised.get(split, 0):,}", f"{count:,}") for split, count in report.counts.items()]
    yield from _table([("split", "promised", "found"), *rows])
    for key, splits in report.labels.items():
        yield f"\n{key}"
        names = sorted({name for counts in splits.values() for name in counts})
        names.sort(key=lambda name: -sum(counts.get(name, 0) for counts in splits.values()))
        rows = [(name, *(f"{counts.get(name, 0):,}" for counts in splits.values())) for name in names]
        yield from _table([("label", *splits), *rows])
    looked = "opened" if report.probed else "not opened"
    clips = ", ".join(f"{count:,} {modality}" for modality, count in report.media.items()) or "none"
    yield f"\nclips: {clips} ({looked})"
    for title, counts in (("not used", report.rejections), ("clips with problems", report.media_problems)):
        if counts:
            yield f"\n{title}"
            rows = [(reason, f"{n:,}", _first(report.examples[reason], n)) for reason, n in counts.items()]
            yield from _table([("reason", "count", "which"), *rows])
    yield f"\n{'as the card promises' if report.ok else 'differences'}"
    yield from (f"  - {difference}" for difference in report.differences)


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        yield "  " + "  ".join(_aligned(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdecimal() and cell.replace(",", "").isdecimal() else cell.ljust(width)
