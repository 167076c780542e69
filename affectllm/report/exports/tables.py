"""Write tables as CSV, with every number in full, and as LaTeX, as they are shown."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from affectllm.report.exports.page_tables import Cell, PageTable, tables_of

_LATEX = {
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"−": "$-$", "–": "--", "≈": r"$\approx$", "≠": r"$\neq$", "<": "$<$", ">": "$>$", "\u00a0": "~"},
    **{"▲": r"$\uparrow$", "▼": r"$\downarrow$", "✓": "", "✗": "", "…": r"\ldots{}"},
}
_LONGEST_NAME = 80


def write_tables(html: str, folder: Path) -> list[Path]:
    """Write every table of a page as ``NN_NAME.csv`` and ``NN_NAME.tex`` into a folder; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for stem, *texts in table_texts(html):
        for suffix, text in zip((".csv", ".tex"), texts, strict=True):
            path = folder / f"{stem}{suffix}"
            path.write_text(text, encoding="utf-8")
            paths.append(path)
    return paths


def table_texts(html: str) -> list[tuple[str, str, str]]:
    """Return the name of its files, the CSV and the LaTeX of every table of a page, in its order."""
    named = [(f"{number:02d}_{file_name(table.name)}", table) for number, table in enumerate(tables_of(html), 1)]
    return [(stem, as_csv(table), as_latex(table, stem)) for stem, table in named]


def file_name(text: str) -> str:
    """Return a text as part of a file's name: word characters, dots and hyphens."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_.")[:_LONGEST_NAME] or "unnamed"


def as_csv(table: PageTable) -> str:
    """Return a table as CSV; an interval takes two columns, and columns that only draw something are left out."""
    columns = _columns(table)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    titles = [[f"{title} low", f"{title} high"] if wide else [title] for _, title, wide in columns]
    writer.writerow([title for pair in titles for title in pair])
    for row in table.rows:
        cells = [_numbers(row[place], wide) if place < len(row) else [""] * (1 + wide) for place, _, wide in columns]
        writer.writerow([_inert(value) for pair in cells for value in pair])
    return out.getvalue()


def _columns(table: PageTable) -> list[tuple[int, str, bool]]:
    """Return place, title and whether it holds intervals, of each column that says anything."""
    width = max([len(table.header), *map(len, table.rows)], default=0)
    columns = []
    for place in range(width):
        cells = [row[place] for row in table.rows if place < len(row)]
        if any(cell.text for cell in cells):
            title = table.header[place] if place < len(table.header) else ""
            columns.append((place, title, any(len(cell.values) == 2 for cell in cells)))
    return columns


def _numbers(cell: Cell, wide: bool) -> list[str]:
    if wide:
        return list(cell.values) if len(cell.values) == 2 else [cell.text, ""]
    return [cell.values[0] if len(cell.values) == 1 else cell.text]


def _inert(value: str) -> str:
    """Return a value such that a spreadsheet takes no text of a corpus or a model for a formula."""
    try:
        float(value)
    except ValueError:
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t") else value
    return value


def as_latex(table: PageTable, label: str) -> str:
    """Return a table in LaTeX, with the rules of booktabs; numbers stand to the right."""
    columns = _columns(table)
    shape = "".join("r" if _is_number(table, place) else "l" for place, _, _ in columns)
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{latex(table.caption or table.name)}}}"]
    lines += [rf"\label{{tab:{re.sub(r'[^A-Za-z0-9.-]', '-', label)}}}", rf"\begin{{tabular}}{{{shape}}}", r"\toprule"]
    lines += [_line([title for _, title, _ in columns]), r"\midrule"]
    for row in table.rows:
        lines.append(_line([row[place].text if place < len(row) else "" for place, _, _ in columns]))
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def _is_number(table: PageTable, place: int) -> bool:
    cells = [row[place] for row in table.rows if place < len(row)]
    return any(cell.values for cell in cells) or all(re.fullmatch(r"[\d.,\s%–-]*", cell.text) for cell in cells)


def _line(texts: Sequence[str]) -> str:
    return " & ".join(latex(text) for text in texts) + r" \\"


def latex(text: str) -> str:
    """Return a text whose characters LaTeX takes as they are."""
    return "".join(_LATEX.get(mark, mark) for mark in text).strip()
