"""Find and read the pages of reproductions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm import page_schema, registry
from affectllm.errors import Malformed
from affectllm.score.ledger.page import WHEELS, Reproduction
from affectllm.score.ledger.problems import problems
from affectllm.yaml_page import Page, PageKind, first_comment, read_page

KIND = PageKind("reproduction", listed="reproductions")


@dataclass(frozen=True)
class Entry:
    """A page with its name, its file, and the line of each check."""

    name: str
    path: Path
    page: Reproduction
    lines: tuple[str, ...]

    @property
    def what(self) -> str:
        """The first comment of the file."""
        return first_comment(self.path)

    @property
    def roots(self) -> tuple[str, ...]:
        """Names of the folders that its files are in."""
        names = [table.folder for table in self.page.tables.values()]
        wheels = [WHEELS] if any(check.wheels for check in self.page.checks) else []
        return tuple(dict.fromkeys([*names, *wheels]))


def find_entries(names: list[str]) -> list[Entry]:
    """Read the pages called so, or lying at these paths; all pages where none is named.

    Raises:
        NotFound: when there is no such page.
        Malformed: with file and line, when one does not load.
    """
    pages = registry.names("reproductions")
    if not names:
        return [load(path) for path in pages.values()]
    return [load(Path(name) if name.endswith(".yaml") else registry.find("reproductions", name)) for name in names]


def load(path: Path) -> Entry:
    """Read one page.

    Raises:
        Malformed: with file and line.
    """
    page = read_page(path, KIND)
    raw = page.value.get("checks")
    if isinstance(raw, list):
        _expand(page, raw)
    built: Reproduction = page_schema.build(Reproduction, page)
    for problem, where in problems(built, page):
        raise Malformed(problem, where=where)
    return Entry(path.stem, path, built, tuple(page.where(("checks", n)) for n in range(len(built.checks))))


def _expand(page: Page, raw: list[Any]) -> None:
    """Replace a check with ``by: COLUMN`` and ``each: {VALUE: number}`` by one a value, so that counts are short."""
    expanded: list[Any] = []
    for number, check in enumerate(raw):
        each = check.pop("each", None) if isinstance(check, dict) else None
        copies = [check] if each is None else list(_copies(page, number, check, each))
        line = page.lines.get(("checks", number), 1)
        for copy in copies:
            page.lines.setdefault(("expanded", len(expanded)), line)
            expanded.append(copy)
    lines = {n: page.lines[("expanded", n)] for n in range(len(expanded))}
    if len(expanded) != len(raw):  # keys inside an expanded check are reported by the line of the check
        page.lines = {path: line for path, line in page.lines.items() if path[:1] != ("checks",)}
        page.lines |= {("checks", n): line for n, line in lines.items()}
    raw[:] = expanded


def _copies(page: Page, number: int, check: dict[str, Any], each: Any) -> Iterator[dict[str, Any]]:
    by = check.pop("by", None)
    count = check.get("count")
    if not isinstance(each, dict) or not isinstance(by, str) or not isinstance(count, dict):
        message = "each: needs count: and by:, the column whose values are counted"
        raise Malformed(message, where=page.where(("checks", number)), do='write each: {joy: "402"}')
    for value, published in each.items():
        where = {**(count.get("where") or {}), by: value}
        yield {**check, "of": f"{check.get('of')}, {value}", "published": published, "count": {**count, "where": where}}
