"""EQ-Bench 3 from the logs of its runner: the judge's scores, averaged as they are there, and sections of replies."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main

ROLE_PLAY = {"demonstrated_empathy": 18, "pragmatic_ei": 12.0, "warmth": 3, "sycophantic": 20}
ANALYSIS = {"depth_of_insight": 10, "correctness": 20}
WHOLE = {"thinking_feeling": "uneasy", "their_thinking_feeling": "hurt", "response": "I am sorry.", "raw": "…"}


def task(scores: Any, *turns: dict[str, str]) -> dict[str, Any]:
    status = "rubric_scored" if scores else "error"
    return {"status": status, "rubric_scores": scores, "parsed_responses": list(turns), "conversation_history": []}


def runs(path: Path, **more: Any) -> Path:
    """Write a runs file: two rounds of one run, with a role play that the judge did not score."""
    one = {
        "run_key": "one_tiny",
        "model_name": "tiny",
        "rubric_judge_model": "strict-judge",
        "scenario_tasks": {
            "1": {"1": task(ROLE_PLAY, WHOLE, {**WHOLE, "response": " "}), "401": task(ANALYSIS, {"raw": "…"})},
            "2": {"1": task(None, WHOLE), "201": task({"message_tailoring": 8}, {"draft": "Hello", "raw": "…"})},
        },
    }
    text = json.dumps({"one_tiny": one, **more})
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def scored(path: Path, metric: str, *options: str, capsys: Any) -> tuple[int, Any, str]:
    words = [word for one in options for word in ("--option", one)]
    command = ["score", "--metric", metric, "--pred", str(path), "--pred-column", "role_play", "--json", *words]
    status = main(command)
    said = capsys.readouterr()
    return status, json.loads(said.out) if status == 0 else None, said.err


def only(result: Any) -> dict[str, Any]:
    return result["results"][0] if "results" in result else result


@pytest.mark.parametrize("name", ["eqbench3_runs.json", "canonical_leaderboard_results.json.gz"])
def test_the_judges_scores_are_averaged_by_role_play(tmp_path: Path, capsys: Any, name: str) -> None:
    path = runs(tmp_path / name)
    status, result, error = scored(path, "eq_bench3_rubric", "judged_by=strict-judge", capsys=capsys)
    assert status == 0, error
    value = 5 * ((18 + 12) / 2 + (10 + 20) / 2 + 8) / 3  # style does not count, nor what was not scored
    assert only(result)["value"] == pytest.approx(value)
    assert only(result)["n"] == 3 and only(result)["coverage"]["role_plays"] == 0.75


def test_sections_need_no_judge(tmp_path: Path, capsys: Any) -> None:
    path = runs(tmp_path / "eqbench3_runs.json")
    status, result, error = scored(path, "eq_bench3_sections", capsys=capsys)
    assert status == 0, error
    assert only(result)["value"] == pytest.approx((0.5 + 1 + 0) / 3) and only(result)["n"] == 3


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "the score is one of a judge"),
        (["judged_by=another"], "judged by strict-judge, not by another"),
        (["judged_by=strict-judge", "run=none"], "no run 'none'"),
    ],
)
def test_the_judge_and_the_run_have_to_be_those_of_the_log(
    tmp_path: Path, capsys: Any, options: list[str], problem: str
) -> None:
    status, _, error = scored(runs(tmp_path / "runs.json"), "eq_bench3_rubric", *options, capsys=capsys)
    assert status == 2 and problem in error


def test_one_run_of_several_is_scored(tmp_path: Path, capsys: Any) -> None:
    other = {
        "run_key": "two",
        "judge_model": "lenient",
        "scenario_tasks": {"1": {"1": task({"correctness": 99, "pragmatic_ei": 20})}},
    }
    path = runs(tmp_path / "runs.json", two=other)
    status, _, error = scored(path, "eq_bench3_rubric", "judged_by=lenient", capsys=capsys)
    assert status == 2 and "the log has 2 runs" in error
    status, result, error = scored(path, "eq_bench3_rubric", "judged_by=lenient", "run=two", capsys=capsys)
    assert status == 0, error
    assert only(result)["value"] == 100 and only(result)["details"]["out_of_range"] == 1


@pytest.mark.parametrize("tasks", [[], {"1": 3}, {"1": {"1": "x"}}])
def test_a_broken_log_is_told(tmp_path: Path, capsys: Any, tasks: Any) -> None:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps({"a": {"run_key": "a", "scenario_tasks": tasks}}), encoding="utf-8")
    status, _, error = scored(path, "eq_bench3_sections", capsys=capsys)
    assert status == 2 and str(path) in error
