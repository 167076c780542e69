"""Parse records of separated text: cells in quotes may hold separators, line breaks and quotation marks.

Programs quote such cells; corpora with tabs quote nothing, and their texts hold lone quotation marks. Which of the two
a line is follows from the number of its cells and of those of the lines after it, so that an unclosed quotation mark
costs its own line only, wherever in a file of any length it stands.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator

from affectllm.corpus.sample import Rejection

MAX_CELL = 1 << 24
"""Characters of one cell, or of one record that goes on for several lines."""
SURE_LINES = 20
"""A cell of more lines, each of which is a record of its own, is an unclosed quotation mark."""
Line = tuple[str, str]
"""``file:line`` and text."""
_SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r"\s*\"?sep=(.)\"?[,;\t]*\s*", re.IGNORECASE)
csv.field_size_limit(MAX_CELL)  # the module's own, 131,072, is less than what some transcripts have


def named_separator(line: str) -> str:
    """Return the separator that a first line ``sep=;`` names, as spreadsheet programs write it; else ""."""
    match = _SEP_LINE.fullmatch(line)
    return match[1] if match else ""


def likely_separator(header: str, otherwise: str) -> str:
    """Return the separator most frequent outside of the quotes of a header; ``otherwise`` where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    counts = {separator: bare.count(separator) for separator in dict.fromkeys((otherwise, *_SEPARATORS))}
    best = max(counts, key=lambda separator: counts[separator])
    return best if counts[best] else otherwise


class Records:
    """The records in a stream of lines.

    Args:
        lines: what ``read_lines`` yields.
        separator: one character.
        exact: whether a record with empty cells beyond those of the first one is broken.
    """

    def __init__(self, lines: Iterator[Line | Rejection], separator: str, *, exact: bool = False) -> None:
        self._lines, self._separator, self._exact = lines, separator, exact
        self._quoted = separator != "\t"  # corpora with tabs do not quote
        self._least = 0
        self._waiting: deque[Line | Rejection] = deque()

    def first(self) -> tuple[str, list[str]] | None:
        """Return the first record, of any width, skipping blank lines; None where there is none.

        A first line in an unknown encoding is taken for what can be seen of it.
        """
        while (line := self._next()) is not None:
            where, text = (line.where, line.detail) if isinstance(line, Rejection) else line
            if not text.strip():
                continue
            cells = self._parsed([text])
            if cells is None and (self._quoted or not self._next_is_like(text)):
                cells = self._joined(text, None)
            return where, self._plain(text) if cells is None else cells
        return None

    def push(self, line: Line) -> None:
        """Push back a line that was taken from the stream before."""
        self._waiting.appendleft(line)

    def rest(self, width: int, least: int | None = None) -> Iterator[tuple[str, list[str]] | Rejection]:
        """Yield all other records of ``width`` cells, without empty ones.

        Args:
            least: cells that a record must have; those that it lacks up to ``width`` are empty.
        """
        self._least = width if least is None else least
        while (line := self._next()) is not None:
            if isinstance(line, Rejection):
                yield line
                continue
            where, text = line
            cells = self._record(text, width) if text.strip() else None
            if cells is not None:
                yield where, cells
            elif text.strip().strip(self._separator).strip():
                yield Rejection(where, "broken_row", where, self._detail_of(text, width))

    def _next(self) -> Line | Rejection | None:
        return self._waiting.popleft() if self._waiting else next(self._lines, None)

    def _detail_of(self, text: str, width: int) -> str:
        cells = self._parsed([text]) or self._plain(text)
        if len(cells) == width:
            return f"an unclosed quotation mark: {text[:100]}"
        return f"{len(cells)} cells, where the first row has {width}: {text[:100]}"

    def _next_is_like(self, text: str) -> bool:
        """Whether the next line has as many separators, so that this one is a record of its own."""
        following = self._next()
        if following is None:
            return False
        self._waiting.appendleft(following)
        return not isinstance(following, Rejection) and following[1].count(self._separator) == text.count(
            self._separator
        )

    def _record(self, text: str, width: int) -> list[str] | None:
        # The reading that fits the width wins: first plain, then as a quoted record, then joined with the next lines.
        plain = self._fitting(text.split(self._separator), width)
        if '"' not in text and not (self._quoted and "\r" in text):
            return plain
        if not self._quoted and plain is not None and not self._goes_on(plain):
            return [unquoted(cell) for cell in plain]
        cells = self._fitting(self._parsed([text]), width)
        if cells is None and text.count('"') % 2:
            cells = self._joined(text, width)
        if cells is None and not self._quoted and plain is not None:
            return [unquoted(cell) for cell in plain]
        return cells

    def _goes_on(self, cells: list[str]) -> bool:
        """Whether the last cell begins with a quotation mark that is not closed: it may go on in the next line."""
        return cells[-1].startswith('"') and unquoted(cells[-1]) == cells[-1] and cells[-1].count('"') % 2 == 1

    def _fitting(self, cells: list[str] | None, width: int | None) -> list[str] | None:
        """Return exactly ``width`` cells, without empty ones beyond; None for too few, or words in the others."""
        if cells is None or width is None or len(cells) == width:
            return cells
        if self._least <= len(cells) < width:
            return cells + [""] * (width - len(cells))
        blank = len(cells) > width and not any(map(str.strip, cells[width:]))
        return cells[:width] if blank and not self._exact else None

    def _plain(self, text: str) -> list[str]:
        return [unquoted(cell) for cell in text.split(self._separator)]

    def _parsed(self, lines: list[str]) -> list[str] | None:
        """Return the cells of exactly one complete record, or None."""
        text = "\n".join(lines)
        if '"' not in text and "\r" not in text and len(lines) == 1:
            return text.split(self._separator)  # what the csv module finds here too, at several times the cost
        try:
            records = list(csv.reader((line + "\n" for line in lines), delimiter=self._separator, strict=True))
        except csv.Error:
            return None
        return records[0] if len(records) == 1 else None

    def _joined(self, first: str, width: int | None) -> list[str] | None:
        """Read a record that goes on in the following lines, which are consumed; None, consuming none, if none does."""
        lines, size, whole = [first], len(first), 0
        lines_read: list[Line | Rejection] = []
        cells = None
        while (line := self._next()) is not None:
            lines_read.append(line)
            if isinstance(line, Rejection) or (size := size + len(line[1])) > MAX_CELL:
                break
            lines.append(line[1])
            if line[1].count('"') % 2 == 0:  # the mark is still open; a line that fits alone speaks against joining
                whole += width is not None and self._fitting(self._parsed([line[1]]), width) is not None
                continue
            cells = self._fitting(self._parsed(lines), width)
            break
        between = len(lines) - 2
        if cells is None or (width != 1 and whole == between > SURE_LINES) or self._lone(lines, width):
            self._waiting.extendleft(reversed(lines_read))
            return None
        return cells

    def _lone(self, lines: list[str], width: int | None) -> bool:
        """Whether two lone quotation marks in a file that does not quote only look like the ends of a cell."""
        if self._quoted or width is None:
            return False
        return all(len(line.split(self._separator)) == width for line in lines) and width > 1


def unquoted(cell: str) -> str:
    """Remove the quotes that a writer put around a cell; any other cell stays as it is."""
    inner = cell[1:-1].replace('""', "")
    if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner:
        return cell[1:-1].replace('""', '"')
    return cell
