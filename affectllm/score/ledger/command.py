"""The command ``affectllm reproduce``: run the pages whose files are at hand, and print what was seen."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from affectllm.score.ledger import stored
from affectllm.score.ledger.entries import Entry, find_entries
from affectllm.score.ledger.folders import folders_of, how_to_get
from affectllm.score.ledger.outcomes import FAILED, Outcome, Seen, see


def reproduce(arguments: argparse.Namespace) -> int:
    """Print published and reproduced values; return 1 when one is unexplained, or a named page could not be run.

    Raises:
        NotFound: when a page, a root or a column is not there.
        Malformed: when a page or a file cannot be read; names file and line.
    """
    entries = find_entries(arguments.pages)
    folders = folders_of(entries, arguments.root)
    pages = [see(entry, folders) for entry in entries]
    if arguments.json:
        print(json.dumps([_json(seen) for seen in pages], ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print("\n\n".join("\n".join(_lines(seen)) for seen in pages))
    if arguments.record:
        for seen in pages:
            if seen.ran or arguments.pages:
                print(f"recorded: {stored.write(seen, command(seen))}", file=sys.stderr)
    failed = any(outcome.status in FAILED for seen in pages for outcome in seen.outcomes)
    return int(failed or (bool(arguments.pages) and not any(seen.ran for seen in pages)))


def command(seen: Seen) -> str:
    """Return the command that runs a page, with a placeholder for each folder that was needed."""
    used = {seen.entry.page.tables[name].folder for outcome in seen.ran for name in outcome.check.tables}
    roots = [f"--root {name}=DIR" for name in seen.entry.roots if name in used]
    return " ".join(["affectllm reproduce", seen.entry.name, *roots])


def _json(seen: Seen) -> dict[str, Any]:
    page = seen.entry.page
    facts = {"page": seen.entry.name, "paper": page.paper, "system": page.system, "files": seen.files}
    return {**facts, "checks": [_outcome(seen.entry, outcome) for outcome in seen.outcomes]}


def _outcome(entry: Entry, outcome: Outcome) -> dict[str, Any]:
    check = outcome.check
    return {
        "of": check.of,
        "system": check.system or entry.page.system,
        "metric": check.metric or ("count" if check.count else "mean"),
        "published": check.printed.value,
        "printed": check.published,
        "unit": check.unit,
        "evidence": check.evidence,
        "source": check.source,
        "value": outcome.value,
        "strict": outcome.strict,
        "n": outcome.n,
        "rejected": dict(outcome.rejected),
        "status": outcome.status,
        "differs": check.differs,
        "chosen": check.chosen,
        "remark": outcome.remark,
        "where": outcome.where,
    }


def _lines(seen: Seen) -> Iterator[str]:
    entry = seen.entry
    yield f"{entry.name}: {entry.what}"
    yield f"  {entry.page.paper} · {entry.page.system}"
    head = ("", "published", "ours", "strict", "n", "")
    yield from _columns([head, *(_row(outcome) for outcome in seen.outcomes)])
    for outcome in seen.outcomes:
        yield from _remarks(outcome)
    for chosen in dict.fromkeys(one.check.chosen for one in seen.ran if one.check.chosen):
        yield f"  chosen: {chosen}"
    if entry.page.note:
        yield f"  note: {entry.page.note}"
    if missing := dict.fromkeys(one.remark for one in seen.outcomes if one.status == "not at hand"):
        yield f"  not at hand: {'; '.join(missing)}"
        yield from (f"  {line}" for line in how_to_get(entry))


def _row(outcome: Outcome) -> tuple[str, ...]:
    check = outcome.check
    sign = " %" if check.unit == "percent" else ""
    values = (outcome.value, outcome.strict)
    ours, strict = ("–" if value is None else check.printed.rounded(value) + sign for value in values)
    status = outcome.status + (", as chosen" if check.chosen and outcome.status == "equal" else "")
    return (check.of, check.published + sign, ours, strict, f"{outcome.n:,}" if outcome.n else "–", status)


def _remarks(outcome: Outcome) -> Iterator[str]:
    of = outcome.check.of
    if outcome.rejected:
        counts = (f"{count:,} × {reason}" for reason, count in sorted(outcome.rejected.items()))
        yield f"  {of}: left out {', '.join(counts)}"
    if outcome.status in ("differs", "not different"):
        yield f"  {of}: {outcome.check.differs}"
    if outcome.status == "unexplained":
        yield f"  {of}: {outcome.where} does not say why; explain it in differs:"
    if outcome.status == "other file":
        yield f"  {of}: {outcome.remark}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *others, last = row
        numbers = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:-1], strict=True))
        yield "  " + "  ".join([f"{first:<{widths[0]}}", *numbers, last]).rstrip()
