"""Runs beside each other: the same items only, groups that cannot be told apart, and what cannot be compared."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from hypothesis import given
from hypothesis import strategies as st

from affectllm.cli import main
from affectllm.corpus.miniature import Tone, materialise
from affectllm.evaluate.harness import lm_eval_main
from affectllm.metrics import METRICS
from affectllm.report.boards.comparison import letters

SPEAKERS = ("03", "08", "09", "10", "11", "12", "13", "14", "15", "16")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Path]:
    """Evaluations of three reference models, the last of them of fewer speakers."""
    page = (
        "task: mine\nclass: !function affectllm.evaluate.task.AffectTask\ncorpus: emodb\nsplit: all\n"
        "template: emotion_choice\ngold: {space: emodb_7, rater: actor}\nmodalities: [audio]\ncluster: speaker\n"
        "metrics: [uar, accuracy]\nmetadata: {version: 1}\n"
    )
    (folder / "eval_tasks").mkdir()
    (folder / "eval_tasks" / "mine.yaml").write_text(page, encoding="utf-8")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTLLM_PATH", str(folder))
        for model, speakers in (("oracle", SPEAKERS), ("majority", SPEAKERS), ("chance", SPEAKERS[:8])):
            names = [f"{who}a0{text}{label}a" for who in speakers for text, label in zip("12457", "WNTWF", strict=True)]
            files = {f"wav/{name}.wav": Tone(0.05) for name in names}
            use(patch, {"emodb": materialise(files, folder / f"corpus {model}")})
            made[model] = folder / model
            lm_eval_main(["--model", f"affectllm-{model}", "--tasks", "mine", "--output_path", str(made[model])])
    return made


def compared(runs: dict[str, Path], *words: str, capsys: Any) -> Any:
    assert main(["compare", *map(str, runs.values()), "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)[0]


def test_only_items_that_all_answered_are_compared(runs: dict[str, Path], capsys: Any) -> None:
    board = compared(runs, capsys=capsys)
    assert (board["metric"], board["n"], board["clusters"]) == ("uar", 40, 8)
    assert board["left_out"] == {"oracle": 10, "majority": 10, "chance": 0}
    assert board["ranks"][0]["name"] == "oracle"
    assert board["ranks"][0]["value"] == 1 and board["ranks"][1]["value"] < 0.5
    rows = {}
    for name, path in runs.items():
        lines = map(json.loads, next(path.glob("samples_*")).open(encoding="utf-8"))
        rows[name] = {row["doc"]["id"]: (row["doc"]["gold"], row["reading"]) for row in lines}
    shared = [rows["majority"][one] for one in rows["chance"]]
    value = METRICS["uar"]([gold for gold, _ in shared], [answer for _, answer in shared]).value
    assert next(r["value"] for r in board["ranks"] if r["name"] == "majority") == pytest.approx(value)


def test_the_best_is_told_apart_and_the_others_share_a_letter(runs: dict[str, Path], capsys: Any) -> None:
    groups = {rank["name"]: set(rank["group"]) for rank in compared(runs, capsys=capsys)["ranks"]}
    assert not groups["oracle"] & groups["chance"] and not groups["oracle"] & groups["majority"]
    assert main(["compare", *map(str, runs.values())]) == 0
    shown = capsys.readouterr().out
    assert "10 items of oracle are left out" in shown and "8 clusters, paired" in shown


def test_another_metric_and_what_nobody_was_scored_by(runs: dict[str, Path], capsys: Any) -> None:
    assert compared(runs, "--metric", "accuracy", capsys=capsys)["metric"] == "accuracy"
    assert main(["compare", *map(str, runs.values()), "--metric", "mcc"]) == 2
    assert "not scored by mcc" in capsys.readouterr().err
    assert main(["compare", str(runs["oracle"])]) == 2
    assert "one run cannot be compared" in capsys.readouterr().err


@given(
    st.integers(1, 7).flatmap(
        lambda n: st.tuples(st.just(n), st.sets(st.sampled_from([*combinations(range(n), 2)] or [(0, 0)])))
    )
)
def test_two_that_differ_never_share_a_letter_within_a_stretch(case: Any) -> None:
    count, apart = case
    order = [f"run {n}" for n in range(count)]
    differ = {(order[a], order[b]): True for a, b in apart}
    groups = letters(order, differ)
    assert all(groups.values())
    for a, b in differ:
        assert not set(groups[a]) & set(groups[b])
    for a, b in pairwise(order):
        assert (a, b) in differ or set(groups[a]) & set(groups[b])
