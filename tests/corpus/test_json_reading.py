"""JSON of other people's releases is read item by item, with lines, and a cut costs only what comes after it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.corpus import Rejection
from affectllm.corpus.records import json_reading
from affectllm.corpus.records.instruction_records import Asked, read_asked
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.errors import Malformed

DOCUMENTS: list[Any] = [
    [1, 22, 333, -4.5e3, "a", None, True, {"x": [1, {"y": "é😀"}]}],
    {"a": 1, "b": [1, 2], 'c\\"': "x\ny"},
    [],
    {},
    [[["deep"]]],
    {"long": "v" * 5000},
]


def items(path: Path) -> list[Item | Rejection]:
    return list(read_json(path, path.parent))


@pytest.mark.parametrize("chunk", [1, 3, 64, 1 << 18])
@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_read_as_json_reads_it(
    document: Any, indent: int | None, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_reading, "_CHUNK", chunk)
    path = tmp_path / "x.json"
    path.write_text(json.dumps(document, indent=indent, ensure_ascii=False), encoding="utf-8")
    pairs = list(document.items()) if isinstance(document, dict) else [("", value) for value in document]
    assert [(item.key, item.value) for item in items(path) if isinstance(item, Item)] == pairs
    assert len(items(path)) == len(pairs)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_in_every_encoding(encoding: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(end.join(["[", '{"a": "ü"},', "", '{"a":', "2}", "]"]).encode(encoding))
    assert [(item.value, item.where) for item in items(path) if isinstance(item, Item)] == [
        ({"a": "ü"}, "x.json:2"),
        ({"a": 2}, "x.json:4"),
    ]


@pytest.mark.parametrize(
    ("text", "kept", "line"),
    [
        ('[\n{"a": 1},\n{"a": 2},\n{"a": "cut', 2, 4),
        ('[\n{"a": 1}\n{"a": 2}]', 1, 3),
        ('{"a": 1,\n"b" 2}', 1, 2),
        ("<!DOCTYPE html>", 0, 1),
        ("[" * 100_000, 0, 1),
    ],
)
def test_what_comes_after_a_break_is_named(text: str, kept: int, line: int, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    *good, last = items(path)
    assert len(good) == kept and isinstance(last, Rejection)
    assert (last.reason, last.where) == ("broken_row", f"x.json:{line}")


def test_json_lines_are_told_from_a_document_by_what_is_in_them(tmp_path: Path) -> None:
    lines, document = tmp_path / "lines.json", tmp_path / "document.json"
    lines.write_text('{"a": 1}\n{"a": \n\n{"a": 3}\n')
    document.write_text('{"a": {"b": 1}}\n')
    assert [item.value if isinstance(item, Item) else item.where for item in items(lines)] == [
        {"a": 1},
        "lines.json:2",
        {"a": 3},
    ]
    assert [(item.key, item.value) for item in items(document) if isinstance(item, Item)] == [("a", {"b": 1})]


def test_what_double_encoding_left_is_repaired(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('[{"a": ["You\\u0092re", "no\u00a0break"]}]', encoding="utf-8")
    assert [item.value for item in items(path) if isinstance(item, Item)] == [{"a": ["You’re", "no break"]}]


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    empty, latin, pointer = tmp_path / "empty.json", tmp_path / "latin.json", tmp_path / "pointer.json"
    empty.write_bytes(b"")
    latin.write_bytes('["ok", "café"]'.encode("latin-1"))
    pointer.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 123456\n")
    assert [item.reason for item in items(empty) if isinstance(item, Rejection)] == ["broken_row"]
    assert [item.reason for item in items(latin) if isinstance(item, Rejection)] == ["bad_encoding"]
    with pytest.raises(Malformed, match="git lfs pull"):
        items(pointer)


def test_a_question_is_read_field_by_field(tmp_path: Path) -> None:
    question = "Human: \nTask: Judge it.\nText: Note: I am\nso: glad\nEmotion: joy\nIntensity Score:\n\nAssistant: \n"
    turns = [{"from": "human", "value": question}, {"from": "agent", "value": " 0.5 "}]
    records = [{"id": "q", "conversations": turns}, {"id": "r", "conversations": turns[:1]}]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(records, indent=1))
    asked, broken = read_asked(path, tmp_path)
    assert isinstance(asked, Asked) and isinstance(broken, Rejection)
    assert asked.fields == {
        "task": "Judge it.",
        "text": "Note: I am\nso: glad",
        "emotion": "joy",
        "intensity score": "",
    }
    assert (asked.key, asked.slot, asked.answer, asked.where) == ("q", "intensity score", "0.5", "x.json:2")


@pytest.mark.parametrize("end", ['{"id": 2}', "\n\n[3]", "]", " x"])
@pytest.mark.parametrize("document", ['[{"id": 1}]', '{"id": 1}'])
def test_what_follows_the_end_of_a_document_is_told(document: str, end: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(document + end, encoding="utf-8")
    *whole, last = items(path)
    assert whole and isinstance(last, Rejection) and last.reason == "broken_row"


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_is_read_whatever_its_file_is_called(indent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps([{"id": 1}, {"id": 2}], indent=indent), encoding="utf-8")
    assert [item.value for item in items(path) if isinstance(item, Item)] == [{"id": 1}, {"id": 2}]


def test_conversations_one_list_of_messages_a_line_stay_lines(tmp_path: Path) -> None:
    path, line = tmp_path / "x.jsonl", '[{"role": "user"}]\n'
    path.write_text(line * 2, encoding="utf-8")
    assert [item.value for item in items(path) if isinstance(item, Item)] == [[{"role": "user"}]] * 2
