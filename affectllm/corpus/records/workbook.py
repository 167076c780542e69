"""Sheets of .xlsx workbooks as rows of text, read without a library: a zip of XML, of which only the values count.

Formulas are not run: a cell is what the program that saved it computed. Libraries for workbooks import an image
library, which a builder must not.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple
from xml.etree import ElementTree

from affectllm.errors import Malformed

MAX_SHEET = 1 << 29
"""Bytes to which a sheet, or the table of its words, may unpack."""
MAX_RATIO = 100
"""How many times its packed size a part of a workbook may be, once it is larger than ``ALWAYS``; sheets come to 20."""
ALWAYS = 1 << 26
MAX_COLUMNS = 16_384
"""Columns of a sheet: as many as the programs that write them have."""
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_GOALS = "xl/_rels/workbook.xml.rels"
_AREA = re.compile(r"([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})")
_LETTERS = re.compile(r"[A-Z]+")
_BROKEN = (
    *(zipfile.BadZipFile, ElementTree.ParseError, KeyError, EOFError, zlib.error),
    *(ValueError, RuntimeError, NotImplementedError),
)
"""What damaged workbooks raise; RuntimeError is a password, NotImplementedError an unknown method."""


class Sheet(NamedTuple):
    """A sheet that holds something: its name, and its file in the workbook."""

    name: str
    file: str


def read_sheet(path: Path, name: str = "") -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, empty cells as "", without empty rows.

    A cell that is merged over several rows counts for each of them; a row of nothing but one cell that is merged over
    several columns is a title.

    Args:
        name: of the sheet; "" means the first.

    Raises:
        Malformed: when the file is no workbook, has no such sheet, or unpacks to more than ``MAX_SHEET`` bytes.
    """
    for _, cells in numbered_rows(path, name):
        yield cells


def numbered_rows(path: Path, name: str = "") -> Iterator[tuple[int, list[str]]]:
    """As ``read_sheet``, each row with its number as the program shows it."""
    try:
        with zipfile.ZipFile(path) as book:
            sheets = _sheets(book, path)
            file = next((sheet.file for sheet in sheets if name in ("", sheet.name)), None)
            if file is None:
                message = f"no sheet is called {name!r}" if sheets else "the workbook has no sheet"
                names = ", ".join(sheet.name for sheet in sheets)
                raise Malformed(message, where=str(path), do=f"it has {names}" if names else "get the file again")
            words = _words(book, path)
            yield from _rows(book, file, words, path)
    except _BROKEN as error:
        raise Malformed(f"no readable workbook ({error})", where=str(path), do="get the file again") from error


def filled_sheets(path: Path) -> list[str]:
    """Return the names of the sheets with a value in them, in their order.

    Raises:
        Malformed: when the file is no workbook.
    """
    try:
        with zipfile.ZipFile(path) as book:
            return [sheet.name for sheet in _sheets(book, path) if _is_filled(book, sheet.file, path)]
    except _BROKEN as error:
        raise Malformed(f"no readable workbook ({error})", where=str(path), do="get the file again") from error


def _is_filled(book: zipfile.ZipFile, file: str, path: Path) -> bool:
    with _opened(book, file, path) as stream:
        return any(_plain(element.tag) in ("v", "t") for _, element in ElementTree.iterparse(stream))


def _sheets(book: zipfile.ZipFile, path: Path) -> list[Sheet]:
    """Return the sheets in the order in which they are shown, without charts."""
    files = {name for name in book.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)}
    sheets = []
    if {"xl/workbook.xml", _GOALS} <= set(book.namelist()):
        with _opened(book, _GOALS, path) as stream:
            goals = {e.get("Id"): e.get("Target", "") for e in ElementTree.parse(stream).getroot()}
        with _opened(book, "xl/workbook.xml", path) as stream:
            elements = ElementTree.parse(stream).iter()
        for element in elements:
            key = next((value for key, value in element.attrib.items() if key.endswith("}id")), None)
            file = "xl/" + goals.get(key, "").removeprefix("/").removeprefix("xl/")
            if _plain(element.tag) == "sheet" and file in files:
                sheets.append(Sheet(element.get("name", ""), file))
    return sheets or [Sheet(Path(file).stem, file) for file in sorted(files)]


def _plain(tag: str) -> str:
    return tag.removeprefix(_MAIN).removeprefix(_STRICT)


def _opened(book: zipfile.ZipFile, file: str, path: Path) -> IO[bytes]:
    """Open a part of a workbook; zipfile unpacks no more of it than it declares.

    Raises:
        Malformed: when it is larger than it may be.
    """
    part = book.getinfo(file)
    most = min(MAX_SHEET, max(ALWAYS, MAX_RATIO * part.compress_size))
    if part.file_size > most:
        message = f"{file} unpacks to {part.file_size:,} bytes, {most:,} are the most that are read"
        raise Malformed(message, where=str(path), do="save the sheet as CSV")
    return book.open(part)


def _words(book: zipfile.ZipFile, path: Path) -> list[str]:
    file = "xl/sharedStrings.xml"
    if file not in book.namelist():
        return []
    words = []
    with _opened(book, file, path) as stream:
        for _, element in ElementTree.iterparse(stream):
            if _plain(element.tag) == "si":
                words.append(_words_of(element))
                element.clear()
    return words


def _words_of(element: ElementTree.Element) -> str:
    """Return the words of a cell without phonetic hints (``rPh``), which Japanese sheets have."""
    runs = [element, *(child for child in element if _plain(child.tag) == "r")]
    return "".join(part.text or "" for run in runs for part in run if _plain(part.tag) == "t")


def _rows(book: zipfile.ZipFile, file: str, words: list[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    number, merged = 0, _merged(book, file, path)
    with _opened(book, file, path) as stream:
        for _, element in ElementTree.iterparse(stream):
            if _plain(element.tag) != "row":
                continue
            number = int(element.get("r", "") or number + 1)
            cells = _cells(element, words, f"{path}, row {number}")
            if any(map(str.strip, cells)) and not merged.is_title(number, cells):
                yield number, merged.filled(number, cells)
            element.clear()


class _Merged:
    """The cells of a sheet that are merged, by their first row: (column, last row, last column) each."""

    def __init__(self) -> None:
        self.areas: dict[int, list[tuple[int, int, int]]] = {}
        self._open: dict[int, tuple[int, str]] = {}  # column → last row and text of the area that reaches down in it

    def is_title(self, number: int, cells: list[str]) -> bool:
        """Whether a row holds nothing but one cell that reaches over several columns."""
        filled_columns = [place for place, cell in enumerate(cells) if cell.strip()]
        return len(filled_columns) == 1 and any(
            filled_columns[0] == first < last for first, _, last in self.areas.get(number, ())
        )

    def filled(self, number: int, cells: list[str]) -> list[str]:
        """Return a row with the values of merged cells that reach down into it; rows have to come in order."""
        for column, (last, text) in list(self._open.items()):
            if number > last:
                del self._open[column]
            else:
                cells += [""] * (column + 1 - len(cells))
                cells[column] = cells[column] or text
        for column, last, _ in self.areas.get(number, ()):
            if last > number and column < len(cells):
                self._open[column] = (last, cells[column])
        return cells


def _merged(book: zipfile.ZipFile, file: str, path: Path) -> _Merged:
    merged = _Merged()
    with _opened(book, file, path) as stream:  # they stand behind the rows
        for _, element in ElementTree.iterparse(stream):
            area = _AREA.fullmatch(element.get("ref", "")) if _plain(element.tag) == "mergeCell" else None
            if area:
                first, top, last, bottom = _column(area[1]), int(area[2]), _column(area[3]), int(area[4])
                merged.areas.setdefault(top, []).append((first, bottom, last))
            elif _plain(element.tag) == "row":
                element.clear()
    return merged


def _cells(row: ElementTree.Element, words: list[str], where: str) -> list[str]:
    cells: list[str] = []
    place = -1
    for cell in row:
        if _plain(cell.tag) != "c":
            continue
        letters = _LETTERS.match(cell.get("r", ""))
        place = _column(letters[0]) if letters else place + 1
        if place >= MAX_COLUMNS:
            raise Malformed(f"a cell in column {place + 1:,}", where=where, do="get the file again")
        text = _text(cell, words)
        if text:
            cells += [""] * (place + 1 - len(cells))
            cells[place] = text
    return cells


def _text(cell: ElementTree.Element, words: list[str]) -> str:
    parts = {_plain(part.tag): part for part in cell}
    if cell.get("t") == "inlineStr":
        return _words_of(parts["is"]) if "is" in parts else ""
    value = (parts["v"].text if "v" in parts else "") or ""
    if cell.get("t") == "s" and value.isdecimal():
        return words[int(value)] if int(value) < len(words) else ""
    if cell.get("t") == "b":
        return "TRUE" if value == "1" else "FALSE"
    return value if cell.get("t") in ("str", "e", "d") else _number(value)


def _number(value: str) -> str:
    """Format a number as the program shows it: 0.3 is stored as 0.30000000000000004, and 3 at times as 3.0."""
    try:
        rounded = f"{float(value):.15g}"
    except ValueError:
        return value
    return value if value.lstrip("-").isdecimal() or "e" in rounded else rounded


def _column(letters: str) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
