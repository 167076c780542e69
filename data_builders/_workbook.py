"""Reading a sheet of an .xlsx workbook without a library: it is a zip of XML, and only the words in the cells count.

Not a corpus. Libraries for workbooks import an image library, which a builder must not.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from affectllm.errors import Malformed

_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LETTERS = re.compile(r"[A-Z]+")


def read_sheet(path: Path) -> Iterator[list[str]]:
    """The rows of the first sheet as text, empty cells as "".

    Raises:
        Malformed: when the file is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as book:
            names = sorted(name for name in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name))
            if not names:
                raise Malformed("the workbook has no sheet", where=str(path), do="get the file again")
            shared = _shared(book)
            with book.open(names[0]) as stream:
                for _, element in ElementTree.iterparse(stream):
                    if element.tag == _SPACE + "row":
                        yield _cells(element, shared)
                        element.clear()
    except (zipfile.BadZipFile, ElementTree.ParseError, KeyError) as error:
        raise Malformed(f"no readable workbook ({error})", where=str(path), do="get the file again") from error


def _shared(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    tree = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    return ["".join(part.text or "" for part in item.iter(_SPACE + "t")) for item in tree.iter(_SPACE + "si")]


def _cells(row: ElementTree.Element, shared: list[str]) -> list[str]:
    cells: list[str] = []
    for cell in row.iter(_SPACE + "c"):
        letters = _LETTERS.match(cell.get("r", ""))
        place = _column(letters[0]) if letters else len(cells)
        cells += [""] * (place + 1 - len(cells))
        cells[place] = _text(cell, shared)
    return cells


def _text(cell: ElementTree.Element, shared: list[str]) -> str:
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(_SPACE + "t"))
    value = cell.findtext(_SPACE + "v") or ""
    return shared[int(value)] if cell.get("t") == "s" and value.isdecimal() else value


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
