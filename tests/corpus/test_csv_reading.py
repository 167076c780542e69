"""Comma-separated tables: the short way through a plain line finds what Python's csv module finds."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectllm.corpus import Rejection
from affectllm.corpus.reading import read_csv

LINES = st.lists(st.text(st.sampled_from('a,"é ;\t\0\x0b\u2028'), max_size=8), min_size=1, max_size=4)


def csv_records(lines: list[str], width: int) -> list[list[str]]:
    """The records of lines that stand alone, as the csv module has them."""
    matching = []
    for line in lines:
        try:
            records = list(csv.reader([line + "\n"], strict=True))
        except csv.Error:
            continue
        matching += [record for record in records if len(record) == width]
    return matching


@settings(max_examples=200)
@given(LINES)
def test_a_line_means_what_the_csv_module_says(lines: list[str]) -> None:
    lines = [line for line in lines if line.count('"') % 2 == 0]  # others go on in the next line
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        path.write_bytes("\n".join(["one,two", *lines]).encode() + b"\n")
        rows = list(read_csv(path, path.parent, ()))
    assert [list(row.fields.values()) for row in rows if not isinstance(row, Rejection)] == csv_records(lines, 2)


@pytest.mark.parametrize("line", ["", "a,b,c", "a", 'a,"b', "a\rb,c"])
def test_a_line_of_another_width_is_no_record(line: str, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(f"one,two\n{line}\nx,y\n", encoding="utf-8", newline="")
    rows = list(read_csv(tmp_path / "table.csv", tmp_path, ()))
    kept = [row for row in rows if not isinstance(row, Rejection)]
    assert [dict(row.fields) for row in kept] == [{"one": "x", "two": "y"}]
    assert [row.where for row in rows if isinstance(row, Rejection)] == (["table.csv:2"] if line else [])


def test_an_empty_line_of_a_table_of_one_column_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("one\n\nx\n", encoding="utf-8")
    assert [dict(row.fields) for row in read_csv(tmp_path / "table.csv", tmp_path, ()) if row] == [{"one": "x"}]
