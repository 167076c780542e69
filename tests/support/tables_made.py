"""Tables of one content in every form in which people keep them, for the tests of their readers."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

ROWS = [
    {"id": "a", "text": "Well; yes, \t“ß”.", "mood": "calm"},
    {"id": "b", "text": 'He said "no".', "mood": "tense"},
    {"id": "c", "text": "two\nlines", "mood": "calm"},
]
"""What makes tables hard: separators of every kind, quotation marks, a line break, letters beyond ASCII."""
NAMES = list(ROWS[0])


def separated(separator: str = ",", end: str = "\r\n", rows: list[dict[str, Any]] = ROWS) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, NAMES, delimiter=separator, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def workbook(sheets: dict[str, list[list[Any]]], merged: tuple[str, ...] = ()) -> bytes:
    """An .xlsx file; a cell that begins with ``=`` is a formula whose stored value is 42."""
    stream = io.BytesIO()
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    linked = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        shown = "".join(
            f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(reversed(sheets), 1)
        )
        goals = "".join(
            f'<Relationship Id="rId{n}" Target="worksheets/sheet{len(sheets) + 1 - n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        book.writestr("xl/workbook.xml", f"<workbook {main} {linked}><sheets>{shown}</sheets></workbook>")
        book.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{goals}</Relationships>")
        for number, rows in enumerate(sheets.values(), 1):
            body = "".join(f'<row r="{n}">{"".join(map(_cell, row))}</row>' for n, row in enumerate(rows, 1))
            areas = "".join(f'<mergeCell ref="{area}"/>' for area in merged)
            sheet = f"<worksheet {main}><sheetData>{body}</sheetData><mergeCells>{areas}</mergeCells></worksheet>"
            book.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
    return stream.getvalue()


def _cell(value: Any) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str) and value.startswith("="):
        return f"<c><f>{escape(value[1:])}</f><v>42</v></c>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"


def zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def parquet() -> bytes:
    import pyarrow
    from pyarrow import parquet as writer

    stream = io.BytesIO()
    writer.write_table(pyarrow.Table.from_pylist(ROWS), stream)
    return stream.getvalue()


def _columns() -> dict[str, dict[str, str]]:
    return {name: {str(n): row[name] for n, row in enumerate(ROWS)} for name in NAMES}


_CELLS = [list(row.values()) for row in ROWS]
_LINES = "".join(json.dumps(row) + "\n" for row in ROWS)
FORMS: dict[str, tuple[str, bytes]] = {
    "commas": ("t.csv", separated().encode()),
    "semicolons": ("t.csv", separated(";").encode()),
    "tabs in quotes": ("t.tsv", separated("\t", "\n").encode()),
    "tabs in a CSV file": ("t.csv", separated("\t").encode()),
    "carriage returns": ("t.csv", separated(end="\r").encode()),
    "carriage returns and tabs": ("t.txt", separated("\t", "\r").encode()),
    "UTF-8 with its mark": ("t.csv", separated().encode("utf-8-sig")),
    "UTF-16, Excel's Unicode text": ("t.txt", separated("\t").encode("utf-16")),
    "UTF-16, big end first": ("t.csv", b"\xfe\xff" + separated(end="\r").encode("utf-16-be")),
    "UTF-16 without a mark": ("t.csv", separated().encode("utf-16-le")),
    "stray zeros": ("t.csv", separated().replace("calm", "c\0alm").encode()),
    "UTF-32": ("t.csv", separated().encode("utf-32")),
    "sep=": ("t.csv", ("sep=;\r\n" + separated(";")).encode()),
    "sep= in UTF-16": ("t.csv", ("sep=\t\r\n" + separated("\t")).encode("utf-16")),
    "empty columns and rows": ("t.csv", separated().replace('"\r\n', '",,\r\n').encode()),
    "gz": ("t.csv.gz", gzip.compress(separated().encode())),
    "bz2": ("t.tsv.bz2", bz2.compress(separated("\t").encode())),
    "xz": ("t.CSV.XZ", lzma.compress(separated().encode("utf-16"))),
    "zip": ("t.zip", zipped("t.csv", separated().encode())),
    "JSON Lines": ("t.jsonl", _LINES.encode()),
    "JSON Lines in .json": ("t.json", _LINES.encode()),
    "JSON Lines, packed": ("t.jsonl.gz", gzip.compress(_LINES.encode())),
    "JSON": ("t.json", json.dumps(ROWS, indent=1).encode("utf-16")),
    "pandas, columns": ("t.json", json.dumps(_columns()).encode()),
    "pandas, split": ("t.json", json.dumps({"columns": NAMES, "index": [0, 1, 2], "data": _CELLS}).encode()),
    "pandas, table": ("t.json", json.dumps({"schema": {"fields": []}, "data": ROWS}).encode()),
    "columns as lists": ("t.json", json.dumps({name: [row[name] for row in ROWS] for name in NAMES}).encode()),
    "workbook": ("t.xlsx", workbook({"Sheet1": [NAMES, *_CELLS[:1], [], *_CELLS[1:], ["", ""]], "Empty": []})),
    "Parquet": ("t.parquet", parquet()),
}


def write(folder: Path, form: str) -> Path:
    name, content = FORMS[form]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def saved(folder: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    """A folder as ``datasets.Dataset.save_to_disk`` writes it."""
    import pyarrow

    folder.mkdir(parents=True)
    table = pyarrow.Table.from_pylist(rows)
    for number, part in enumerate((table.slice(0, 2), table.slice(2))):
        path = folder / f"data-0000{number}-of-00002.arrow"
        with pyarrow.OSFile(str(path), "wb") as file, pyarrow.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(part)
    files = [{"filename": f"data-0000{number}-of-00002.arrow"} for number in range(2)]
    (folder / "state.json").write_text(json.dumps({"_data_files": files}), encoding="utf-8")
    (folder / "dataset_info.json").write_text("{}", encoding="utf-8")
    return folder
