"""Read every table out of a page, so that what is exported is what is shown, and nothing is forgotten.

A cell shows a rounded number and, in a ``<data value="…">``, holds it in full; an interval holds both of its ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_SILENT = ("svg", "script", "style", "noscript")
_VOID = ("br", "img", "input", "link", "meta", "hr")


@dataclass
class Cell:
    """A cell of a table.

    Args:
        text: as it is shown; where numbers stand in it, these alone.
        values: the numbers behind it, in full: none, one, or the two ends of an interval.
        head: whether it is a header.
        rows, columns: how many it spans.
    """

    text: str = ""
    values: tuple[str, ...] = ()
    head: bool = False
    rows: int = 1
    columns: int = 1


@dataclass
class PageTable:
    """A table of a page.

    Args:
        name: of the region in which it stands, or its caption.
        caption: its caption.
        header: titles of its columns.
        rows: cells as they are shown; one that spans several rows stands in each.
    """

    name: str = ""
    caption: str = ""
    header: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)


def tables_of(html: str) -> list[PageTable]:
    """Return the tables of a page, in its order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.tables


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tables: list[PageTable] = []
        self._regions: list[str | None] = []  # of each open div, its label
        self._silent = 0
        self._table: PageTable | None = None
        self._raw: list[list[Cell]] = []
        self._cell: Cell | None = None
        self._in_head = self._in_caption = self._in_data = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._silent or tag in _SILENT:
            self._silent += tag not in _VOID
        elif tag == "div":
            self._regions.append(given.get("aria-label"))
        elif tag == "table":
            self._table, self._raw = PageTable(name=next(filter(None, reversed(self._regions)), "")), []
        elif self._table is not None:
            self._within(tag, given)

    def _within(self, tag: str, given: dict[str, str | None]) -> None:
        if tag in ("thead", "tbody"):
            self._in_head = tag == "thead"
        elif tag == "caption":
            self._in_caption = True
        elif tag == "tr":
            self._raw.append([])
        elif tag in ("th", "td"):
            spans = (int(given.get(one) or 1) for one in ("rowspan", "colspan"))
            self._cell = Cell("", (), self._in_head, *spans)
            self._raw[-1].append(self._cell)
        elif tag == "data" and self._cell is not None:
            if not self._cell.values:
                self._cell.text = ""
            self._cell.values = (*self._cell.values, *(given.get("value") or "").split())
            self._in_data = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ignore elements that hold nothing, such as the lines of a drawing."""

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            self._silent -= tag not in _VOID
        elif tag == "div" and self._regions:
            self._regions.pop()
        elif tag == "caption":
            self._in_caption = False
        elif tag == "data":
            self._in_data = False
        elif tag in ("th", "td"):
            self._cell = None
        elif tag == "table" and self._table is not None:
            self._finish(self._table)
            self._table = None

    def handle_data(self, data: str) -> None:
        if self._silent or self._table is None:
            return
        if self._in_caption:
            self._table.caption += data
        elif self._cell is not None and (self._in_data or not self._cell.values):
            self._cell.text += data

    def _finish(self, table: PageTable) -> None:
        table.caption = " ".join(table.caption.split())
        table.name = table.name or table.caption
        grid = _spread_out(self._raw)
        for row in grid:
            for cell in row:
                cell.text = " ".join(cell.text.split())
        heads = [row for row in grid if row and row[0].head]
        table.header = [cell.text for cell in heads[-1]] if heads else []
        table.rows = [row for row in grid if row and not row[0].head]
        self.tables.append(table)


def _spread_out(rows: list[list[Cell]]) -> list[list[Cell]]:
    """Return the rows of a table with each cell in every place that it spans."""
    grid: list[list[Cell]] = []
    hanging: dict[int, tuple[Cell, int]] = {}  # column → the cell that reaches down into it, and for how many rows
    for row in rows:
        waiting, full, column = list(row), list[Cell](), 0
        while waiting or column in hanging:
            if column in hanging:
                cell, left = hanging.pop(column)
                if left > 1:
                    hanging[column] = (cell, left - 1)
                full.append(cell)
                column += 1
                continue
            cell = waiting.pop(0)
            for _ in range(cell.columns):
                if cell.rows > 1:
                    hanging[column] = (cell, cell.rows - 1)
                full.append(cell)
                column += 1
        grid.append(full)
    return grid
