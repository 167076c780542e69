"""Runs that cannot be set beside each other as they are: damaged, partial, asked otherwise, undefined, too few."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.cli import main
from affectllm.metrics import METRICS
from affectllm.metrics.core.comparison import compare
from affectllm.report.boards.comparison import Board, letters
from affectllm.report.boards.folders import evaluations

NAMES = ["anger", "joy"]
GOLD = NAMES * 20
FACTS = {
    "corpus": "made_up",
    "split": "test",
    "template": "emotion_choice",
    "template_version": 3,
    "slots": [{"name": "", "form": "choice", "space": {"name": "two", "kind": "category", "names": NAMES}}],
    "labels": NAMES,
    "modalities": ["audio"],
    "metrics": ["accuracy", "uar"],
    "cluster": "speaker",
}


def write_run(folder: Path, right: int, items: int = len(GOLD), speakers: int = 10, **facts: Any) -> Path:
    """Write the evaluation of a model that answers the first ``right`` items rightly."""
    folder.mkdir(parents=True)
    answers = [gold if n < right else NAMES[gold == "anger"] for n, gold in enumerate(GOLD[:items])]
    score = {"value": right / items, "low": 0.0, "high": 1.0, "n": items, "unreadable": 0.0}
    rows = [
        {"doc_id": n, "doc": {"id": f"i{n}", "gold": gold, "speaker": f"s{n % speakers}", "dialogue": None},
         "reading": answer, "unreadable": None}
        for n, (gold, answer) in enumerate(zip(GOLD, answers, strict=False))
    ]  # fmt: skip
    version = facts.pop("version", 1)
    config = {"metadata": {"version": version, "affectllm": {**FACTS, **facts}}}
    contents = {
        "scores.json": {"mine": {"accuracy": score}},
        "details.json": {"mine": {"corpus": "made_up", "modalities": ["audio"], "n": items}},
        "sources.json": {"results": "results_1.json", "samples": {"mine": "samples_mine_1.jsonl"}},
        "results_1.json": {"configs": {"mine": config}, "config": {"model_num_parameters": 5}},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "samples_mine_1.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return folder


def led(folder: Path) -> dict[str, Any]:
    assert main(["leaderboard", str(folder), "--out", str(folder.parent / "site")]) == 0
    text = (folder.parent / "site" / "leaderboard.json").read_text(encoding="utf-8")
    (board,) = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    return board


def groups(board: dict[str, Any]) -> dict[str, str]:
    return {row["run"]: row["group"] for row in board["runs"]}


def compared(*words: Any, capsys: Any) -> tuple[int, str]:
    status = main(["compare", *map(str, words)])
    said = capsys.readouterr()
    return status, said.out + said.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scores.json", '{"mine": {"accuracy'),
        ("details.json", "null"),
        ("sources.json", "[]"),
        ("sources.json", '{"res'),
        ("results_1.json", ""),
    ],
)
def test_a_damaged_run_is_named_and_the_others_are_compared(
    tmp_path: Path, capsys: Any, name: str, content: str
) -> None:
    for run, right in (("good", 40), ("poor", 5), ("torn", 20)):
        write_run(tmp_path / "runs" / run, right)
    (tmp_path / "runs" / "torn" / name).write_text(content, encoding="utf-8")
    board = led(tmp_path / "runs")
    assert groups(board) == {"good": "a", "poor": "b"}
    assert set(board["damaged"]) == {"torn"} and name in board["damaged"]["torn"]
    for ending in ("html", "md"):
        assert "Damaged runs" in (tmp_path / "site" / f"leaderboard.{ending}").read_text(encoding="utf-8")
    capsys.readouterr()
    status, words = compared(tmp_path / "runs" / "good", tmp_path / "runs" / "torn", capsys=capsys)
    assert status == 2 and str(tmp_path / "runs" / "torn" / name) in words


@pytest.mark.parametrize("cut", [lambda text: "", lambda text: text[:-9], lambda text: "{}\n" + text])
def test_answers_that_are_lost_leave_the_run_without_a_group(
    tmp_path: Path, capsys: Any, cut: Callable[[str], str]
) -> None:
    for run, right in (("good", 40), ("poor", 5), ("torn", 20)):
        write_run(tmp_path / "runs" / run, right)
    samples = tmp_path / "runs" / "torn" / "samples_mine_1.jsonl"
    samples.write_text(cut(samples.read_text(encoding="utf-8")), encoding="utf-8")
    board = led(tmp_path / "runs")
    assert groups(board) == {"good": "a", "torn": "", "poor": "b"}
    assert "Not compared: torn" in board["note"]
    capsys.readouterr()
    status, words = compared(tmp_path / "runs" / "good", tmp_path / "runs" / "torn", capsys=capsys)
    assert status == 2 and "torn" in words


def test_a_run_with_fewer_answers_on_disk_than_its_scores_count_says_both_numbers(tmp_path: Path, capsys: Any) -> None:
    good, torn = (write_run(tmp_path / name, 20) for name in ("good", "torn"))
    status, words = compared(good, torn, capsys=capsys)
    assert status == 0 and "on disk" not in words
    samples = torn / "samples_mine_1.jsonl"
    samples.write_text("".join(samples.read_text(encoding="utf-8").splitlines(keepends=True)[:30]), encoding="utf-8")
    status, words = compared(good, torn, capsys=capsys)
    assert status == 0 and "  torn has 30 answers on disk, and its scores count 40: some are lost\n" in words
    assert main(["compare", str(good), str(torn), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["lost"] == {"torn": [30, 40]}


def test_a_run_of_fewer_items_does_not_leave_the_others_with_these(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "good", 40)
    write_run(tmp_path / "runs" / "poor", 5)
    write_run(tmp_path / "runs" / "short", 6, items=6)
    board = led(tmp_path / "runs")
    assert groups(board) == {"good": "a", "short": "", "poor": "b"}
    assert "on 40 items" in board["note"] and "Not compared: short, on 6 items." in board["note"]


def test_runs_that_were_asked_otherwise_are_told_and_other_labels_refused(tmp_path: Path, capsys: Any) -> None:
    one = write_run(tmp_path / "one", 40)
    other = write_run(tmp_path / "other", 5, version=2, template_version=4, modalities=["text"])
    status, words = compared(one, other, capsys=capsys)
    assert status == 0
    for line in ("version of the task: 1 (one), 2 (other)", "shown: audio (one), text (other)"):
        assert f"asked otherwise: {line}" in words
    assert "version of the template: 3 (one), 4 (other)" in words
    three = {"name": "", "form": "choice", "space": {"name": "three", "kind": "category", "names": [*NAMES, "fear"]}}
    status, words = compared(one, write_run(tmp_path / "more", 5, slots=[three]), capsys=capsys)
    assert status == 2 and "other labels" in words


def test_names_are_the_ends_of_paths_that_tell_runs_apart(tmp_path: Path, capsys: Any) -> None:
    places = [write_run(tmp_path / name, 9) for name in ("first/eval", "second/eval", "alone")]
    assert list(evaluations(places)) == ["first/eval", "second/eval", "alone"]
    status, words = compared(places[0], places[0] / ".." / "eval", capsys=capsys)
    assert status == 2 and "given twice" in words
    status, words = compared(*places, "--tasks", " , ", capsys=capsys)
    assert status == 2 and "names no task" in words


def test_a_folder_within_one_called_reference_has_its_runs(tmp_path: Path) -> None:
    write_run(tmp_path / "reference" / "runs" / "good", 40)
    write_run(tmp_path / "reference" / "runs" / "good" / "reference" / "chance", 20)
    assert groups(led(tmp_path / "reference" / "runs")) == {"good": ""}


def test_a_value_that_is_not_defined_comes_last_and_is_null(tmp_path: Path) -> None:
    for run, right in (("a", 5), ("b", 20), ("c", 40)):
        scores = write_run(tmp_path / "runs" / run, right) / "scores.json"
        if run == "b":
            scores.write_text(scores.read_text(encoding="utf-8").replace("0.5,", "NaN,"), encoding="utf-8")
    board = led(tmp_path / "runs")
    assert [row["run"] for row in board["runs"]] == ["c", "a", "b"]
    assert board["runs"][2]["score"]["value"] is None


def test_runs_with_another_headline_are_named(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a", 40)
    scores = write_run(tmp_path / "runs" / "b", 5) / "scores.json"
    scores.write_text(scores.read_text(encoding="utf-8").replace("accuracy", "uar"), encoding="utf-8")
    board = led(tmp_path / "runs")
    assert list(groups(board)) == ["a"] and board["note"] == "Not scored by Accuracy: b."


@pytest.mark.parametrize(
    ("speakers", "alone", "items", "flag"),
    [
        (3, 5, 40, "too few clusters to tell it from text alone"),
        (10, 5, 30, "not compared with text alone: not the same items"),
        (10, 39, 40, "no better than with text alone"),
        (10, 5, 40, ""),
    ],
)
def test_a_shortcut_is_claimed_where_it_is_seen(
    tmp_path: Path, speakers: int, alone: int, items: int, flag: str
) -> None:
    write_run(tmp_path / "runs" / "a", 40, speakers=speakers)
    write_run(tmp_path / "runs" / "a" / "modalities" / "text", alone, items=items, speakers=speakers)
    (row,) = led(tmp_path / "runs")["runs"]
    assert row["flags"] == [flag] * bool(flag)


def test_no_groups_where_none_can_be_told_apart(tmp_path: Path, capsys: Any) -> None:
    places = [write_run(tmp_path / "runs" / f"r{n}", right, speakers=6) for n, right in enumerate((40, 20, 0))]
    status, words = compared(*places, capsys=capsys)  # 3 pairs of at least 2 in 64
    assert status == 0 and "6 clusters and 10,000 draws are too few for telling 3 pairs of runs apart" in words
    board = led(tmp_path / "runs")  # the best two can be told apart: 1 pair
    assert groups(board) == {"r0": "a", "r1": "b", "r2": ""} and "of the first 2" in board["note"]


def test_an_undefined_difference_is_not_significant() -> None:
    import numpy as np

    from affectllm.metrics.core.metric import Sums

    def undefined(gold: Sequence[str], predicted: Sequence[str | None], **options: Any) -> Sums:
        table = np.array([[one == other, one == "joy"] for one, other in zip(gold, predicted, strict=True)], float)
        return Sums(table, lambda sums: np.where(sums[..., 0] > 0, sums[..., 0], np.nan))

    metric = copy.copy(METRICS["accuracy"])
    metric.function = undefined
    (row,) = compare(metric, GOLD, {"right": GOLD, "wrong": GOLD[1:] + GOLD[:1]}, rounds=200)
    assert row.difference != row.difference and row.p == 1 and row.low is None
    board = Board("mine", "accuracy", 40, 40, {}, (), (row,))
    json.dumps(board.to_json(), allow_nan=False)


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(n), 2)] or [(0, 0)])))
    )
)
def test_two_share_a_letter_exactly_where_they_do_not_differ(case: Any) -> None:
    count, apart = case
    order = [f"run {n}" for n in range(count)]
    shown = letters(order, {(order[a], order[b]): True for a, b in apart})
    assert all(shown.values())
    for a, b in combinations(range(count), 2):
        assert bool(set(shown[order[a]]) & set(shown[order[b]])) == ((a, b) not in apart)


def test_letters_of_thirty_runs_that_all_differ_are_letters() -> None:
    order = [f"run {n:02}" for n in range(30)]
    shown = letters(order, dict.fromkeys(combinations(order, 2), True))
    assert len(set(shown.values())) == 30 and all(one.isalpha() and len(one) == 1 for one in shown.values())
