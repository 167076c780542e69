"""Compute the checks of a page on the files that are at hand, and compare each value with the printed one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from affectllm.errors import placed
from affectllm.score.ledger.entries import Entry
from affectllm.score.ledger.page import WHEELS, Check
from affectllm.score.ledger.tables import Source, absent, read_source
from affectllm.score.ledger.values import computed

Status = Literal["equal", "differs", "unexplained", "not different", "other file", "not at hand"]
FAILED: tuple[Status, ...] = ("unexplained", "not different", "other file")
"""What a page has to be corrected for, or the file replaced."""


@dataclass(frozen=True)
class Outcome:
    """What became of one check.

    Args:
        check: it.
        where: file and line of the check.
        status: ``equal`` to the printed digits; ``differs``, as the page explains; ``unexplained`` where the page
            does not; ``not different`` where it explains a difference that is not there; ``other file`` where a file
            is not the one that the page knows; ``not at hand`` where one is missing.
        value: ours, in the unit of the metric; None where nothing was computed.
        strict: the same by the strict metric, where the check is of a compat mode.
        n: items, or rows counted.
        rejected: reason → rows left out.
        remark: what is missing, or in what a file is another one.
    """

    check: Check
    where: str
    status: Status
    value: float | None = None
    strict: float | None = None
    n: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    remark: str = ""


@dataclass(frozen=True)
class Seen:
    """What was seen of a page: an outcome a check, and the files that were read."""

    entry: Entry
    outcomes: list[Outcome]
    files: dict[str, dict[str, Any]]

    @property
    def ran(self) -> list[Outcome]:
        """Outcomes of the checks whose files were there."""
        return [outcome for outcome in self.outcomes if outcome.value is not None]


def see(entry: Entry, folders: Mapping[str, Path]) -> Seen:
    """Run the checks of a page.

    Args:
        folders: root → folder, of those that are at hand.

    Raises:
        Malformed: when a file that is there cannot be read, or a metric refuses its values; names file and line.
        NotFound: when a column is not there.
    """
    sources: dict[str, Source] = {}
    missing: dict[str, str] = {}
    for name, table in entry.page.tables.items():
        folder = folders.get(table.folder)
        if folder is None:
            missing[name] = f"--root {table.folder}=DIR"
        elif error := absent(table, folder):
            missing[name] = error.what
        else:
            sources[name] = read_source(table, folder)
    changed = {name: source.other_than(entry.page.tables[name]) for name, source in sources.items()}
    wheels = folders.get(WHEELS)
    pairs = zip(entry.page.checks, entry.lines, strict=True)
    outcomes = [_outcome(check, where, sources, missing, changed, wheels) for check, where in pairs]
    files = {name: {"sha256": source.sha256, "rows": source.rows} for name, source in sources.items()}
    return Seen(entry, outcomes, files)


def _outcome(
    check: Check,
    where: str,
    sources: Mapping[str, Source],
    missing: Mapping[str, str],
    changed: Mapping[str, str],
    wheels: Path | None,
) -> Outcome:
    lacking = [missing[name] for name in check.tables if name in missing]
    lacking += [f"--root {WHEELS}=DIR"] if check.wheels and wheels is None else []
    if lacking:
        return Outcome(check, where, "not at hand", remark=", ".join(dict.fromkeys(lacking)))
    with placed(where):
        ours = computed(check, sources, wheels)
        strict = computed(check.strict, sources, wheels).value if check.strict else None
    remark = "; ".join(f"{name} is {changed[name]}" for name in check.tables if changed[name])
    status = _status(check, ours.value, remark)
    return Outcome(check, where, status, ours.value, strict, ours.n, dict(ours.left_out), remark)


def _status(check: Check, value: float, other: str) -> Status:
    if other:
        return "other file"
    if check.printed.equals(value):
        return "not different" if check.differs else "equal"
    return "differs" if check.differs else "unexplained"
