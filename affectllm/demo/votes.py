"""Votes of blind comparisons: kept in a JSONL file, one line each, and summed up with their intervals."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, explained
from affectllm.metrics.labels.preference import CHOICES, SWAPPED, preference_rate


@dataclass(frozen=True)
class Vote:
    """What somebody thought of two answers whose models were not named.

    Args:
        first, second: names of the models, in the order in which their answers were shown.
        choice: ``a1`` where the first answer is better, ``a2`` where the second is, ``same`` where neither.
        answers: the two answers in words.
        session: a random name of the visit, so that votes of one person can be told to belong together.
        asked: template, labels and language of the question.
        shown: what each model was given, such as ``video+audio``; one may take less than the other.
        time: in UTC.
    """

    first: str
    second: str
    choice: str
    answers: tuple[str, str]
    session: str
    asked: dict[str, Any]
    shown: tuple[str, str]
    time: str


@dataclass(frozen=True)
class Standing:
    """Two models by their votes.

    Args:
        one, other: their names, in alphabetical order.
        preferred: share of the votes for ``one``, ties counting half.
        low, high: its 95 % interval over sessions; None from fewer than five.
        ties: share of ties.
        votes, sessions: how many.
    """

    one: str
    other: str
    preferred: float
    low: float | None
    high: float | None
    ties: float
    votes: int
    sessions: int


def keep(vote: Vote, path: Path) -> None:
    """Append a vote as one line, whole also where several processes write at once.

    Raises:
        WriteFailed: when the file cannot be written.
    """
    line = (json.dumps(asdict(vote), ensure_ascii=False) + "\n").encode()
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)  # released when the file is closed
            if _ends_within_a_line(stream.fileno()):  # a process was killed while it wrote
                line = b"\n" + line
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())


def _ends_within_a_line(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def read(path: Path) -> list[Vote]:
    """Return the votes of a file; none where there is no file.

    Raises:
        Malformed: when a line is no vote; names it.
    """
    return list(_read(path)) if path.exists() else []


def _read(path: Path) -> Iterator[Vote]:
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                vote = Vote(**{**row, "answers": tuple(row["answers"]), "shown": tuple(row["shown"])})
            except (ValueError, TypeError, KeyError) as error:
                raise Malformed("this line is no vote", where=f"{path}:{number}", do="delete the line") from error
            if vote.choice not in CHOICES or not all(isinstance(one, str) for one in (vote.first, vote.second)):
                raise Malformed("this line is no vote", where=f"{path}:{number}", do="delete the line")
            yield vote


def standings(votes: Sequence[Vote]) -> list[Standing]:
    """Sum up the votes of each pair of models; whoever stood first on the page makes no difference."""
    pairs = sorted({tuple(sorted((vote.first, vote.second))) for vote in votes})
    return [_standing(one, other, votes) for one, other in pairs]


def _standing(one: str, other: str, votes: Sequence[Vote]) -> Standing:
    own = [vote for vote in votes if {vote.first, vote.second} == {one, other}]
    choices = [vote.choice if vote.first == one else SWAPPED[vote.choice] for vote in own]
    result = preference_rate(predicted=choices, clusters=[vote.session for vote in own], controls=False)
    sessions = len({vote.session for vote in own})
    return Standing(
        one, other, result.value, result.low, result.high, float(result.details["ties"]), len(own), sessions
    )


def rows(all_standings: Sequence[Standing]) -> list[list[str]]:
    """Return the standings as cells: the pair, the share, its interval, ties, votes and sessions."""
    return [
        [
            f"{one.one} over {one.other}",
            f"{one.preferred:.3f}",
            "–" if one.low is None or one.high is None else f"[{one.low:.3f}, {one.high:.3f}]",
            f"{one.ties:.3f}",
            str(one.votes),
            str(one.sessions),
        ]
        for one in all_standings
    ]


HEADER = ("preferred", "share (ties half)", "95 % interval", "ties", "votes", "visits")
