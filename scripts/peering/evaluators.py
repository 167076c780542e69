"""Scores of a table of answers, against the evaluators that published systems score themselves with.

They are on no package index: ``scripts/readers DIR`` clones them. They run in our environment, as scikit-learn does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from peering.contest import Outcome, Side, alternate
from peering.places import Missing
from peering.scoring import tables
from peering.wheels import make_wheels, open_labels

_THEIRS = Path(__file__).parent / "theirs"
_QUIET = {"OMP_NUM_THREADS": "1"}
_ITEMS = {"emobox": 200_000, "affectgpt": 20_000}
_PLACES = {"emobox": ("EmoBox", "EmoBox/EmoEval.py"), "affectgpt": ("MERTools/MER2025/MER2025_Track23", "my_affectgpt")}
"""Peer → its folder below that of ``scripts/readers``, and what lies in it."""
_COMPARED = ("uar", "accuracy", "micro_f1", "macro_f1", "wheel_f1", "wheel_f1_level2")
NEAR = 1e-12
"""The largest difference of two equal scores: sums in another order."""


def emobox(repeats: int, items: int = _ITEMS["emobox"]) -> list[Outcome]:
    """Score the same labels; its four scores are compared with ours of the same names.

    Raises:
        Missing: it is not cloned.
        RuntimeError: a score differs.
    """
    clone = _clone("emobox")
    with tempfile.TemporaryDirectory() as scratch:
        gold, predicted = tables(Path(scratch), items)
        ours = _ours("macro_f1", gold, predicted, "--cluster", "speaker")
        theirs = [sys.executable, str(_THEIRS / "emobox_score.py"), str(clone), str(gold), str(predicted)]
        what = f"macro F1 of {items:,} answers and its interval over 200 speakers, with the start"
        outcome = _in_turns(
            what, ours, theirs, "EmoBox, four scores without an interval", Path(scratch), repeats, items
        )
        for name, value in _scores(outcome).items():
            _same(name, _ours(name, gold, predicted), value, "EmoBox")
    return [outcome]


def affectgpt(repeats: int, items: int = _ITEMS["affectgpt"]) -> list[Outcome]:
    """Score the same open labels on the same wheels.

    Raises:
        Missing: it is not cloned.
        RuntimeError: the scores differ.
    """
    clone = _clone("affectgpt")
    with tempfile.TemporaryDirectory() as scratch:
        wheels = make_wheels(Path(scratch) / "wheels")
        gold, predicted = open_labels(Path(scratch), wheels, items)
        options = ["--id", "name", "--gold-column", "openset", "--pred-column", "openset"]
        options += ["--tables", str(wheels), "--compat", "affectgpt"]
        ours = _ours("wheel_f1", gold, predicted, *options)
        words = [clone, wheels, gold, predicted]
        theirs = [sys.executable, str(_THEIRS / "affectgpt_score.py"), *map(str, words)]
        what = f"wheel F1 of {items:,} answers in open words and its interval, with the start"
        title = "AffectGPT (MER2025), two levels without an interval"
        outcome = _in_turns(what, ours, theirs, title, Path(scratch), repeats, items)
        for name, value in _scores(outcome).items():
            _same(name, _ours(name, gold, predicted, *options), value, "AffectGPT")
    return [outcome]


PEERS = {"emobox": emobox, "affectgpt": affectgpt}


def _clone(name: str) -> Path:
    folder, inside = _PLACES[name]
    place = Path(os.environ.get("AFFECTLLM_READERS", "")) / folder
    if "AFFECTLLM_READERS" not in os.environ or not (place / inside).exists():
        raise Missing(f"{name} is not cloned: scripts/readers DIR, then AFFECTLLM_READERS=DIR scripts/peers")
    return place


def _ours(metric: str, gold: Path, predicted: Path, *more: str) -> list[str]:
    command = str(Path(sys.executable).with_name("affectllm"))
    return [command, "score", "--metric", metric, "--gold", str(gold), "--pred", str(predicted), "--json", *more]


def _in_turns(
    what: str, ours: Sequence[str], theirs: Sequence[str], title: str, scratch: Path, repeats: int, items: int
) -> Outcome:
    sides = Side("affectllm", ours, _QUIET), Side(title, theirs, _QUIET)
    return alternate(what, *sides, None, scratch, repeats, items, "answers")


def _scores(outcome: Outcome) -> dict[str, str]:
    """Return what the other side printed: lines of a metric's name, as we call it, and its value."""
    lines = (line.split() for line in outcome.theirs[0].output.splitlines())
    return {words[0]: words[1] for words in lines if len(words) == 2 and words[0] in _COMPARED}


def _same(name: str, ours: Sequence[str], theirs: str, whose: str) -> None:
    done = subprocess.run(ours, capture_output=True, text=True, check=True)
    mine = json.loads(done.stdout)["value"]
    if not abs(mine - float(theirs)) <= NEAR:
        raise RuntimeError(f"{name}: {mine!r} here and {theirs} by {whose}")
    print(f"{name}: {mine!r} here, {theirs} by {whose}", file=sys.stderr)
