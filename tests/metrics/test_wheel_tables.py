"""The published tables of emotion wheels in both forms, the labels in an answer, and archives read without code."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wheel_tables import Spec, clusters, mappings, write_2025, write_2026, write_xlsx

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.core.label_sets import parse_labels
from affectllm.metrics.wheels import Tables, parse_set, read_tables
from affectllm.safe_pickle import load_plain_npz


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_tables(write_2025(tmp_path_factory.mktemp("wheels")), "2025")


@pytest.fixture(scope="module")
def tables_2026(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return read_tables(write_2026(tmp_path_factory.mktemp("wheels")), "2026")


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("[happy, surprised]", ["happy", "surprised"]),
        ("['a', 'b']", ["a", "b"]),
        ('["a", "b c"]', ["a", "b c"]),
        ("a, b", ["a", "b"]),
        (" [a]", ["[a"]),  # no strip before the bracket is looked for, as published
        ("[a] ", ["a]"]),
        ("[[a], [b]]", ["[a]", "[b]"]),
        ("don't know", ["don", "t know"]),
        ("", []),
        ("[", []),
        ("]", []),
        ("[]", []),
        (",,' '", []),
        (None, []),
        (float("nan"), []),
        (np.nan, []),
        (np.str_("[a,b]"), ["a", "b"]),
        (np.array("[a]"), ["a"]),
        (np.array(["a", "b"]), ["a", "b"]),
        (["a ", "b"], ["a ", "b"]),
        (("a",), ["a"]),
    ],
)
def test_parse_set_splits_as_published(value: Any, labels: list[str]) -> None:
    assert parse_set(value) == labels


@pytest.mark.parametrize("value", [3, {"a": 1}, [1, 2], b"happy", ["a", None]])
def test_parse_set_refuses_what_holds_no_labels(value: Any) -> None:
    with pytest.raises(Malformed, match="holds no labels"):
        parse_set(value)


def test_strict_reading_takes_json_first_so_that_apostrophes_survive() -> None:
    assert parse_labels('["can\'t cope", "sad"]') == ["can't cope", "sad"]
    assert parse_set('["can\'t cope", "sad"]') == ["can", "t cope", "sad"]
    assert parse_labels(" [happy, sad] ") == ["happy", "sad"]
    assert parse_labels("[1, 2]") == ["1", "2"]
    assert parse_labels("[" * 100_000) == parse_set("[" * 100_000)  # too deep for JSON


# --- reading tables ---------------------------------------------------------------------------------------------------


def test_2025_tables_are_read_as_described(tables: Tables) -> None:
    forms, bases, wheels = mappings(Spec())
    assert tables.forms == {form: tuple(sorted(set(base_words))) for form, base_words in forms.items()}
    assert tables.bases == {base: tuple(words) for base, words in bases.items()}
    assert [(wheel[1], wheel[2]) for wheel in tables.wheels] == wheels
    assert tables.wheels[3][1]["merry"] == "ache"  # stands twice; the later place counts
    assert tables.wheels[0][2]["bright"] == "daring"  # an inner word → its alphabetically first middle word


def test_the_2026_form_gives_the_same_tables(tables: Tables, tables_2026: Tables) -> None:
    assert (tables.forms, tables.bases, tables.wheels) == (tables_2026.forms, tables_2026.bases, tables_2026.wheels)
    assert (tables_2026.version, len(tables_2026.sha256)) == ("2026", 64)


def test_the_later_place_is_that_of_the_tree_and_not_of_the_row(tmp_path: Path) -> None:
    spec = Spec()
    spec.wheels[0] = [("a", "x", "word"), ("b", "y", "word"), ("a", "z", "word")]  # the last row belongs to "a"
    levels = read_tables(write_2025(tmp_path, spec), "2025").wheels[0]
    assert (
        (levels[1]["word"], levels[2]["word"])
        == ("b", "y")
        == tuple(level["word"] for level in clusters(spec.wheels[0]))
    )


def test_words_that_pandas_reads_as_missing_are_missing(tmp_path: Path) -> None:
    spec = Spec(formats={"merry": ["merrily"], "gloomy": ["null"]})
    spec.wheels[0] = [("a", "x", "one"), ("null", "nan", "two")]  # "null" repeats the word above, as published
    spec.runs = [{"one": ["merry"], "two": []}, *({"one": [], "two": ["gloomy"]} for _ in range(7))]
    read = read_tables(write_2025(tmp_path, spec), "2025")
    assert read.wheels[0][1] == {"a": "a", "x": "a", "one": "a", "two": "a"}
    assert read.forms == {"merrily": ("merry",), "merry": ("merry",), "gloomy": ("gloomy",)}
    assert read.bases == {"one": ("one",), "two": ("two",), "merry": ("one",), "gloomy": ("two",)}


def test_tables_are_read_again_when_a_file_changes(tmp_path: Path) -> None:
    first = read_tables(write_2025(tmp_path), "2025")
    assert read_tables(tmp_path, "2025") is first
    with (tmp_path / "format.csv").open("a", encoding="utf-8") as file:
        file.write("bold,boldest\n")
    again = read_tables(tmp_path, "2025")
    assert "boldest" in again.forms and "boldest" not in first.forms and again.sha256 != first.sha256


def _without_wheel3(folder: Path) -> None:
    (folder / "wheel3.xlsx").unlink()


def _wrong_wheel_column(folder: Path) -> None:
    write_xlsx(folder / "wheel2.xlsx", [("level1", "middle", "level3"), ("a", "b", "c")])


def _no_run8(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "synonym.xlsx")
    book.active.delete_cols(15, 2)
    book.save(folder / "synonym.xlsx")


def _wrong_format_column(folder: Path) -> None:
    (folder / "format.csv").write_text("name,forms\nmerry,merrily\n", encoding="utf-8")


def _empty_format(folder: Path) -> None:
    (folder / "format.csv").write_text("", encoding="utf-8")


def _damaged(folder: Path) -> None:
    (folder / "wheel1.xlsx").write_bytes(b"PK no workbook")


def _number_in_a_wheel(folder: Path) -> None:
    write_xlsx(folder / "wheel1.xlsx", [("level1", "level2", "level3"), ("a", 7, "c")])


def _foreign_synonym(folder: Path) -> None:
    write_2025(folder, Spec(runs=[{"zany": ["x"]}] * 8))


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (_without_wheel3, NotFound, r"lack wheel3\.xlsx"),
        (_wrong_wheel_column, Malformed, r"wheel2\.xlsx: it has no column level2, but level1, middle, level3"),
        (_no_run8, Malformed, r"synonym\.xlsx: it has no column word_run8"),
        (_wrong_format_column, Malformed, r"format\.csv: it has no column format, but name, forms"),
        (_empty_format, Malformed, r"format\.csv: cannot be read"),
        (_damaged, Malformed, r"wheel1\.xlsx: cannot be read"),
        (_number_in_a_wheel, Malformed, r"wheel1\.xlsx, row 2: 7 in column level2 is no word"),
        (_foreign_synonym, Malformed, r"'zany' in column word_run1 is on none of the five wheels"),
    ],
)
def test_a_spoilt_folder_says_what_is_wrong(
    tmp_path: Path, spoil: Callable[[Path], None], error: type[Exception], message: str
) -> None:
    spoil(write_2025(tmp_path))
    with pytest.raises(error, match=message):
        read_tables(tmp_path, "2025")


def test_the_wrong_version_says_which_one_is_there(tmp_path: Path) -> None:
    write_2025(tmp_path / "a")
    write_2026(tmp_path / "b")
    with pytest.raises(NotFound, match="ask for tables version 2025"):
        read_tables(tmp_path / "a", "2026")
    with pytest.raises(NotFound, match="ask for tables version 2026"):
        read_tables(tmp_path / "b", "2025")
    with pytest.raises(Malformed, match="choose 2025 or 2026"):
        read_tables(tmp_path / "a", "2024")
    with pytest.raises(NotFound, match="no such folder"):
        read_tables(tmp_path / "c", "2025")


def test_the_archive_may_have_another_name_but_must_be_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", x=np.zeros(2))
    write_2026(tmp_path, name="mapping.npz")
    assert read_tables(tmp_path, "2026").version == "2026"
    write_2026(tmp_path, name="second.npz")
    with pytest.raises(Malformed, match="several archives"):
        read_tables(tmp_path, "2026")
    write_2026(tmp_path)  # the published name settles it
    assert read_tables(tmp_path, "2026").version == "2026"


@pytest.mark.parametrize(
    ("array", "value", "message"),
    [
        ("format_mapping", {"a": "b"}, "no dict of word → list of words"),
        ("raw_mapping", {"a": [1]}, "1 is no word"),
        ("wheel_map_whole", {"wheel1": {}}, "wheel1 has no level1"),
        ("wheel_map_whole", ["x"], "lacks wheel1"),
    ],
)
def test_a_spoilt_archive_says_what_is_wrong(tmp_path: Path, array: str, value: Any, message: str) -> None:
    arrays: dict[str, Any] = {"format_mapping": {}, "raw_mapping": {}, "wheel_map_whole": {}, array: value}
    contents = {name: np.empty((), object) for name in arrays}
    for name, table in arrays.items():
        contents[name][()] = table
    np.savez(tmp_path / "wheel_mapping.npz", **contents)
    with pytest.raises(Malformed, match=message):
        read_tables(tmp_path, "2026")


# --- reading archives -------------------------------------------------------------------------------------------------


def test_plain_archives_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    ragged = np.empty(2, object)
    ragged[:] = [["a", "b"], {"c": {1.5, 2}}]
    arrays = {
        "words": np.array(["x", "yy"]),
        "numbers": np.arange(6.0).reshape(2, 3),
        "table": np.array({"a": ["b"], "n": np.int64(3), "v": np.arange(3), "s": np.str_("t"), "z": b"\xff"}, object),
        "ragged": ragged,
    }
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    contents = load_plain_npz(tmp_path / "a.npz")
    assert contents["words"].tolist() == ["x", "yy"] and (contents["numbers"] == arrays["numbers"]).all()
    assert (
        contents["table"]["a"] == ["b"]
        and contents["table"]["v"].tolist() == [0, 1, 2]
        and contents["table"]["z"] == b"\xff"
    )
    assert contents["ragged"].tolist() == ragged.tolist()


@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol_is_read(tmp_path: Path, protocol: int) -> None:
    _pickled(tmp_path / "a.npz", np.array({"a": [1, "é", b"\x80", np.float32(2), np.arange(2)]}, object), protocol)
    contents = load_plain_npz(tmp_path / "a.npz")["x"]["a"]
    assert contents[:4] == [1, "é", b"\x80", 2] and contents[4].tolist() == [0, 1]


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("import pathlib; pathlib.Path('ran').touch()",)


@pytest.mark.parametrize(
    ("value", "named"), [(_Bomb(), "builtins.exec"), (Path("x"), "pathlib"), (io.StringIO, "_io.StringIO")]
)
def test_code_in_an_archive_is_refused_by_name_and_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any, named: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _pickled(tmp_path / "a.npz", np.array([value, None], object), 4)
    with pytest.raises(Malformed, match=f"it holds a pickled {named}"):
        load_plain_npz(tmp_path / "a.npz")
    assert not (tmp_path / "ran").exists()


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(Malformed, match="not a readable npz"):
        load_plain_npz(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"no array")
    with pytest.raises(Malformed, match="array x: damaged"):
        load_plain_npz(path)
    with pytest.raises(NotFound):
        load_plain_npz(tmp_path / "b.npz")


@given(st.binary(max_size=60))
@settings(max_examples=60)
def test_garbage_in_a_pickle_never_escapes(tmp_path_factory: pytest.TempPathFactory, garbage: bytes) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + garbage)
    with pytest.raises(Malformed):
        load_plain_npz(path)


def _pickled(path: Path, array: np.ndarray[Any, Any], protocol: int) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(array))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + pickle.dumps(array, protocol))
