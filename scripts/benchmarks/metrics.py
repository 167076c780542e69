"""Benchmark metrics on many items, against the limit that users would notice and the same formula item by item."""

from __future__ import annotations

import random
import string
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from affectllm.metrics import krippendorff_alpha, uar, wheel_f1
from affectllm.metrics.wheels.tables import Tables
from benchmarks.row import Row, duration, seconds

ITEMS = {"full": 100_000, "quick": 20_000, "tiny": 300}
RATINGS = {"full": 1_000_000, "quick": 100_000, "tiny": 300}
LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
REPLICATES, SPEAKERS, RATERS = 1_000, 1_000, 5


def measure(size: str) -> list[Row]:
    """Measure two rows per metric; both sides must give the same value."""
    return [*_wheels(ITEMS[size]), *_bootstrap(ITEMS[size]), *_alpha(RATINGS[size])]


def _rows(what: str, limit: float, other: str, ours: Callable[[], Any], theirs: Callable[[], Any]) -> list[Row]:
    mine, plain = min(seconds(ours), seconds(ours)), seconds(theirs)
    at_most = Row(what, "the limit", duration(mine), duration(limit), limit / mine, 1.0)
    return [at_most, Row(what, other, duration(mine), duration(plain), plain / mine)]


# ── wheel F ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _wheels(items: int) -> list[Row]:
    tables, words = _tables(random.Random(0))
    rng = random.Random(1)
    gold, predicted = ([f"[{', '.join(rng.choices(words, k=rng.randint(1, 5)))}]" for _ in range(items)] for _ in "gp")
    options = {"tables": tables, "compat": "affectgpt"}
    ours = wheel_f1.statistic(gold, predicted, **options).value()
    assert abs(ours - _by_item(tables, gold, predicted)) < 1e-9
    return _rows(
        f"wheel F of {items:,} items with about 3 labels each",
        3.0,
        "each label of each item mapped on its own",
        lambda: wheel_f1.statistic(gold, predicted, **options).value(),
        lambda: _by_item(tables, gold, predicted),
    )


def _tables(rng: random.Random) -> tuple[Tables, list[str]]:
    """Generate random tables of the published size: 250 wheel words, 1,250 bases, 7,400 spellings."""
    words = ["".join(rng.choices(string.ascii_lowercase, k=8)) for _ in range(7_400)]
    wheel_words, bases = words[:250], words[:1_250]
    synonyms = {base: tuple(sorted(rng.sample(wheel_words, 2))) for base in bases}
    forms = {word: tuple(sorted(rng.sample(bases, 2))) for word in words}
    wheels = tuple(
        {level: {w: rng.choice(wheel_words[:n]) for w in wheel_words} for level, n in ((1, 6), (2, 36))}
        for _ in range(5)
    )
    return Tables(forms, synonyms, wheels, "2025", "made for the benchmark"), words


def _by_item(tables: Tables, gold: Sequence[str], predicted: Sequence[str]) -> float:
    values = []
    for wheel in tables.wheels:
        precision, recall = [], []
        for truth, answer in zip(gold, predicted, strict=True):
            g, p = _mapped(tables, wheel[1], truth), _mapped(tables, wheel[1], answer)
            if g:
                precision.append(len(g & p) / len(p) if p else 0.0)
                recall.append(len(g & p) / len(g))
        p, r = float(np.mean(precision)), float(np.mean(recall))
        values.append(2 * p * r / (p + r))
    return float(np.mean(values))


def _mapped(tables: Tables, wheel: Any, value: str) -> set[str]:
    clusters = set()
    for label in value.strip("[]").split(", "):
        reached = sorted(word for base in tables.forms.get(label, ()) for word in tables.bases[base])
        cluster = next((wheel[word] for word in reached if word in wheel), None)
        clusters |= {cluster} if cluster else set()
    return clusters


# ── bootstrap of UAR ─────────────────────────────────────────────────────────────────────────────────────────────────


def _bootstrap(items: int) -> list[Row]:
    rng = random.Random(0)
    gold = rng.choices(LABELS, weights=range(1, 8), k=items)
    predicted = [label if rng.random() < 0.5 else rng.choice(LABELS) for label in gold]
    speakers = [rng.randrange(SPEAKERS) for _ in gold]
    return _rows(
        f"{REPLICATES:,} bootstrap replicates of UAR over {items:,} items of {SPEAKERS} speakers",
        5.0,
        "scikit-learn on the items of each replicate",
        lambda: uar(gold, predicted, labels=LABELS, clusters=speakers, resamples=REPLICATES, controls=False),
        lambda: _replicates(gold, predicted, speakers),
    )


def _replicates(gold: list[str], predicted: list[str], speakers: list[int]) -> None:
    from sklearn.metrics import recall_score

    truth, answers, who = (np.unique(side, return_inverse=True)[1] for side in (gold, predicted, speakers))
    members = [np.flatnonzero(who == speaker) for speaker in range(who.max() + 1)]
    rng = np.random.default_rng(0)
    for _ in range(REPLICATES):
        rows = np.concatenate([members[speaker] for speaker in rng.integers(0, len(members), len(members))])
        recall_score(truth[rows], answers[rows], average="macro", zero_division=0)


# ── Krippendorff's α ─────────────────────────────────────────────────────────────────────────────────────────────────


def _alpha(ratings: int) -> list[Row]:
    rng = random.Random(0)
    units = []
    for _ in range(ratings // RATERS):
        label = rng.choice(LABELS)
        units.append({f"rater{r}": label if rng.random() < 0.6 else rng.choice(LABELS) for r in range(RATERS)})
    assert abs(krippendorff_alpha.statistic(units).value() - _pairwise(units)) < 1e-9
    return _rows(
        f"Krippendorff's α of {ratings:,} ratings",
        5.0,
        "every pair of ratings of each item",
        lambda: krippendorff_alpha.statistic(units).value(),
        lambda: _pairwise(units),
    )


def _pairwise(units: list[dict[str, str]]) -> float:
    together: dict[tuple[str, str], float] = defaultdict(float)
    for unit in units:
        values = list(unit.values())
        for i, a in enumerate(values):
            for j, b in enumerate(values):
                if i != j:
                    together[a, b] += 1 / (len(values) - 1)
    totals: dict[str, float] = defaultdict(float)
    for (a, _), count in together.items():
        totals[a] += count
    n = sum(totals.values())
    observed = sum(count for (a, b), count in together.items() if a != b)
    expected = sum(totals[a] * totals[b] for a in totals for b in totals if a != b) / (n - 1)
    return 1 - observed / expected
