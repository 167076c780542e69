"""Tables without ids: rows correspond by their place, whatever is left out of one side, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main

PAGE = """\
# A page of two tables without ids.
paper: A paper
system: a system
obtain: {votes: here}
tables:
  gold: {root: votes, path: gold.csv}
  answers: {root: votes, path: answers.csv}
  groups: {root: votes, path: groups.csv}
checks:
  - of: all
    metric: METRIC
    gold: {table: gold, column: value GOLD}
    answers: {table: answers, column: value IDS}
    columns: {groups: {table: groups, column: who, id: id}}
    published: "1.0"
    source: table 1
    evidence: checked
"""


def reproduced(folder: Path, capsys: Any, page: str, **tables: str) -> tuple[int, Any, str]:
    (folder / "votes").mkdir()
    for name, text in tables.items():
        (folder / "votes" / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "mine.yaml").write_text(page, encoding="utf-8")
    status = main(["reproduce", str(folder / "mine.yaml"), "--root", f"votes={folder / 'votes'}", "--json"])
    said = capsys.readouterr()
    return status, json.loads(said.out)[0]["checks"][0] if said.out else None, said.err


def labels(gold: str = "", extra: str = "") -> str:
    lines = [line for line in PAGE.splitlines() if "groups" not in line]
    text = "\n".join(lines).replace("METRIC", "accuracy").replace(" GOLD", gold).replace(" IDS", "")
    return f"{text}\n{extra}"


GOLD = "id,value\na,joy\nb,odd\nc,fear\nd,joy\n"
ANSWERS = "id,value\na,joy\nb,joy\nc,fear\nd,joy\n"


def test_a_gold_value_that_is_left_out_takes_its_own_answer_along(tmp_path: Path, capsys: Any) -> None:
    page = labels(", map: {joy: joy, fear: fear}")
    status, check, error = reproduced(tmp_path, capsys, page, gold=GOLD, answers=ANSWERS)
    assert status == 0, error
    assert (check["value"], check["n"], check["rejected"]["not_in_map:odd"]) == (1.0, 3, 1)


@pytest.mark.parametrize(("gold", "answers"), [("", ANSWERS[:-6]), (", where: {id: [a, c, d]}", ANSWERS)])
def test_rows_of_unlike_tables_do_not_correspond(tmp_path: Path, capsys: Any, gold: str, answers: str) -> None:
    status, _, error = reproduced(tmp_path, capsys, labels(gold), gold=GOLD, answers=answers)
    assert status == 2 and "rows correspond" in error and "answers.csv" in error


def test_an_id_that_is_given_two_groups_is_refused(tmp_path: Path, capsys: Any) -> None:
    page = PAGE.replace("METRIC", "pearson_per_group").replace(" GOLD", ", id: id").replace(" IDS", ", id: id")
    values = "id,value\n" + "".join(f"i{n},{n}\n" for n in range(4))
    groups = "id,who\n" + "".join(f"i{n},x\n" for n in range(4))
    status, check, error = reproduced(tmp_path, capsys, page, gold=values, answers=values, groups=groups)
    assert (status, check["value"]) == (0, pytest.approx(1.0)), error
    again = tmp_path / "again"
    again.mkdir()
    twice = {"gold": values, "answers": values, "groups": groups + "i3,y\n"}
    status, _, error = reproduced(again, capsys, page, **twice)
    assert status == 2 and "groups.csv:6" in error and "'i3' occurs twice" in error
