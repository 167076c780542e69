"""The headline of a task by group: by speaker, sex, language, length, level and whatever else the corpus knows."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import WriteFailed
from affectllm.evaluate.logged import read_samples
from affectllm.evaluate.scoring.paired import damaged, logged_facts
from affectllm.evaluate.scoring.rows import Row, clusters_of, raters_of
from affectllm.evaluate.scoring.task_scoring import Item, Scoring, metric_of
from affectllm.metrics.core.groups import FEWEST_ITEMS, Gap, gap_of_groups, scores_of_groups
from affectllm.metrics.core.result import Result

LENGTHS = {"characters": "length of the text, in characters", "seconds": "length of the clip, in seconds"}
FIRST = ("speaker", "gender", "sex", "age", "language", "level", "intensity", *LENGTHS)
"""What people ask about first. Other facts follow in the order of the corpus, where two groups have enough items."""
MOST_FACTS, MOST_GROUPS, MOST_SPEAKERS = 12, 12, 40
_KNOWN = 0.5  # least share of the items of which a fact is known
_PARTS = 4  # into which numbers are cut


@dataclass(frozen=True)
class Grouping:
    """The headline of a task by the values of one fact.

    Args:
        name: of the fact, as the corpus calls it.
        title: what it is, in words.
        metric: key of the headline.
        scores: group → score, None where it is undefined; from the most items to the fewest, or from low to high.
        gap: largest less smallest, None where fewer than two groups have enough items.
        by_value: whether groups are single values, not ranges of numbers.
        cluster: what the intervals resample, such as ``speaker``; ``item`` where groups are these themselves.
        unknown: items of which the fact is not known.
        further: groups beyond the ``MOST_SPEAKERS`` with the most items, which are in the gap and not in ``scores``.
    """

    name: str
    title: str
    metric: str
    scores: Mapping[str, Result | None]
    gap: Gap | None
    by_value: bool
    cluster: str
    unknown: int
    further: int = 0


@dataclass(frozen=True)
class _Known:
    """What is scored of an item, and what is known of it."""

    row: Row
    about: Mapping[str, str]


def groupings(folder: Path, task: str) -> list[Grouping]:
    """Return the headline of a task by every fact that divides its items into a few groups, and by speaker.

    Facts that divide the items alike are told once. Empty where the evaluation does not say what it was scored from, or
    where its answers are those of raters.

    Raises:
        Malformed: when a file of the evaluation is damaged.
    """
    logged = logged_facts(folder, task)
    if logged is None:
        return []
    facts, samples = logged
    try:
        known = list(_known(samples))
    except (WriteFailed, KeyError, TypeError) as error:
        raise damaged(error, samples) from error
    key = facts["metrics"][0]
    if not known or raters_of([one.row for one in known]) or metric_of(key).takes != "pair":
        return []
    return list(_all(facts, known, key))


def _known(samples: Path) -> Iterator[_Known]:
    seen: dict[tuple[Any, ...], Any] = {}  # facts are the same of many items
    for row in read_samples(samples):
        about = {name: str(value) for name, value in (row["doc"].get("about") or {}).items() if name != "transcript"}
        shared = seen.setdefault(tuple(about.items()), about)
        yield _Known(Row.of(row, lambda pair: Item(*pair)), shared)


def _all(facts: Mapping[str, Any], known: Sequence[_Known], key: str) -> Iterator[Grouping]:
    told: set[tuple[int, ...]] = set()
    names = dict.fromkeys(("speaker", *(name for one in known for name in one.about)))
    for name in sorted(names, key=lambda one: FIRST.index(one) if one in FIRST else len(FIRST)):
        values = [one.row.speaker if name == "speaker" else one.about.get(name) for one in known]
        groups, by_value = _groups(name, values)
        numbers = {group: number for number, group in enumerate(dict.fromkeys(groups))}
        division = tuple(numbers[group] for group in groups)
        if _tells(name, groups) and division not in told and len(told) < MOST_FACTS:
            told.add(division)
            yield _grouping(facts, known, key, name, groups, by_value)


def _tells(name: str, groups: Sequence[str | None]) -> bool:
    sizes = Counter(group for group in groups if group is not None).values()
    return len(sizes) > 1 and (name in FIRST or sum(size >= FEWEST_ITEMS for size in sizes) > 1)


def _groups(name: str, values: Sequence[str | None]) -> tuple[list[str | None], bool]:
    """Return the group of each item, and whether it is the value itself; all None where there are too many."""
    sizes = Counter(value for value in values if value is not None)
    few = sum(sizes.values()) < _KNOWN * len(values)
    if name == "speaker":
        return list(values), True
    numbers = [_number(value) for value in values]
    lacking = sum(number is None for number in numbers) > len(values) - sum(sizes.values())
    if not few and not lacking and (len(sizes) > MOST_GROUPS or name in LENGTHS):
        return _ranges(numbers), False
    return ([None] * len(values) if few or len(sizes) > MOST_GROUPS else list(values)), True


def _number(value: str | None) -> float | None:
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _ranges(numbers: Sequence[float | None]) -> list[str | None]:
    """Return for each number the quarter that it lies in, named by its ends; equal numbers stay together."""
    order = sorted(number for number in numbers if number is not None)
    cuts = sorted({order[len(order) * part // _PARTS] for part in range(1, _PARTS)} - {order[0]})
    parts: dict[int, list[float]] = {}
    place = [None if number is None else sum(number >= cut for cut in cuts) for number in numbers]
    for number, part in zip(numbers, place, strict=True):
        if number is not None and part is not None:
            parts.setdefault(part, []).append(number)
    named = {part: f"{min(own):g} to {max(own):g}" for part, own in parts.items()}
    return [None if part is None else named[part] for part in place]


def _grouping(
    facts: Mapping[str, Any],
    known: Sequence[_Known],
    key: str,
    name: str,
    groups: Sequence[str | None],
    by_value: bool,
) -> Grouping:
    rows, scoring, metric = [one.row for one in known], Scoring.of_facts(facts), metric_of(key)
    gold, answers, options = scoring.inputs(key, [row.item for row in rows])
    clusters, kind = clusters_of(facts, rows)
    if name == kind:  # each group is one cluster: its items are what can be drawn again
        clusters, kind = None, None
    sizes = Counter(group for group in groups if group is not None)
    shown = dict(sizes.most_common(MOST_SPEAKERS))
    largest = [group if group in shown else None for group in groups]
    scores = scores_of_groups(metric, gold, answers, largest, clusters=clusters, options=options)
    gap = gap_of_groups(metric, gold, answers, groups, clusters=clusters, options=options)
    order = sorted(scores, key=lambda group: -sizes[group]) if by_value else sorted(scores, key=_beginning)
    title = LENGTHS.get(name, name.replace("_", " "))
    ordered = {group: scores[group] for group in order}
    unknown, further = len(groups) - sum(sizes.values()), len(sizes) - len(shown)
    return Grouping(name, title, key, ordered, gap, by_value, kind or "item", unknown, further)


def _beginning(name: str) -> float:
    return float(name.partition(" to ")[0])


__all__ = ["FEWEST_ITEMS", "Grouping", "groupings"]
