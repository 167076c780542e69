"""Inputs of ``affectllm score`` that would take the memory are refused before they do, with the limit and a remedy."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scoring import refused, scored, write_csv
from tables_made import workbook, zipped

from affectllm.errors import Malformed
from affectllm.metrics.core.metric import Metric
from affectllm.safe_pickle import load_plain_npz, load_plain_pickle
from affectllm.score import sizes
from affectllm.score.files import read_table

MB = 1 << 20


def claimed(shape: tuple[int, ...], dtype: str) -> bytes:
    """An npy file that says more than it holds."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"shape": shape, "fortran_order": False, "descr": dtype})
    return stream.getvalue() + b"\0" * 64


def npz(content: bytes) -> bytes:
    return zipped("x.npy", content)


def rows_of_one_value(folder: Path) -> bytes:
    import pyarrow
    from pyarrow import parquet

    column = pyarrow.DictionaryArray.from_arrays(pyarrow.array(np.zeros(30_000_000, np.int8)), pyarrow.array(["joy"]))
    parquet.write_table(pyarrow.table({"prediction": column}), folder / "made.parquet")
    return (folder / "made.parquet").read_bytes()


def pickled(value: Any) -> bytes:
    array = np.empty((), dtype=object)
    array[()] = value
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return npz(stream.getvalue())


def in_itself() -> list[Any]:
    nested: list[Any] = []
    nested.append(nested)
    return nested


def lists_of_lists() -> list[Any]:
    nested: list[Any] = ["joy"] * 10
    for _ in range(12):
        nested = [nested] * 10
    return nested


class Zeros:
    def __init__(self, kind: type) -> None:
        self.kind = kind

    def __reduce__(self) -> tuple[Any, ...]:
        return self.kind, (1 << 40,)


HEAD, ZEROS = b"id,prediction\n", b"0," * (MB // 2)  # packed parts of these formats may follow one another


def huge_sheet() -> bytes:
    """A workbook with a cell of some hundred megabytes, made without holding it."""
    stream = io.BytesIO(workbook({"One": [["id", "prediction"]], "Two": []}))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as book, book.open("xl/sharedStrings.xml", "w") as words:
        words.write(b"<sst><si><t>")
        for _ in range(sizes.MAX_BYTES // MB + 1):
            words.write(b"x" * MB)
        words.write(b"</t></si></sst>")
    return stream.getvalue()


BOMBS: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "gz": ("p.csv.gz", lambda _: gzip.compress(HEAD) + gzip.compress(ZEROS) * 200),
    "bz2": ("p.csv.bz2", lambda _: bz2.compress(HEAD) + bz2.compress(ZEROS) * 200),
    "xz": ("p.jsonl.xz", lambda _: lzma.compress(b'{"id": "') + lzma.compress(ZEROS) * 200),
    "zip": ("p.zip", lambda _: zipped("p.csv", HEAD + ZEROS * 200)),
    "a JSON document": ("p.json.gz", lambda _: gzip.compress(b'[{"id": "') + gzip.compress(ZEROS) * 200),
    "many members": ("p.npz", lambda _: many(np.zeros(60 * MB, np.int8))),
    "an array that claims terabytes": ("p.npz", lambda _: npz(claimed((1 << 40,), "<f8"))),
    "an array that claims what is not there": ("p.npz", lambda _: npz(claimed((1 << 20,), "<f8"))),
    "values without a size": ("p.npz", lambda _: npz(claimed((1 << 40,), "<U0"))),
    "a folder of arrays, zipped": ("p.zip", lambda _: zipped("a.npy", claimed((1 << 36,), "<f8"))),
    "a column of one value": ("p.parquet", rows_of_one_value),
    "a sheet": ("p.xlsx", lambda _: huge_sheet()),
}


def many(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **{f"a{number}": array for number in range(10)})
    return stream.getvalue()


@pytest.mark.parametrize("bomb", BOMBS)
def test_what_unpacks_to_too_much_is_refused_before_it_does(bomb: str, capsys, tmp_path: Path) -> None:
    name, write = BOMBS[bomb]
    (tmp_path / name).write_bytes(write(tmp_path))
    gold = write_csv(tmp_path / "g.csv", [("a", "joy")], ("id", "label"))
    tracemalloc.start()
    try:
        message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", tmp_path / name)
        assert tracemalloc.get_traced_memory()[1] < 300 * MB
    finally:
        tracemalloc.stop()
    assert name in message and "→" in message


def test_a_file_that_is_too_large_as_it_lies_there_is_not_opened(capsys, tmp_path: Path) -> None:
    gold = write_csv(tmp_path / "g.csv", [("a", "joy")], ("id", "label"))
    with (tmp_path / "p.csv").open("wb") as stream:
        stream.truncate(sizes.MAX_BYTES + 1)  # a hole, which takes no room
    message = refused(capsys, "--metric", "accuracy", "--gold", gold, "--pred", tmp_path / "p.csv")
    assert f"{sizes.MAX_BYTES:,} are the most" in message and "split the file" in message


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_no_table(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(Malformed, match="no regular file"):
        read_table(tmp_path / "p.csv")


@pytest.mark.parametrize("value", [in_itself, lists_of_lists])
def test_lists_that_hold_themselves_are_refused(value: Callable[[], Any], monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sizes, "MAX_CELLS", 100_000)  # as 20,000,000 would be, in less time
    (tmp_path / "p.npz").write_bytes(pickled(value()))
    with pytest.raises(Malformed, match="values; 100,000 are the most"):
        read_table(tmp_path / "p.npz", allow_pickle=True)


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_pickle_may_not_fill_the_memory_with_zeros(kind: type, tmp_path: Path) -> None:
    (tmp_path / "p.pkl").write_bytes(pickle.dumps(Zeros(kind)))
    with pytest.raises(Malformed, match="fills memory"):
        load_plain_pickle(tmp_path / "p.pkl")


def test_a_pickle_may_not_make_an_array_without_content(tmp_path: Path) -> None:
    class Hollow:
        def __reduce__(self) -> tuple[Any, ...]:
            return np.array([1]).__reduce__()[0], (np.ndarray, (1 << 40,), b"b")

    (tmp_path / "p.pkl").write_bytes(pickle.dumps(Hollow()))
    with pytest.raises(Malformed, match="without content"):
        load_plain_pickle(tmp_path / "p.pkl")


def test_what_pickles_hold_as_a_rule_is_read_as_before(tmp_path: Path) -> None:
    value = {"a": b"", "b": bytearray(b"x\xff"), "c": np.arange(6).reshape(2, 3), "d": np.float32(1.5), "e": b"y\xff"}
    for protocol in range(2, 6):
        (tmp_path / "p.pkl").write_bytes(pickle.dumps(value, protocol))
        loaded = load_plain_pickle(tmp_path / "p.pkl")
        assert loaded["b"] == value["b"] and loaded["c"].tolist() == value["c"].tolist() and loaded["e"] == b"y\xff"  # type: ignore[attr-defined]


def test_a_limit_of_plain_data_is_told(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "p.npz", a=np.zeros(MB))
    (tmp_path / "p.pkl").write_bytes(pickle.dumps("x" * 2000))
    with pytest.raises(Malformed, match="1,000 are the most"):
        load_plain_npz(tmp_path / "p.npz", limit=1000)
    with pytest.raises(Malformed, match="1,000 are the most"):
        load_plain_pickle(tmp_path / "p.pkl", limit=1000)


def test_a_table_of_common_size_is_within_the_limits(capsys, tmp_path: Path) -> None:
    rows = [(number, "joy" if number % 3 else "fear") for number in range(50_000)]
    gold = write_csv(tmp_path / "g.csv", rows, ("id", "label"))
    with zipfile.ZipFile(tmp_path / "p.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(gold, "p.csv")
    words = ("--gold", gold, "--pred", tmp_path / "p.csv.zip", "--pred-column", "label", "--resamples", "10")
    assert scored(capsys, "--metric", "accuracy", *words)["value"] == 1


def test_a_table_is_let_go_before_its_values_are_scored(capsys, tmp_path: Path, monkeypatch) -> None:
    notes = [(number, "joy", f"{number} " * 2_000) for number in range(2_000)]  # 20 MB that no metric sees
    gold = write_csv(tmp_path / "g.csv", notes, ("id", "label", "notes"))
    held: list[int] = []
    computed = Metric.__call__

    def measured(*values: Any, **options: Any) -> Any:
        held.append(tracemalloc.get_traced_memory()[0])
        return computed(*values, **options)

    monkeypatch.setattr(Metric, "__call__", measured)
    tracemalloc.start()
    try:
        words = ("--gold", gold, "--pred", gold, "--pred-column", "label", "--resamples", "10")
        assert scored(capsys, "--metric", "accuracy", *words)["value"] == 1
    finally:
        tracemalloc.stop()
    assert held and max(held) < 5 * MB


def test_a_sheet_that_unpacks_to_much_more_than_it_takes_is_refused(tmp_path: Path, monkeypatch) -> None:
    rows = [["id", "label"], *([f"item{number}", "joy"] for number in range(3_000))]
    path = tmp_path / "t.xlsx"
    path.write_bytes(workbook({"One": rows}))
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    sheet = next(name for name in parts if name.startswith("xl/worksheets/"))
    for bomb in (sheet, "xl/workbook.xml"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
            for name, content in parts.items():
                book.writestr(name, content + b" " * (4 * MB if name == bomb else 0))
        assert len(read_table(path)) == 3_000  # small whatever the ratio
        with monkeypatch.context() as patch, pytest.raises(Malformed, match=rf"t\.xlsx: {bomb} unpacks to 4,"):
            patch.setattr("affectllm.corpus.records.workbook.ALWAYS", MB)
            patch.setattr("affectllm.corpus.records.workbook.MAX_RATIO", 20)
            read_table(path)
