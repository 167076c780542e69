"""SAGE: the last feeling of a simulated user is what counts, and the simulator is part of what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main
from affectllm.errors import Malformed
from affectllm.metrics import sage_emotion


def log(*points: float) -> list[dict[str, Any]]:
    """A history: the user's turns have a feeling, those of the model between them have none."""
    return [
        turn
        for point in points
        for turn in ({"role": "user", "content": "…", "emotion-point": point}, {"role": "assistant", "content": "…"})
    ]


def test_the_last_feeling_counts_and_the_course_is_told() -> None:
    result = sage_emotion(None, 10 * [log(40, 70, 100), log(40, 20, 8), log(40, 10, 45)], simulator="one")
    assert result.value == pytest.approx(51.0) and result.n == 30
    assert result.low is not None and result.high is not None and result.low < 51 < result.high
    assert result.per_class["one"] == pytest.approx(
        {"success": 1 / 3, "failure": 1 / 3, "start": 40, "lowest": 58 / 3, "points": 3}
    )
    assert result.settings["simulator"] == "one"


def test_final_numbers_are_enough_and_ten_is_no_failure() -> None:
    result = sage_emotion(None, [100, 10, "9.5", -3], simulator="one")
    assert result.value == pytest.approx(29.125)
    assert result.per_class["one"] == {"success": 0.25, "failure": 0.5}


def test_a_conversation_without_a_feeling_is_counted_as_left_out() -> None:
    result = sage_emotion(None, [50, [], None, 70], simulator="one")
    assert (result.value, result.n, result.coverage["conversations"]) == (60.0, 2, 0.5)


@pytest.mark.parametrize(
    ("values", "simulator", "problem"),
    [
        ([50], "", "one of a simulator"),
        ([[], []], "one", "no conversation has"),
        (["calm"], "one", "'calm' is no emotion-point"),
        ([True], "one", "True is no emotion-point"),
        ([log(40, float("nan"))], "one", "nan is no emotion-point"),
    ],
)
def test_what_cannot_be_scored_says_why(values: list[Any], simulator: str, problem: str) -> None:
    with pytest.raises(Malformed, match=problem):
        sage_emotion(None, values, simulator=simulator)


def test_a_published_log_is_scored_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    users = [
        {"id": f"u{n}", "emo_point": final, "player": "a\u2028b", "history": log(40, final)}
        for n, final in enumerate((100, 5))
    ]
    path = tmp_path / "model_result.jsonl"
    path.write_text("".join(json.dumps(user, ensure_ascii=False) + "\n" for user in users), encoding="utf-8")
    call = ["score", "--metric", "sage_emotion", "--pred", str(path), "--option", "simulator=deepseek-v3", "--json"]
    for column in ("history", "emo_point"):
        assert main([*call, "--pred-column", column]) == 0
        assert '"value": 52.5' in capsys.readouterr().out
