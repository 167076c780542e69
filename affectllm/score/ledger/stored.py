"""What was seen of a page, as a file of numbers beside it: values, counts, hashes and the version, no rows."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, explained
from affectllm.run import digest, versions, write_json
from affectllm.score.ledger.entries import Entry
from affectllm.score.ledger.outcomes import FAILED, Outcome, Seen
from affectllm.score.ledger.page import Check

_DIGITS = 9  # significant ones, so that another machine's last bits change no file


def path_of(entry: Entry) -> Path:
    """Return the file beside the page."""
    return entry.path.with_suffix(".json")


def identity(entry: Entry, check: Check) -> str:
    """Return what a computed value depends on: the check and the reading of its tables, without words about them."""
    return digest([_given(check), [_given(entry.page.tables[name]) for name in check.tables]])


def _given(value: Any) -> Any:
    """Return what a page says of a value: what is left out of it may get a default that is not known today."""
    if isinstance(value, dict):
        return {key: _given(item) for key, item in value.items()}
    if not is_dataclass(value):
        return value
    empty = {one.name: one.default_factory() for one in fields(value) if one.default_factory is not MISSING}
    defaults = {one.name: one.default for one in fields(value)} | empty
    items = {name: getattr(value, name) for name in defaults if name not in _WORDS}
    return {name: _given(item) for name, item in items.items() if item != defaults[name]}


# Of a check what says what it is of, and of a table by what the right file is known.
_WORDS = ("of", "published", "source", "evidence", "unit", "system", "differs", "chosen", "sha256", "rows", "how")


def record(seen: Seen, command: str) -> dict[str, Any]:
    """Return what is stored of a page.

    Raises:
        Malformed: when a check is neither equal nor explained, or nothing was run: that is no result to keep.
    """
    for outcome in seen.outcomes:
        if outcome.status in FAILED:
            message = f"{outcome.check.of}: {outcome.status}, so nothing is recorded"
            raise Malformed(message, where=outcome.where, do=outcome.remark or "explain it in differs:, or correct it")
    if not seen.ran:
        raise Malformed("no file of it is at hand, so nothing is recorded", where=str(seen.entry.path))
    return {
        "page": seen.entry.name,
        "date": datetime.now(UTC).date().isoformat(),
        "affectllm": versions().get("affectllm", "unknown"),
        "command": command,
        "files": seen.files,
        "checks": [_row(seen.entry, outcome) for outcome in seen.ran],
    }


def _row(entry: Entry, outcome: Outcome) -> dict[str, Any]:
    return {
        "of": outcome.check.of,
        "identity": identity(entry, outcome.check),
        "value": _short(outcome.value),
        **({"strict": _short(outcome.strict)} if outcome.strict is not None else {}),
        "n": outcome.n,
        "rejected": dict(sorted(outcome.rejected.items())),
    }


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")


def write(seen: Seen, command: str) -> Path:
    """Write what was seen beside the page, and return the file.

    Raises:
        Malformed: as ``record``.
        WriteFailed: when the file system refuses.
    """
    path = path_of(seen.entry)
    content = record(seen, command)
    with explained(path):
        write_json(path, content)
    return path


def read(entry: Entry) -> dict[str, Any] | None:
    """Return what was seen of a page; None where nothing was.

    Raises:
        Malformed: when the file is broken, or holds the value of a check that the page no longer has.
    """
    path = path_of(entry)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        missing = [key for key in ("date", "affectllm", "command", "files") if key not in content]
        checks = {row["identity"]: row["of"] for row in content["checks"]}
    except (ValueError, KeyError, TypeError) as error:
        raise Malformed(f"not the result of a reproduction: {error!r}", where=str(path), do=_AGAIN) from error
    if missing:
        raise Malformed(f"the result of a reproduction lacks {', '.join(missing)}", where=str(path), do=_AGAIN)
    known = {identity(entry, check) for check in entry.page.checks}
    if gone := [of for name, of in checks.items() if name not in known]:
        message = f"it holds a value that the page no longer asks for: {gone[0]}"
        raise Malformed(message, where=str(path), do=_AGAIN)
    return dict(content)


_AGAIN = "run affectllm reproduce PAGE --record"


def seen_before(entry: Entry) -> dict[int, dict[str, Any]]:
    """Return check number → its stored row, for those that have been run.

    Raises:
        Malformed: as ``read``; or when a stored value is not what the page says of it.
    """
    content = read(entry)
    rows = {row["identity"]: row for row in content["checks"]} if content else {}
    numbered = {number: rows.get(identity(entry, check)) for number, check in enumerate(entry.page.checks)}
    for number, row in numbered.items():
        check = entry.page.checks[number]
        if row and check.printed.equals(row["value"]) == bool(check.differs):
            wrong = "differs: explains a difference that is not there" if check.differs else "differs: is missing"
            do = f"published {check.published}, seen {check.printed.rounded(row['value'])}"
            raise Malformed(f"{check.of}: {wrong}", where=entry.lines[number], do=do)
    return {number: row for number, row in numbered.items() if row}
