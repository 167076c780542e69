"""Every form of a table gives the same rows: by the reader, by ``generic`` and by ``affectllm score``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from affectllm.data_builders.generic.generic import described
from scoring import refused, scored, write_csv
from tables_made import FORMS, NAMES, ROWS, saved, separated, workbook, write

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.records.rows import Reading, Record, read_rows
from affectllm.errors import Malformed


def read(path: Path, **how: Any) -> list[Record | Rejection]:
    return list(read_rows(path, path.parent, Reading(**how)))


def fields(path: Path, **how: Any) -> list[dict[str, Any]]:
    return [dict(row.fields) if isinstance(row, Record) else {"lost": row.reason} for row in read(path, **how)]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table_gives_the_same_rows(form: str, tmp_path: Path) -> None:
    rows = fields(write(tmp_path, form))
    assert [{name: row[name] for name in NAMES} for row in rows] == ROWS
    assert all(not value for row in rows for name, value in row.items() if name not in NAMES)


@pytest.mark.parametrize("form", FORMS)
def test_generic_and_score_read_what_the_reader_reads(form: str, capsys, tmp_path: Path) -> None:
    page: dict[str, Any] = {
        "name": "mine",
        "table": write(tmp_path, form).name,
        "columns": {"id": "id", "text": "text"},
        "raters": {"me": "me"},
        "spaces": {"mood": {"kind": "category", "names": ["calm", "tense"]}},
        "labels": [{"space": "mood", "rater": "me", "column": "mood"}],
    }
    (tmp_path / "affectllm.yaml").write_text(json.dumps(page), encoding="utf-8")
    samples = [item for item in described(tmp_path)[1](tmp_path) if isinstance(item, Sample)]
    assert [(s.id, s.text, s.annotations[0].value) for s in samples] == [(r["id"], r["text"], r["mood"]) for r in ROWS]
    pred = write_csv(tmp_path / "p.csv", [("c", "calm"), ("b", "calm"), ("a", "calm")], ("id", "prediction"))
    words = ("--gold", tmp_path / page["table"], "--gold-column", "mood", "--pred", pred)
    assert scored(capsys, "--metric", "accuracy", *words)["value"] == pytest.approx(2 / 3)


def test_a_saved_data_set_is_a_table_and_several_splits_are_told(capsys, tmp_path: Path) -> None:
    assert fields(saved(tmp_path / "one")) == ROWS
    saved(tmp_path / "two/test")
    saved(tmp_path / "two/train", ROWS[:2])
    (tmp_path / "two/dataset_dict.json").write_text('{"splits": ["train", "test"]}', encoding="utf-8")
    assert [row["split"] for row in fields(tmp_path / "two")] == ["train"] * 2 + ["test"] * 3
    words = ("--metric", "accuracy", "--gold-column", "mood", "--pred", tmp_path / "one", "--pred-column", "mood")
    assert scored(capsys, *words, "--gold", tmp_path / "two/test")["value"] == 1
    assert "train, test" in refused(capsys, *words, "--gold", tmp_path / "two")
    (tmp_path / "one/data-00001-of-00002.arrow").write_bytes(b"cut")
    assert "not Arrow" in refused(capsys, *words, "--gold", tmp_path / "one")


@pytest.mark.parametrize("files", ['[{"filename": "../../secret"}]', '[{"filename": "/etc/passwd"}]', "[3]", "null"])
def test_a_saved_data_set_names_no_file_outside_of_it(files: str, tmp_path: Path) -> None:
    (saved(tmp_path / "one") / "state.json").write_text(f'{{"_data_files": {files}}}', encoding="utf-8")
    with pytest.raises(Malformed, match="names no files"):
        read(tmp_path / "one")


@pytest.mark.parametrize("header", [False, ("words", "mood")])
def test_a_table_without_a_header_loses_no_row(header: Any, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text('I knew, it "would" work .\t5, 8\n\nNo !\t1\n', encoding="utf-8")
    one, other = header or ("1", "2")
    assert fields(path, header=header) == [{one: 'I knew, it "would" work .', other: "5, 8"}, {one: "No !", other: "1"}]


def test_the_header_tells_the_separator_and_a_page_may(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id|text, long|mood\n1|a, b, c|calm\n", encoding="utf-8")
    assert fields(tmp_path / "t.csv") == [{"id": "1", "text, long": "a, b, c", "mood": "calm"}]
    (tmp_path / "t.csv").write_text("id:text\n1:a, b\n", encoding="utf-8")
    assert fields(tmp_path / "t.csv", separator=":") == [{"id": "1", "text": "a, b"}]


def test_columns_without_a_name_are_kept_where_they_hold_something(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,mood,,\na,calm\nb,tense,,why?\n", encoding="utf-8")
    assert fields(tmp_path / "t.csv") == [
        {"id": "a", "mood": "calm", "column 3": "", "column 4": ""},
        {"id": "b", "mood": "tense", "column 3": "", "column 4": "why?"},
    ]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,mood,mood\na,calm,tense\n", encoding="utf-8")
    with pytest.raises(Malformed, match=r"t\.csv:1: two columns are called 'mood'"):
        read(tmp_path / "t.csv")


def test_values_of_a_workbook_are_what_was_stored_and_its_sheets_are_named(tmp_path: Path) -> None:
    rows = [["id", "x"], ["a", "=HYPERLINK(1)"], ["b", 0.30000000000000004], ["c", "3.0"], ["d", 3.0]]
    path = tmp_path / "t.xlsx"
    path.write_bytes(workbook({"One": rows}))
    assert [row["x"] for row in fields(path)] == ["42", "0.3", "3.0", "3"]
    path.write_bytes(workbook({"One": rows, "Two": [["id"], ["z"]]}))
    with pytest.raises(Malformed, match="several sheets with values: Two, One"):
        read(path)
    assert fields(path, sheet="Two") == [{"id": "z"}] and len(fields(path, sheet="One")) == 4
    with pytest.raises(Malformed, match=r"no sheet is called 'Three'"):
        read(path, sheet="Three")


def test_merged_cells_count_for_every_row_and_titles_are_no_header(tmp_path: Path) -> None:
    rows = [["All answers"], [], ["who", "id", "mood"], ["Ann", "a", "calm"], ["", "b", "tense"], ["Ben", "c", ""]]
    (tmp_path / "t.xlsx").write_bytes(workbook({"One": rows}, merged=("A1:C1", "A4:A5", "C5:C6")))
    assert [tuple(row.values()) for row in fields(tmp_path / "t.xlsx")] == [
        ("Ann", "a", "calm"),
        ("Ann", "b", "tense"),
        ("Ben", "c", "tense"),
    ]


def test_row_names_of_pandas_are_a_column(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"label": ["joy", "fear"]}, index=["x", "y"])
    table.to_parquet(tmp_path / "t.parquet")
    assert fields(tmp_path / "t.parquet") == [{"label": "joy", "index": "x"}, {"label": "fear", "index": "y"}]
    for orient, name in (("columns", "key"), ("split", "index"), ("index", "key")):
        table.to_json(tmp_path / "t.json", orient=orient)
        rows = fields(tmp_path / "t.json")
        assert rows == [{name: "x", "label": "joy"}, {name: "y", "label": "fear"}], orient


def test_each_file_has_its_own_encoding(capsys, tmp_path: Path) -> None:
    rows = [("ä", "Ärger"), ("b", "Freude")]
    words = "id,label\r\n" + "".join(",".join(row) + "\r\n" for row in rows)
    encodings = {"a.csv": "utf-16", "b.csv": "utf-8", "c.csv": "latin-1", "d.csv": "utf-8-sig"}
    for name, encoding in encodings.items():
        (tmp_path / name).write_bytes(words.encode(encoding))
    for one in encodings:
        for other in encodings:
            asked = ("--encoding", "latin-1") if "c.csv" in (one, other) else ()
            options = ("--gold", tmp_path / one, "--pred", tmp_path / other, "--pred-column", "label", *asked)
            assert scored(capsys, "--metric", "accuracy", *options)["value"] == 1, (one, other)
    options = (
        "--metric",
        "accuracy",
        "--gold",
        tmp_path / "a.csv",
        "--pred",
        tmp_path / "b.csv",
        "--pred-column",
        "label",
    )
    assert scored(capsys, *options, "--encoding", "utf-16")["value"] == 1


# ── one bad row costs one row ────────────────────────────────────────────────────────────────────────────────────────


def test_a_quoted_cell_may_have_many_lines_and_be_long(tmp_path: Path) -> None:
    rows = [{"id": "a", "text": "line\n" * 3000, "mood": "x" * 300_000}, ROWS[1]]
    for separator in ",\t":
        (tmp_path / "t.csv").write_text(separated(separator, "\n", rows), encoding="utf-8", newline="")
        assert fields(tmp_path / "t.csv") == rows


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_an_unclosed_quotation_mark_costs_its_own_row(separator: str, tmp_path: Path) -> None:
    lines = [f"{n};{'“' if n % 2 else 'x'};calm" for n in range(500)]
    lines[10] = '10;"never closed;calm' if separator != "\t" else '10;"never;closed;calm'
    lines[300] = '300;"here; neither;calm' if separator != "\t" else '300;too;"many;calm'
    text = "\n".join(["id;text;mood", *lines, ""]).replace(";", separator)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    records = read(tmp_path / "t.csv")
    lost = [row.where for row in records if isinstance(row, Rejection)]
    assert lost == ["t.csv:12", "t.csv:302"] and len(records) == 500


def test_two_lone_quotation_marks_are_no_cell_of_several_rows(tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text('id\ttext\na\t"Oh\nb\twell\nc\tno"\n', encoding="utf-8")
    assert [row["text"] for row in fields(tmp_path / "t.tsv")] == ['"Oh', "well", 'no"']


def test_an_unclosed_quotation_mark_does_not_swallow_rows_up_to_another(tmp_path: Path) -> None:
    rows = [f"{n},word,calm" for n in range(60)]
    rows[10], rows[50] = '10,"open,calm', '50,closed",calm'
    (tmp_path / "t.csv").write_text("\n".join(["id,text,mood", *rows, ""]), encoding="utf-8")
    records = read(tmp_path / "t.csv")
    assert [row.where for row in records if isinstance(row, Rejection)] == ["t.csv:12"] and len(records) == 60


DEEP = "[" * 100_000 + "]" * 100_000
BAD = {
    "half a character": ('{"id": "x", "text": "\\ud83d"}', "bad_encoding"),
    "half a character in a name": ('{"id": "x", "\\udc00": 1}', "bad_encoding"),
    "a number without end": ('{"id": "x", "text": ' + "9" * 5000 + "}", "broken_row"),
    "lists in lists": ('{"id": "x", "text": ' + DEEP + "}", "broken_row"),
    "no object": ("3", "broken_row"),
}


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("bad", BAD)
def test_a_record_that_cannot_be_held_costs_itself(bad: str, lines: bool, tmp_path: Path) -> None:
    row, reason = BAD[bad]
    good = [json.dumps(ROWS[0]), json.dumps(ROWS[1])]
    content = [good[0], row, good[1]]
    text = "\n".join(content) + "\n" if lines else "[" + ",\n".join(content) + "]"
    (tmp_path / "t.json").write_text(text, encoding="utf-8")
    records = read(tmp_path / "t.json")
    assert [dict(r.fields) if isinstance(r, Record) else (r.reason, r.where) for r in records] == [
        ROWS[0],
        (reason, "t.json:2"),
        ROWS[1],
    ]
    assert isinstance(records[1], Rejection) and records[1].detail


def test_bytes_in_another_encoding_cost_their_own_record(tmp_path: Path) -> None:
    good = json.dumps(ROWS, ensure_ascii=False).encode()
    (tmp_path / "t.json").write_bytes(b'[{"id": "x", "text": "\xe4\xff"},' + good[1:])
    records = read(tmp_path / "t.json")
    assert isinstance(records[0], Rejection) and records[0].reason == "bad_encoding"
    assert [dict(row.fields) for row in records[1:] if isinstance(row, Record)] == ROWS


def test_what_was_found_in_json_is_said(capsys, tmp_path: Path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("a", "joy")], ("id", "label"))
    words = ("--metric", "accuracy", "--gold", gold, "--pred", tmp_path / "p.json")
    for content, message in {
        "[1, 2]": "a number, not an object",
        '{"id": ["a", "b"], "prediction": ["joy"]}': "columns of different lengths",
        '[{"id": "a", "prediction": "joy"},': "the rest of the file",
        "": "an empty file",
    }.items():
        (tmp_path / "p.json").write_text(content, encoding="utf-8")
        assert message in refused(capsys, *words)


@pytest.mark.parametrize(
    "name", ["t.csv", "t.json", "t.parquet", "t.xlsx", "t.csv.gz", "t.csv.xz", "t.csv.zst", "t.zip"]
)
def test_what_is_damaged_is_told_with_its_file(name: str, capsys, tmp_path: Path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("a", "joy")], ("id", "label"))
    (tmp_path / name).write_bytes(b"\x1f\x8bPK\x03\x04\x81not what its name says")
    assert name in refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", tmp_path / name)


@pytest.mark.parametrize(("encoding", "word"), [("gbk", "愤怒的人"), ("shift_jis", "いかりです"), ("cp1251", "гнев")])
def test_text_in_an_encoding_that_nobody_named_is_never_read_as_another(
    encoding: str, word: str, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_bytes(f"id,text\na,{word}\nb,plain\n".encode(encoding))
    assert fields(tmp_path / "t.csv") == [{"lost": "bad_encoding"}, {"id": "b", "text": "plain"}]
    assert fields(tmp_path / "t.csv", encoding=encoding)[0] == {"id": "a", "text": word}
    (tmp_path / "t.csv").write_bytes("id,text\na,“Äh”, déjà vu\n".replace(", d", " d").encode("cp1252"))
    assert fields(tmp_path / "t.csv") == [{"id": "a", "text": "“Äh” déjà vu"}]


def test_a_pipe_in_place_of_a_table_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(Malformed, match=r"t\.csv: no regular file"):
        read(tmp_path / "t.csv")


@pytest.mark.parametrize("name", ["data-00000-of-00001.arrow", "state.json"])
def test_a_pipe_in_a_saved_data_set_is_not_waited_for(name: str, tmp_path: Path) -> None:
    splits = datasets.DatasetDict({"train": datasets.Dataset.from_list([{"id": "a"}])})
    splits.save_to_disk(tmp_path / "saved")
    (tmp_path / "saved/train" / name).unlink()
    os.mkfifo(tmp_path / "saved/train" / name)
    with pytest.raises(Malformed, match=rf"{name}: no regular file"):
        read(tmp_path / "saved")


def test_offsets_of_a_saved_data_set_that_lead_out_of_it_are_damage(tmp_path: Path) -> None:
    import pyarrow

    offsets = pyarrow.py_buffer(np.array([0, 2**40, 7], np.int64))
    words = pyarrow.Array.from_buffers(pyarrow.large_string(), 2, [None, offsets, pyarrow.py_buffer(b"joyfear")])
    table = pyarrow.table({"label": words})
    with pyarrow.OSFile(str(tmp_path / "data.arrow"), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as out:
        out.write_table(table)
    (tmp_path / "state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
    (tmp_path / "dataset_info.json").write_text("{}")
    with pytest.raises(Malformed, match=r"data\.arrow: not Arrow"):
        read(tmp_path)
