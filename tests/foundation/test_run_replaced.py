"""What a run that replaces another says: which of its inputs were others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from affectllm.run import Run


def replaced(folder: Path, *inputs: dict[str, Any]) -> None:
    for one in inputs:
        with Run(folder, "build", one):
            pass


def test_what_is_replaced_is_told_with_what_was_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for page in ({"method": "dpo", "trainer": {"beta": 0.1}}, {"method": "sft", "trainer": {"beta": 0.2}}):
        replaced(tmp_path / "run", *[{"seed": 1, "recipe": page}] * 2)
    told = "the finished build in it was of other inputs (recipe.method, recipe.trainer.beta); it is replaced"
    assert capsys.readouterr().err == f"{tmp_path / 'run'}: {told}\n"


def test_of_many_other_inputs_the_first_are_named_and_none_deeper_than_two_dots(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def page(value: int) -> dict[str, Any]:
        return {"a": {"b": {"c": {"d": value}}}, **{f"key{number}": value for number in range(5)}}

    replaced(tmp_path / "run", page(1), page(2))
    assert "(a.b.c, key0, key1, key2, key3, …)" in capsys.readouterr().err
    replaced(tmp_path / "run", {**page(2), **dict.fromkeys((f"key{number}" for number in range(5)), 3)})
    assert "(key0, key1, key2, key3, key4)" in capsys.readouterr().err
