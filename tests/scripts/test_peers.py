"""scripts/peers: what is run in turns is compared in pairs, and the table says ratios with their spread."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from peering import evaluators, scoring, table
from peering.contest import Measured, Outcome, Side, alternate, trained_seconds
from peering.places import Missing
from peering.texts import EXPORTED, made

_SAYS = "import sys; print({'train_runtime': sys.argv[1], 'epoch': '1'}); open(sys.argv[2], 'w').close()"


def side(name: str, seconds: str) -> Side:
    return Side(name, [sys.executable, "-c", _SAYS, seconds, "{out}"])


def test_both_sides_run_as_often_and_a_ratio_is_that_of_a_pair(tmp_path: Path) -> None:
    both = side("affectllm", "2.0"), side("peer 1.0", "5.0")
    outcome = alternate("train", *both, trained_seconds, tmp_path, 3, 10, "rows", 1.3)
    assert outcome.ratios(lambda run: run.seconds) == [2.5, 2.5, 2.5]
    assert all((tmp_path / f"{who}-{number}" / "out").is_file() for who in ("ours", "theirs") for number in range(3))
    row = table.markdown([outcome]).splitlines()[-1]
    assert "| 5.0 rows/s | 2.0 rows/s | 2.50 (2.50–2.50) |" in row and row.endswith("≥ 1.3: met |")


def test_a_side_that_fails_ends_the_comparison_with_what_it_said(tmp_path: Path) -> None:
    broken = Side("peer", [sys.executable, "-c", "raise SystemExit('no such option')"])
    with pytest.raises(RuntimeError, match=r"(?s)ended with 1.*no such option"):
        alternate("train", side("affectllm", "1"), broken, trained_seconds, tmp_path, 1, 1, "rows")


@pytest.mark.parametrize("text", ["train_runtime = 0:00:05.35", "{'loss': 1}"])
def test_a_time_that_is_not_in_seconds_is_no_time(text: str) -> None:
    with pytest.raises(RuntimeError, match="no train_runtime"):
        trained_seconds(text)
    assert trained_seconds(f"{text}\n{{'train_runtime': '5.35'}}") == 5.35


@pytest.mark.slow
@pytest.mark.thorough
def test_every_peer_gets_the_rows_that_we_train_on(tmp_path: Path) -> None:
    texts = made(tmp_path, rows=30)
    for method, trainers in EXPORTED.items():
        rows = [len((texts.exports / one / method / "train.jsonl").read_text().splitlines()) for one in trainers]
        assert rows == [24 if method == "grpo" else 30] * len(trainers), method


def test_a_folder_of_each_run_stands_in_the_environment_too(tmp_path: Path) -> None:
    says = "import os; print({'train_runtime': '1.0'}); open(os.environ['KEPT'], 'w').close()"
    own = Side("peer", [sys.executable, "-c", says], {"KEPT": "{out}"})
    alternate("train", own, own, trained_seconds, tmp_path, 2, 1, "rows")
    assert all((tmp_path / f"{who}-{number}" / "out").is_file() for who in ("ours", "theirs") for number in range(2))


@pytest.mark.parametrize(("theirs", "name"), [("0.61", "torchmetrics"), ("0.6000000001", "scikit-learn")])
def test_scores_that_differ_end_the_comparison(theirs: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(what: str, *_: object) -> Outcome:
        ours, other = (Measured(1.0, 1.0, 1.0, output) for output in ('{"value": 0.6}', f"value {theirs}"))
        return Outcome(what, ("affectllm", name), [ours], [other], 1, "answers")

    monkeypatch.setattr(scoring, "alternate", ran)
    with pytest.raises(RuntimeError, match=f"0.6 here and {theirs} by {name}"):
        scoring.measure(name, 1)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("name", scoring.PEERS)
def test_scores_of_the_same_answers_are_the_same(name: str) -> None:
    pytest.importorskip(name.replace("scikit-learn", "sklearn"))
    outcome = scoring.compared(name, items=600, replicates=0, repeats=1)
    assert len(outcome.ours) == len(outcome.theirs) == 1


@pytest.mark.parametrize("name", evaluators.PEERS)
def test_an_evaluator_that_is_not_cloned_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTLLM_READERS", str(tmp_path))
    with pytest.raises(Missing, match=f"{name} is not cloned: scripts/readers DIR"):
        evaluators.PEERS[name](1)


def test_an_evaluator_that_says_another_score_ends_the_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    ours = [sys.executable, "-c", "print('{\"value\": 0.6}')"]
    evaluators._same("uar", ours, "0.6", "EmoBox")
    assert "uar: 0.6 here, 0.6 by EmoBox" in capsys.readouterr().err
    for other in ("0.6000001", "nan"):
        with pytest.raises(RuntimeError, match=f"uar: 0.6 here and {other} by EmoBox"):
            evaluators._same("uar", ours, other, "EmoBox")


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("name", evaluators.PEERS)
def test_published_evaluators_give_the_same_scores(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        (outcome,) = evaluators.PEERS[name](1, items=400)
    except Missing as error:
        pytest.skip(str(error))
    compared = capsys.readouterr().err.splitlines()
    assert len(outcome.ours) == 1 and len(compared) == {"emobox": 4, "affectgpt": 2}[name]
