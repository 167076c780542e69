"""Tables and calls of ``affectllm score`` that its tests share."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from affectllm.cli import main


def write_csv(path: Path, rows: list[tuple], header: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def scored(capsys: pytest.CaptureFixture[str], *words: str | Path) -> dict:
    assert main(["score", "--json", *map(str, words)]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert main(["score", *map(str, words)]) == 2
    return capsys.readouterr().err
