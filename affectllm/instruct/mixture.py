"""Mixtures: which samples are asked which questions, how often, in what order, with what seed. TRAIN only.

A build goes through blocks of samples, each a pure function of the mixture and the block, so that its bytes are the
same from any number of processes and after a kill; what is finished is skipped. Memory does not grow with rows but for
what is asked for: the draws below a cap, the duplicates that are dropped, a number a row for an order.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from affectllm.corpus import TRAIN, Rejection, Sample, shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.store import Writer, read_rows
from affectllm.errors import AffectError, Malformed
from affectllm.instruct.conversations import Order, conversation_schema, gather
from affectllm.instruct.dropped import find_duplicates
from affectllm.instruct.part import Part
from affectllm.instruct.plan import ASKED_SPLITS, Census, Decision, Plan
from affectllm.run import write_json

GROUPS_PER_BLOCK = 10
WORK, REJECTED, COUNTS = ".work", "rejected.jsonl", "counts.json"


@dataclass(frozen=True)
class Mixture:
    """What a training set is made of.

    Args:
        mixture: parts, in order.
        validation_rows: at most this many validation samples per part; None for all.
        temperature: T above 1 brings parts of different size nearer to each other: a part of n samples is weighted
            by n^(1/T), and the expected total stays (Arivazhagan et al., arXiv 1907.05019, section 3).
        order: of the training conversations; ``stages`` and ``short_first`` are curricula.
        deduplicate: training samples that are dropped: ``text`` (equal words), ``near_text`` (estimated Jaccard
            similarity of their word pairs of at least 0.7), ``media`` (equal bytes); across all corpora, the first
            one stays.
        languages: BCP-47 tags of the samples that are asked; None for all.
        only: ``commercial`` leaves out corpora whose licence forbids commercial use.
    """

    mixture: tuple[Part, ...]
    validation_rows: int | None = 500
    temperature: float = 1.0
    order: Order = "given"
    deduplicate: tuple[Literal["text", "near_text", "media"], ...] = ()
    languages: tuple[str, ...] | None = None
    only: Literal["any", "commercial"] = "any"

    def corpora(self) -> list[str]:
        """Names of the corpora of the parts, in order."""
        return list(dict.fromkeys(part.corpus for part in self.mixture))

    def check(self) -> None:
        """Raise ``Malformed`` with the field as its place when a number is out of range."""
        if self.temperature <= 0:
            told = "1 leaves the sizes as they are; larger ones bring them nearer"
            raise Malformed("a temperature is above 0", where="temperature", do=told)
        if self.validation_rows is not None and self.validation_rows < 0:
            raise Malformed("validation_rows is a number of rows, or null for all", where="validation_rows")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Block:
    """Consecutive row groups of a split of a corpus."""

    number: int
    corpus: str
    split: str
    groups: tuple[int, ...]


def build(
    mixture: Mixture,
    roots: Mapping[str, Path],
    out: Path,
    seed: int,
    processes: Executor | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Write ``samples/<corpus>/<split>.parquet``, ``conversations/<split>-*.parquet`` and ``rejected.jsonl``.

    Args:
        mixture: what is built.
        roots: corpus name → folder, for every corpus that is to be used.
        out: folder to write into.
        seed: of every draw.
        processes: where ``workers`` processes run; None for this one.

    Returns:
        Counts: ``samples`` per corpus and split, ``conversations`` per split, ``rejected`` per reason, ``left_out``
        corpus → reason, ``parts`` conversations per corpus and template.

    Raises:
        AffectError: when the mixture yields no training conversation at all.
    """
    mixture.check()
    for part in mixture.mixture:
        part.bind()
    left_out = _left_out(mixture)
    kept = [name for name in mixture.corpora() if name not in left_out]
    if not kept:
        told = ", ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise AffectError(f"every corpus of the mixture is left out ({told})", do="relax the filter, or add corpora")
    (out / WORK).mkdir(parents=True, exist_ok=True)
    stored = {name: _store(name, roots[name], out, processes, workers) for name in kept}
    dropped = _remembered(out / WORK / "dropped.json", lambda: find_duplicates(mixture.deduplicate, kept, out, roots))
    logs = {out / WORK / "corpora" / name / REJECTED: made["rejected"] for name, made in stored.items()}
    found = converse(mixture, kept, out, seed, processes, dropped, logs)
    shutil.rmtree(out / WORK)
    return {"samples": {name: made["samples"] for name, made in stored.items()}, **found, "left_out": left_out}


def converse(
    mixture: Mixture,
    corpora: Sequence[str],
    out: Path,
    seed: int,
    processes: Executor | None = None,
    dropped: Mapping[str, Mapping[str, str]] | None = None,
    logs: Mapping[Path, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Ask the samples that are stored in ``out``: its conversations, and counts as ``build`` returns them.

    Args:
        corpora: those that are stored there.
        dropped: corpus → sample id → what it repeats: training samples that are not asked.
        logs: files of rejections that come first in ``rejected.jsonl``, with their counts.
    """
    plans = [Plan(part, seed, mixture.validation_rows) for part in mixture.mixture]
    blocks = list(_blocks(corpora, out))
    work = _Work(mixture, seed, out, dropped or {})
    decided = [asdict(decision) for decision in _decide(plans, work, blocks, processes)]
    counts = work.run(_render, blocks, processes, "asking", decided)
    return _put_together(mixture, seed, out, blocks, counts, logs or {})


def _left_out(mixture: Mixture) -> dict[str, str]:
    """Corpora that a filter leaves out as a whole, and why."""
    found = {}
    for name in mixture.corpora():
        card = load_builder(name).CARD
        if mixture.only == "commercial" and not card.commercial:
            found[name] = "licence"
        elif mixture.languages is not None and not {*mixture.languages, "und"} & set(card.languages):
            found[name] = "language"
    return found


def _store(name: str, root: Path, out: Path, processes: Executor | None, workers: int) -> dict[str, Any]:
    """The samples of a corpus, built once; counts of samples and rejections."""
    place = out / WORK / "corpora" / name

    def built() -> dict[str, Any]:
        made = shards.build(name, root, place, processes, workers)
        target = out / "samples" / name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        (place / "samples" / name).rename(target)
        return made

    return dict(_remembered(out / WORK / f"{name}.json", built))


def _remembered(note: Path, make: Callable[[], Any]) -> Any:
    """What ``make`` returned the first time, as JSON."""
    if not note.is_file():
        write_json(note, make())
    return json.loads(note.read_text(encoding="utf-8"))


def _blocks(corpora: Sequence[str], out: Path) -> Iterator[Block]:
    import pyarrow.parquet as parquet

    number = 0
    for split in ASKED_SPLITS:
        for name in corpora:
            groups = range(parquet.read_metadata(out / "samples" / name / f"{split}.parquet").num_row_groups)
            for start in range(0, len(groups), GROUPS_PER_BLOCK):
                yield Block(number, name, split, tuple(groups[start : start + GROUPS_PER_BLOCK]))
                number += 1


@dataclass(frozen=True)
class _Work:
    """What every block is worked on with."""

    mixture: Mixture
    seed: int
    out: Path
    dropped: Mapping[str, Mapping[str, str]]

    def run(
        self, task: Callable[..., Any], blocks: Sequence[Block], processes: Executor | None, said: str, decided: Any
    ) -> list[Any]:
        """``task(work, block, decided)`` of every block, in their order."""
        from tqdm import tqdm

        calls = [(self._of(block.corpus), block, decided) for block in blocks]
        if processes is None:
            made: Iterator[Any] = (task(work, block, told) for work, block, told in calls)
        else:
            futures = [processes.submit(task, work, block, told) for work, block, told in calls]
            made = (future.result() for future in futures)
        return list(tqdm(made, total=len(calls), desc=said, unit=" blocks", mininterval=0.5))

    def _of(self, corpus: str) -> _Work:
        """Only what a block of ``corpus`` needs: processes get it by pickle."""
        return replace(self, dropped={corpus: self.dropped.get(corpus, {})})

    def plans(self, corpus: str, decided: Sequence[Mapping[str, Any]] | None) -> list[tuple[int, Plan]]:
        """The parts that draw on ``corpus``, by their number."""
        rows = self.mixture.validation_rows
        return [
            (number, Plan(part, self.seed, rows, Decision(**decided[number]) if decided else None))
            for number, part in enumerate(self.mixture.mixture)
            if part.corpus == corpus
        ]

    def samples(self, block: Block) -> Iterator[Sample | Rejection]:
        """The samples of a block, or why they are left out before anything is asked."""
        file = self.out / "samples" / block.corpus / f"{block.split}.parquet"
        gone = self.dropped.get(block.corpus, {}) if block.split == TRAIN else {}
        for row in read_rows(file, block.groups):
            sample = Sample.from_json(row)
            if kept := gone.get(sample.id):
                yield Rejection(sample.id, "duplicate", sample.source, f"of {kept}")
            elif self.mixture.languages and sample.language and sample.language not in self.mixture.languages:
                yield Rejection(sample.id, "other_language", sample.source, sample.language)
            else:
                yield sample


def _decide(plans: Sequence[Plan], work: _Work, blocks: Sequence[Block], processes: Executor | None) -> list[Decision]:
    """What each part does with all of its samples; reads nothing when no part depends on that."""
    counted = [block for block in blocks if any(_counts(plan, block, work.mixture) for plan in plans)]
    if not counted:
        return [Decision() for _ in plans]
    found = [Census() for _ in plans]
    for made in work.run(_count, counted, processes, "counting", None):
        for number, census in made.items():
            found[number].add(census, plans[number].caps)
    rates = _tempered([census.asked for census in found], work.mixture.temperature)
    return [plan.decide(census, rate) for plan, census, rate in zip(plans, found, rates, strict=True)]


def _tempered(sizes: Sequence[int], temperature: float) -> list[float]:
    shares = [size ** (1 / temperature) if size else 0.0 for size in sizes]
    whole = sum(sizes) / sum(shares) if any(shares) else 0.0
    return [
        share * whole / size if size and temperature != 1 else 1.0 for share, size in zip(shares, sizes, strict=True)
    ]


def _count(work: _Work, block: Block, _: None) -> dict[int, Census]:
    samples = [item for item in work.samples(block) if isinstance(item, Sample)]
    plans = work.plans(block.corpus, None)
    return {number: plan.census(iter(samples)) for number, plan in plans if _counts(plan, block, work.mixture)}


def _counts(plan: Plan, block: Block, mixture: Mixture) -> bool:
    own = plan.part.corpus == block.corpus
    return own and (plan.looks_ahead(block.split) or (block.split == TRAIN and mixture.temperature != 1))


def _render(work: _Work, block: Block, decided: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The conversations of one block, in a folder that is whole when it is there."""
    place = _place(work.out, block)
    if not place.is_dir():
        scratch = place.with_name(f".{place.name}.part")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        with shards.seldom_collected():
            _fill(work, block, decided, scratch)
        scratch.rename(place)
    counts: dict[str, Any] = json.loads((place / COUNTS).read_text(encoding="utf-8"))
    return counts


def _fill(work: _Work, block: Block, decided: Sequence[Mapping[str, Any]], folder: Path) -> None:
    rejected: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    with (
        (folder / REJECTED).open("w", encoding="utf-8") as log,
        Writer(folder / "rows.parquet", conversation_schema()) as rows,
    ):

        def refuse(item: Rejection, template: str | None = None) -> None:
            rejected[item.reason] += 1
            record = {"corpus": block.corpus, **item.to_json(), **({"template": template} if template else {})}
            log.write(json.dumps(record, ensure_ascii=False) + "\n")

        samples = []
        for item in work.samples(block):
            if isinstance(item, Rejection):
                refuse(item)
            else:
                samples.append(item)
        for _, plan in work.plans(block.corpus, decided):
            for row in plan.rows(iter(samples)):
                if isinstance(row, Rejection):
                    refuse(row, plan.part.template)
                else:
                    rows.write(row)
                    parts[f"{block.corpus}/{plan.part.template}"] += 1
    write_json(folder / COUNTS, {"rows": rows.rows, "rejected": dict(rejected), "parts": dict(parts)})


def _place(out: Path, block: Block) -> Path:
    return out / WORK / "blocks" / f"{block.number:06d}"


def _put_together(
    mixture: Mixture,
    seed: int,
    out: Path,
    blocks: Sequence[Block],
    counts: Sequence[Any],
    logs: Mapping[Path, Mapping[str, int]],
) -> dict[str, Any]:
    rejected: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for log in logs.values():
        rejected.update(log)
    for block, count in zip(blocks, counts, strict=True):
        rejected.update(count["rejected"])
        parts.update(count["parts"] if block.split == TRAIN else {})
    _concatenate([*logs, *(_place(out, block) / REJECTED for block in blocks)], out / REJECTED)
    conversations = {}
    for split in ASKED_SPLITS:
        files = [_place(out, block) / "rows.parquet" for block in blocks if block.split == split]
        conversations[split] = gather(files, out, split, mixture.order if split == TRAIN else "given", seed)
    if not conversations[TRAIN]:
        reasons = ", ".join(f"{n} × {reason}" for reason, n in rejected.most_common(5)) or "no sample in TRAIN"
        raise AffectError(f"the mixture has no training conversation ({reasons})", do=f"see {out / REJECTED}")
    shutil.rmtree(out / WORK / "blocks")
    return {"conversations": conversations, "rejected": dict(rejected.most_common()), "parts": dict(parts)}


def _concatenate(logs: Sequence[Path], whole: Path) -> None:
    scratch = whole.with_name(f".{whole.name}.part")
    with scratch.open("wb") as stream:
        for log in logs:
            with log.open("rb") as part:
                shutil.copyfileobj(part, stream)
    scratch.replace(whole)
