"""Tables under other people's column names, and numbers in strings."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.corpus import Rejection
from affectllm.corpus.reading import Row
from affectllm.corpus.tables import number, read_table, unquoted
from affectllm.errors import Malformed

COLUMNS: dict[str, tuple[str, ...]] = {"text": ("sentence", "post"), "label": ("emotion",), "user": ()}


def rows(path: Path, separator: str = "\t") -> list[Row | Rejection]:
    return list(read_table(path, path.parent, COLUMNS, separator, optional=("user",)))


def write(folder: Path, text: str, name: str = "x.tsv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("header", ["text\tlabel", "Sentence \tEMOTION", "label_\tpost"])
def test_columns_are_found_under_several_names(header: str, tmp_path: Path) -> None:
    cells = ("joy", "Hi") if header.startswith("label") else ("Hi", "joy")
    (row,) = rows(write(tmp_path, f"{header}\n{cells[0]}\t{cells[1]}\n"))
    assert isinstance(row, Row) and (row["text"], row["label"], row.where) == ("Hi", "joy", "x.tsv:2")


def test_a_column_of_the_release_s_own_name_comes_before_another_that_would_do(tmp_path: Path) -> None:
    (row,) = rows(write(tmp_path, "post\ttext\tlabel\nraw\tclean\tjoy\n"))
    assert isinstance(row, Row) and (row["text"], row["post"]) == ("clean", "raw")


def test_rows_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, 'text\tlabel\n"An open quote\tjoy\nshort\nlong\tjoy\tmore\nempty end\tjoy\t\n\n')
    assert [row["text"] if isinstance(row, Row) else (row.reason, row.where) for row in rows(path)] == [
        '"An open quote',
        ("broken_row", "x.tsv:3"),
        ("broken_row", "x.tsv:4"),
        "empty end",
    ]


@pytest.mark.parametrize("text", ["", "text\tmood\n", "text\tmood\nHi\tjoy\n", "<!DOCTYPE html>\n<p>\n"])
def test_a_header_without_a_needed_column_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"x\.tsv:1.*(label or emotion|text or sentence)"):
        rows(write(tmp_path, text))
    with pytest.raises(Malformed, match=r"x\.csv:1.*(label or emotion|text or sentence)"):
        rows(write(tmp_path, text.replace("\t", ","), "x.csv"), ",")


def test_quotes_mean_something_only_between_commas(tmp_path: Path) -> None:
    (row,) = rows(write(tmp_path, 'text,label\n"One,\n""two""",joy\n', "x.csv"), ",")
    assert isinstance(row, Row) and row["text"] == 'One,\n"two"'


@pytest.mark.parametrize(
    ("field", "expected"),
    [('"a ""b"" c"', 'a "b" c'), ('"a" b', '"a" b'), ('"a" and "b"', '"a" and "b"'), ('"', '"'), ('""', "")],
)
def test_only_a_field_wholly_in_quotes_loses_them(field: str, expected: str) -> None:
    assert unquoted(field) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[("5.667000000000001", 5.667000000000001), (" 3 ", 3.0), (4, 4.0), ("8", None), ("", None), ("nan", None)],
        *[("much", None), (True, None), (None, None), ([1], None)],
    ],
)
def test_numbers_are_read_from_strings_and_kept_in_bounds(value: object, expected: float | None) -> None:
    assert number(value, 1, 7) == expected
