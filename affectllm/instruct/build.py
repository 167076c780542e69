"""Build a mixture: store samples, count them where a part depends on all of them, ask them, and join the results.

Memory does not grow with rows but for what is asked for: the draws below a cap, the duplicates that are dropped, a
number a row for an order.
"""

from __future__ import annotations

import json
import math
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import TRAIN, shards
from affectllm.corpus.builder import load_builder
from affectllm.corpus.family import family
from affectllm.errors import AffectError, Malformed
from affectllm.folders import discard
from affectllm.instruct import blocks
from affectllm.instruct.blocks import REJECTED, ROWS, WORK, Block, Work, blocks_of, place_of
from affectllm.instruct.conversations import conversation_schema, gather
from affectllm.instruct.dropped import Copy, find_duplicates
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import MOST_COPIES
from affectllm.instruct.sampling import ASKED_SPLITS, Census, Decision, Plan
from affectllm.run import write_json


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
        corpus → reason, ``parts`` conversations per corpus and template, ``hints`` given and missing per table.

    Raises:
        AffectError: when the mixture yields no training conversation at all.
    """
    mixture.check()
    for part in mixture.mixture:
        part.bind()
    left_out = _left_out(mixture)
    corpora = [name for name in mixture.corpora() if name not in left_out]
    if not corpora:
        reasons = ", ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise AffectError(f"every corpus of the mixture is left out ({reasons})", do="relax the filter, or add corpora")
    (out / WORK).mkdir(parents=True, exist_ok=True)
    stored = {name: _store(name, roots[name], out, processes, workers) for name in corpora}
    dropped = _remembered(
        out / WORK / "dropped.json",
        lambda: find_duplicates(mixture.deduplicate, mixture.mixture, corpora, out, roots, mixture.languages),
    )
    logs = {out / WORK / "corpora" / name / REJECTED: counts["rejected"] for name, counts in stored.items()}
    converted = converse(mixture, corpora, out, seed, processes, dropped, logs)
    discard(out / WORK)
    return {"samples": {name: counts["samples"] for name, counts in stored.items()}, **converted, "left_out": left_out}


def converse(
    mixture: Mixture,
    corpora: Sequence[str],
    out: Path,
    seed: int,
    processes: Executor | None = None,
    dropped: Mapping[str, Mapping[str, Copy]] | None = None,
    logs: Mapping[Path, Mapping[str, int]] | None = None,
) -> dict[str, Any]:
    """Write the conversations of the samples stored in ``out``; return counts as ``build`` does.

    Args:
        corpora: those that are stored there.
        dropped: corpus → sample id → what it repeats, and what it is asked all the same.
        logs: files of rejections that come first in ``rejected.jsonl``, with their counts.
    """
    plans = [Plan(part, seed, mixture.validation_rows) for part in mixture.mixture]
    every = list(blocks_of(corpora, out))
    work = Work(mixture, seed, out, dropped or {})
    decided = [asdict(decision) for decision in _decide(plans, work, every, processes)]
    counts = work.run(blocks.render, every, processes, "asking", decided)
    return _put_together(mixture, seed, out, every, counts, logs or {})


def _left_out(mixture: Mixture) -> dict[str, str]:
    """Return the corpora that a filter leaves out as a whole, with the reason."""
    reasons = {}
    for name in mixture.corpora():
        spoken = {*load_builder(name).CARD.languages}
        if mixture.only == "commercial" and not _commercial(name):
            reasons[name] = "licence"
        elif mixture.languages is not None and not {*mixture.languages, "und"} & spoken:
            reasons[name] = "language"
    return reasons


def _commercial(name: str) -> bool:
    """Whether the licences of a corpus and of all that it is built from, as far as we know them, allow commerce."""
    known_corpora = family(name) & registry.names("data_builders").keys()
    return all(load_builder(one).CARD.commercial for one in known_corpora)


def _store(name: str, root: Path, out: Path, processes: Executor | None, workers: int) -> dict[str, Any]:
    """Build the samples of a corpus once, and return the counts of samples and rejections."""
    place = out / WORK / "corpora" / name

    def built() -> dict[str, Any]:
        counts = shards.build(name, root, place, processes, workers)
        target = out / "samples" / name
        discard(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        (place / "samples" / name).rename(target)
        return counts

    return dict(_remembered(out / WORK / f"{name}.json", built))


def _remembered(note: Path, make: Callable[[], Any]) -> Any:
    """Return what ``make`` returned the first time, stored as JSON in ``note``."""
    if not note.is_file():
        write_json(note, make())
    return json.loads(note.read_text(encoding="utf-8"))


def _decide(plans: Sequence[Plan], work: Work, every: Sequence[Block], processes: Executor | None) -> list[Decision]:
    """Return each part's decision over all of its samples; reads nothing when no part depends on that.

    Caps come first: classes and sizes are counted among the samples that they keep.
    """
    counted = work.mixture.temperature != 1 or any(plan.part.share for plan in plans)
    capped = [one for one in every if any(plan.bounded(one.corpus, one.split) for plan in plans)]
    decisions = [
        plan.cap(census) for plan, census in zip(plans, _censuses(plans, work, capped, processes), strict=True)
    ]
    weighed = [one for one in every if one.split == TRAIN and any(plan.weighed(one.corpus, counted) for plan in plans)]
    if not weighed:
        return decisions
    censuses = _censuses(plans, work, weighed, processes, decisions)
    rates = _tempered([census.asked for census in censuses], work.mixture.temperature)
    weighed_decisions = [
        plan.weigh(decision, census, rate)
        for plan, decision, census, rate in zip(plans, decisions, censuses, rates, strict=True)
    ]
    return _with_shares(plans, weighed_decisions, censuses)


def _with_shares(plans: Sequence[Plan], decided: Sequence[Decision], censuses: Sequence[Census]) -> list[Decision]:
    """Give the parts with a share as many copies as make it up, beside what is expected of the others.

    Raises:
        Malformed: when a part has no sample to make up its share of, or would need too many copies.
    """
    sizes = [plan.expected(one, census) for plan, one, census in zip(plans, decided, censuses, strict=True)]
    shares = [plan.part.share or 0.0 for plan in plans]
    others = sum(size for size, share in zip(sizes, shares, strict=True) if not share)
    return [
        replace(one, rate=one.rate * _rate(plan, share / (1 - sum(shares)) * others, size)) if share else one
        for plan, one, share, size in zip(plans, decided, shares, sizes, strict=True)
    ]


def _rate(plan: Plan, wanted: float, size: float) -> float:
    rate = wanted / size if size else math.inf
    if rate > MOST_COPIES:
        have = f"{size:,.0f} of {plan.part.corpus} are there"
        raise Malformed(
            f"a share of {plan.part.share:g} is {wanted:,.0f} conversations, and {have}", do="lower it, or add samples"
        )
    return rate


def _censuses(
    plans: Sequence[Plan],
    work: Work,
    chosen: Sequence[Block],
    processes: Executor | None,
    decisions: Sequence[Decision] | None = None,
) -> list[Census]:
    """Return the census of each part over the chosen blocks."""
    censuses = [Census() for _ in plans]
    decided = [asdict(decision) for decision in decisions] if decisions else None
    for by_part in work.run(blocks.count, chosen, processes, "counting", decided) if chosen else ():
        for number, census in by_part.items():
            censuses[number].add(census, plans[number].caps)
    return censuses


def _tempered(sizes: Sequence[int], temperature: float) -> list[float]:
    shares = [size ** (1 / temperature) if size else 0.0 for size in sizes]
    whole = sum(sizes) / sum(shares) if any(shares) else 0.0
    return [
        share * whole / size if size and temperature != 1 else 1.0 for share, size in zip(shares, sizes, strict=True)
    ]


def _put_together(
    mixture: Mixture,
    seed: int,
    out: Path,
    every: Sequence[Block],
    counts: Sequence[Any],
    logs: Mapping[Path, Mapping[str, int]],
) -> dict[str, Any]:
    rejected: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    hints: Counter[str] = Counter()
    for log in logs.values():
        rejected.update(log)
    for one, count in zip(every, counts, strict=True):
        rejected.update(count["rejected"])
        hints.update(count.get("hints", {}))
        parts.update(count["parts"] if one.split == TRAIN else {})
    _concatenate([*logs, *(place_of(out, one) / REJECTED for one in every)], out / REJECTED)
    conversations = {}
    for split in ASKED_SPLITS:
        files = [place_of(out, one) / ROWS for one in every if one.split == split]
        conversations[split] = gather(
            files, out, split, mixture.order if split == TRAIN else "given", seed, conversation_schema(mixture.rejects)
        )
    if not conversations[TRAIN]:
        reasons = ", ".join(f"{n} × {reason}" for reason, n in rejected.most_common(5)) or "no sample in TRAIN"
        raise AffectError(f"the mixture has no training conversation ({reasons})", do=f"see {out / REJECTED}")
    discard(out / WORK / "blocks")
    _refuse_useless(mixture, hints)
    outputs = {"conversations": conversations, "rejected": dict(rejected.most_common()), "parts": dict(parts)}
    return {**outputs, **({"hints": dict(hints)} if hints else {})}


def _refuse_useless(mixture: Mixture, hints: Mapping[str, int]) -> None:
    """Raise ``AffectError`` for a table that has no hint for any conversation: it is of other samples."""
    for table in sorted({name for part in mixture.mixture for name in part.hints}):
        if not hints.get(f"{table}: given"):
            reasons = ", ".join(f"{count} × {key}" for key, count in hints.items() if key.startswith(f"{table}: "))
            message = f"the table of hints {table} has none for the mixture's conversations ({reasons})"
            raise AffectError(message, do="make it of the same corpus: affectllm hint PAGE")


def _concatenate(logs: Sequence[Path], whole: Path) -> None:
    scratch = whole.with_name(f".{whole.name}.part")
    with scratch.open("wb") as stream:
        for log in logs:
            with log.open("rb") as part:
                shutil.copyfileobj(part, stream)
    scratch.replace(whole)
