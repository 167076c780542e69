"""Ways to spoil a file that holds a table: its bytes, its encoding, its form, and what only hostile people write."""

from __future__ import annotations

import gzip
import os
import pickle
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from torturing.scene import Scene

PAYLOAD = "was_run_by_a_table"
_MANY = 300 << 20  # bytes that a bomb unpacks to
_TEXTS = (".csv", ".tsv", ".json", ".jsonl")


class Runs:
    """What a pickle may hold: a command that is run as it is loaded."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {PAYLOAD}",)


def spoil(scene: Scene, path: Path) -> str:
    """Damage the file, or one file of the folder; in words, how."""
    if path.is_dir():
        path = scene.pick(sorted(path.iterdir()))
    ways = [*_ANY, *_OF.get(path.suffix, ())]
    if path.suffix in _TEXTS:
        ways += _TEXT
    name, way = scene.pick(ways)
    way(scene, path)
    return f"({path.name}) {name}"


def _cut(scene: Scene, path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(scene.dice.integers(0, len(data)))])


def _flip(scene: Scene, path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(int(scene.dice.integers(1, 4))):
        data[int(scene.dice.integers(0, len(data)))] ^= 1 << int(scene.dice.integers(0, 8))
    path.write_bytes(bytes(data))


def _insert(new: bytes) -> Callable[[Scene, Path], None]:
    def change(scene: Scene, path: Path) -> None:
        data = path.read_bytes()
        place = int(scene.dice.integers(0, len(data) + 1))
        path.write_bytes(data[:place] + new + data[place:])

    return change


def _bytes(change: Callable[[bytes], bytes]) -> Callable[[Scene, Path], None]:
    return lambda scene, path: path.write_bytes(change(path.read_bytes())) and None


def _text(change: Callable[[str], str], encoding: str = "utf-8") -> Callable[[Scene, Path], None]:
    return _bytes(lambda data: change(data.decode()).encode(encoding, "replace"))


def _other(scene: Scene, path: Path) -> None:
    from torturing import formats

    ending = scene.pick(tuple(end for end in formats.ENDINGS if end != "saved"))
    other = path.with_name(f"other.{ending}")
    formats.write(other, {"id": ["a"], "label": ["joy"], "prediction": ["joy"]})
    other.replace(path)


def _no_file(make: Callable[[Path], object]) -> Callable[[Scene, Path], None]:
    def change(scene: Scene, path: Path) -> None:
        path.unlink()
        make(path)

    return change


def _lines(change: Callable[[list[str]], list[str]]) -> Callable[[Scene, Path], None]:
    return _text(lambda text: "\n".join(change(text.split("\n"))))


def _zip_member(scene: Scene, path: Path) -> None:
    """Another content of one member, packed as before."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    victim = scene.pick(sorted(members))
    data = bytearray(members[victim])
    place = int(scene.dice.integers(0, len(data)))
    members[victim] = (
        bytes(data[:place]) if scene.dice.random() < 0.5 else bytes(data[:place]) + b"\x00<&" + bytes(data[place:])
    )
    _zipped(path, members)


def _zipped(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def _sheet_bomb(scene: Scene, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    row = b'<row><c t="inlineStr"><is><t>' + b"x" * 100 + b"</t></is></c></row>"
    members[sheet] = members[sheet].replace(b"</sheetData>", row * (_MANY // len(row)) + b"</sheetData>")
    _zipped(path, members)


def _entities(scene: Scene, path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE x [<!ENTITY a0 "lol">{levels}<!ENTITY f SYSTEM "file:///etc/passwd">]>'.encode()
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = head + members[sheet].replace(b"<t>clip1</t>", b"<t>&a11;&f;</t>")
    _zipped(path, members)


def _cells(*values: object) -> Callable[[Scene, Path], None]:
    def change(scene: Scene, path: Path) -> None:
        import openpyxl

        book = openpyxl.load_workbook(path)
        book.active.cell(row=int(scene.dice.integers(2, 20)), column=2).value = scene.pick(values)
        book.save(path)

    return change


def _pickled(scene: Scene, path: Path) -> None:
    arrays = dict(np.load(path))
    name = scene.pick(sorted(arrays))
    arrays[name] = np.array([Runs()] * len(arrays[name]), dtype=object)
    np.savez(path, **arrays)


def _array_header(scene: Scene, path: Path) -> None:
    """A header that promises more than there is."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    victim = scene.pick(sorted(members))
    members[victim] = members[victim].replace(
        b"(24,)", scene.pick((b"(-1,)", b"(23,)", b"(99,)", b"()   ", b"(9**9,)"))
    )
    _zipped(path, members)


_Ways = Sequence[tuple[str, Callable[[Scene, Path], None]]]
_ANY: _Ways = (
    ("cut", _cut),
    ("cut", _cut),
    ("with other bits", _flip),
    ("with other bits", _flip),
    ("empty", _bytes(lambda data: b"")),
    ("another format", _other),
    ("noise", lambda scene, path: path.write_bytes(bytes(scene.dice.integers(0, 256, 5_000, dtype="uint8"))) and None),
    ("with a zero byte", _insert(b"\0")),
    ("with bytes of no text", _insert(b"\xff\xfe\xfa")),
    ("twice", _bytes(lambda data: data + data)),
    ("a pickle", lambda scene, path: path.write_bytes(pickle.dumps(Runs())) and None),
    ("a Git LFS pointer", _bytes(lambda data: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")),
    ("a pipe", _no_file(os.mkfifo)),
    ("a link to itself", _no_file(lambda path: path.symlink_to(path))),
    ("a device", _no_file(lambda path: path.symlink_to("/dev/zero"))),
    ("a folder", _no_file(lambda path: path.mkdir())),
)
_TEXT: _Ways = (
    *(
        (code, _text(lambda text: text, code))
        for code in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp037")
    ),
    ("with a quote", _insert(b'"')),
    ("with a line end", _insert(b"\n")),
    ("with CR", _text(lambda text: text.replace("\n", "\r"))),
    ("with a long cell", _insert(b"x" * 1_000_000)),
    ("with a bracket", _insert(b"[")),
    ("with a separator of lines", _insert("\u2028".encode())),
    ("a header only", _lines(lambda lines: lines[:1])),
    ("without a header", _lines(lambda lines: lines[1:])),
    ("one row twice", _lines(lambda lines: [*lines[:4], *lines[3:]])),
    ("one row less", _lines(lambda lines: [*lines[:4], *lines[5:]])),
    ("upside down", _lines(lambda lines: lines[::-1])),
)
_SEPARATED: _Ways = (
    ("a column named twice", _lines(lambda lines: [lines[0].replace("text", "id"), *lines[1:]])),
    (
        "the scored column named twice",
        _lines(lambda lines: [lines[0].replace("text", "label").replace(",label", ",prediction"), *lines[1:]]),
    ),
    ("ragged", _lines(lambda lines: [*lines[:3], lines[3] + ",more,more", *lines[4:]])),
    ("short of a cell", _lines(lambda lines: [*lines[:3], lines[3].rpartition("clip")[0] + "clip2", *lines[4:]])),
    ("with 100,000 columns", _lines(lambda lines: [lines[0] + ",x" * 100_000, *lines[1:]])),
)
_JSON: _Ways = (
    ("100,000 brackets", _bytes(lambda data: b"[" * 100_000 + data)),
    ("100,000 brackets that close", _bytes(lambda data: b"[" * 100_000 + b"1" + b"]" * 100_000)),
    ("a deep cell", _bytes(lambda data: data.replace(b'"clip5"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000))),
    ("a key twice", _bytes(lambda data: data.replace(b'"text"', b'"id"', 1))),
    ("a number for a label", _bytes(lambda data: data.replace(b'"joy"', b"1e999"))),
    ("NaN for a label", _bytes(lambda data: data.replace(b'"joy"', b"NaN", 1))),
    ("half a surrogate", _bytes(lambda data: data.replace(b'"joy"', b'"\\ud800"', 1))),
    ("a long number", _bytes(lambda data: data.replace(b'"joy"', b"1" * 10_000, 1))),
    ("an object for a label", _bytes(lambda data: data.replace(b'"joy"', b'{"joy": 1}', 1))),
)
_OF: dict[str, _Ways] = {
    ".csv": _SEPARATED,
    ".tsv": _SEPARATED,
    ".json": _JSON,
    ".jsonl": _JSON,
    ".xlsx": (
        ("another member", _zip_member),
        ("a bomb", _sheet_bomb),
        ("entities", _entities),
        ("a formula", _cells("=1+1", '="joy"', "='[1]Sheet'!A1", '=WEBSERVICE("http://example.invalid")')),
        ("a value that is no word", _cells(True, 1e308, "#REF!", "_x0000_", None)),
    ),
    ".npz": (("another member", _zip_member), ("a pickle in it", _pickled), ("another shape", _array_header)),
    ".zip": (
        ("another member", _zip_member),
        ("a bomb", lambda scene, path: _zipped(path, {"table.csv": b"0" * _MANY})),
    ),
    ".gz": (("a bomb", lambda scene, path: path.write_bytes(gzip.compress(b"0" * _MANY, 1)) and None),),
}
