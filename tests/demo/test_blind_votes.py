"""Votes of blind comparisons: none is lost among processes, and the table does not depend on who stood first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from affectllm.cli import main
from affectllm.demo.votes import Vote, keep, read, standings
from affectllm.errors import Malformed
from affectllm.metrics.labels.preference import preference_rate

_WRITER = """
import sys
from pathlib import Path
from affectllm.demo.votes import Vote, keep
answers, shown = ("joy " * 500, "fear"), ("text", "text")
for number in range(40):
    keep(Vote("a", "b", "a1", answers, sys.argv[1], {"n": number}, shown, ""), Path(sys.argv[2]))
"""


def vote(first: str, second: str, choice: str, session: str = "s") -> Vote:
    return Vote(
        first, second, choice, ("joy", "fear"), session, {"template": "emotion_choice"}, ("text", "text"), "now"
    )


def test_votes_of_several_processes_are_all_there_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, f"p{number}", str(path)]) for number in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    kept = read(path)
    assert {(one.session, one.asked["n"]) for one in kept} == {(f"p{p}", n) for p in range(3) for n in range(40)}


def test_a_line_that_a_kill_cut_off_is_named_and_spoils_no_later_vote(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    path.write_text('{"first": "a", "sec')
    keep(vote("a", "b", "a1"), path)
    with pytest.raises(Malformed, match=r"votes\.jsonl:1: this line is no vote"):
        read(path)
    path.write_text("\n".join(path.read_text().splitlines()[1:]) + "\n")
    assert read(path) == [vote("a", "b", "a1")]


@pytest.mark.parametrize("damage", [{"choice": "A"}, {"first": 3}, {"answers": 1}, {"more": 1}])
def test_what_is_no_vote_is_refused(tmp_path: Path, damage: dict) -> None:
    path = tmp_path / "votes.jsonl"
    keep(vote("a", "b", "a1"), path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}) + "\n")
    with pytest.raises(Malformed, match=":1: this line is no vote"):
        read(path)


def test_the_standing_is_the_share_of_wins_whoever_stood_first() -> None:
    draw = Random(0)
    wishes = [(draw.choice(["new", "old", ""]), f"visit {number % 9}") for number in range(60)]
    shown = []
    for better, session in wishes:
        first, second = draw.sample(["new", "old"], 2)
        choice = "same" if not better else "a1" if better == first else "a2"
        shown.append(vote(first, second, choice, session))
    (standing,) = standings([*shown, vote("third", "new", "a1")])[:1]
    wins = sum(better == "new" for better, _ in wishes)
    ties = sum(not better for better, _ in wishes)
    assert (standing.one, standing.other, standing.votes, standing.sessions) == ("new", "old", 60, 9)
    assert standing.preferred == pytest.approx((wins + ties / 2) / 60) and standing.ties == pytest.approx(ties / 60)
    assert standing.low is not None and standing.low < standing.preferred < standing.high
    swapped = [
        Vote(
            **{
                **vars(v),
                "first": v.second,
                "second": v.first,
                "choice": {"a1": "a2", "a2": "a1"}.get(v.choice, "same"),
            }
        )
        for v in shown
    ]
    assert standings(swapped) == [standing]


def test_few_visits_have_no_interval_and_the_table_says_how_many(tmp_path: Path, capsys) -> None:
    path = tmp_path / "votes.jsonl"
    for choice in ("a1", "same", "a1", "a2"):
        keep(vote("tiny:a", "tiny:b", choice), path)
    assert main(["demo", "--standings", str(path)]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.startswith("preferred ")
    assert " ".join(row.split()) == "tiny:a over tiny:b 0.625 – 0.250 4 1"


def test_the_rate_is_of_what_can_be_read() -> None:
    result = preference_rate(predicted=["a1", "A2.", "same", None, "dog"], controls=False)
    assert result.value == pytest.approx(0.5) and result.unreadable == pytest.approx(0.2)
    with pytest.raises(Malformed, match="no vote"):
        preference_rate(predicted=[None, "dog"])
