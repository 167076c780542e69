"""Scores of a table of answers, against what people write with scikit-learn and torchmetrics: the same digits?"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
import tempfile
from pathlib import Path

from peering.contest import Outcome, Side, alternate
from peering.places import version_in

_THEIRS = Path(__file__).parent / "theirs"
_QUIET = {"OMP_NUM_THREADS": "1"}
_LABELS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
_SPEAKERS = 200
PEERS = {"scikit-learn": ("sklearn_score.py", 1e-15), "torchmetrics": ("torchmetrics_score.py", 1e-6)}
"""Library → its script, and the largest difference of two equal scores: torchmetrics computes in single precision."""


def measure(name: str, repeats: int) -> list[Outcome]:
    """Score the same tables in turns.

    Ours checks every cell, and gives an interval over speakers, every class and five controls; the first row of
    scikit-learn gives the value alone, the second an interval as well, by 1,000 replicates.

    Raises:
        RuntimeError: when the scores differ.
    """
    rows = [(200_000, 0)] + [(20_000, 1_000)] * (name == "scikit-learn")
    return [compared(name, items, replicates, repeats) for items, replicates in rows]


def compared(name: str, items: int, replicates: int, repeats: int) -> Outcome:
    """Score one table in turns.

    Raises:
        RuntimeError: when the scores differ.
    """
    script, near = PEERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        gold, predicted = tables(Path(scratch), items)
        files = ["--gold", str(gold), "--pred", str(predicted)]
        affectllm = str(Path(sys.executable).with_name("affectllm"))
        ours = [affectllm, "score", "--metric", "weighted_f1", *files, "--cluster", "speaker", "--json"]
        theirs = [sys.executable, str(_THEIRS / script), str(gold), str(predicted), str(replicates)]
        title = f"{name} {version_in(Path(sys.executable), name)}, {'with' if replicates else 'without'} an interval"
        what = f"weighted F1 of {items:,} answers and its interval over {_SPEAKERS} speakers, with the start"
        sides = Side("affectllm", ours, _QUIET), Side(title, theirs, _QUIET)
        outcome = alternate(what, *sides, None, Path(scratch), repeats, items, "answers")
    mine = json.loads(outcome.ours[0].output)["value"]
    other = float(re.findall(r"value (\S+)", outcome.theirs[0].output)[0])
    if abs(mine - other) > near:
        raise RuntimeError(f"{what}: {mine!r} here and {other!r} by {name}")
    print(f"{what}: {mine!r} here, {other!r} by {name}", file=sys.stderr)
    return outcome


def tables(folder: Path, items: int) -> tuple[Path, Path]:
    """Write gold labels with speakers, and answers of which six in ten are right whatever happens."""
    dice = random.Random(0)
    truth = [dice.choice(_LABELS) for _ in range(items)]
    said = [label if dice.random() < 0.6 else dice.choice(_LABELS) for label in truth]
    gold, predicted = folder / "gold.csv", folder / "predicted.csv"
    with gold.open("w", newline="") as stream:
        rows = [(number, label, number % _SPEAKERS) for number, label in enumerate(truth)]
        csv.writer(stream).writerows([("id", "label", "speaker"), *rows])
    with predicted.open("w", newline="") as stream:
        csv.writer(stream).writerows([("id", "label"), *enumerate(said)])
    return gold, predicted
