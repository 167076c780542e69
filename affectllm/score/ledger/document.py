"""The ledger as a chapter of the documentation: what was reproduced, what differs and why, what could not be run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from affectllm.score.ledger import stored
from affectllm.score.ledger.entries import Entry
from affectllm.score.ledger.folders import how_to_get
from affectllm.score.ledger.page import Check

Row = tuple[object, ...]
Table = tuple[tuple[str, ...], list[Row]]

_INTRO = """\
A published number says little about an evaluator until the evaluator gives it. Each page of the ledger names files that
somebody published (predictions, votes, annotations), how they are read, and the numbers that were printed of them.
`affectllm reproduce` reads your own download, scores it as `affectllm score` does, and compares to the digit that was
printed; what is not equal has to say why. Files are never part of this project; what is kept of a run is numbers, and
the hash of each file.

A value below was seen by a run of the command on the date given. What could not be run is listed as such: its numbers
are published ones, not reproduced ones."""


def chapter(entries: Iterable[Entry]) -> Iterator[str | Table]:
    """Yield paragraphs and tables of the chapter, over all pages.

    Raises:
        Malformed: when what is stored of a page does not fit it.
    """
    entries = list(entries)
    rows = {entry.name: stored.seen_before(entry) for entry in entries}
    seen = [(entry, number, row) for entry in entries for number, row in rows[entry.name].items()]
    chosen = [one for one in seen if _check(one).chosen and not _check(one).differs]
    equal = [one for one in seen if not _check(one).differs and not _check(one).chosen]
    other = [one for one in seen if _check(one).differs]
    counts = [one for one in equal if _check(one).count]
    scores = [one for one in equal if not _check(one).count]
    total = sum(len(entry.page.checks) for entry in entries)
    yield _INTRO
    yield ""
    yield f"Of {total} published numbers on {len(entries)} pages, {len(scores)} scores and {len(counts)} counts are"
    yield f"reproduced to the printed digit, {len(chosen)} are met by a computation that was chosen to meet them,"
    yield f"{len(other)} scores are seen to differ, and the files of {total - len(seen)} numbers were not at hand.\n"
    yield "## Scores that are reproduced\n"
    yield _HEAD, [_row(*one) for one in scores]
    yield "## Scores that are met by a computation chosen for them\n"
    yield "Their source leaves open how they are computed, and published numbers settled it: no reproduction.\n"
    yield _HEAD, [_row(*one) for one in chosen]
    yield from dict.fromkeys(f"- `{one[0].name}`: {_check(one).chosen}." for one in chosen)
    yield "\n## Scores that are seen to differ\n"
    yield _HEAD, [_row(*one) for one in other]
    yield from _reasons(other)
    yield "\n## Counts that are reproduced\n"
    yield _COUNTS, [_count(*one) for one in counts]
    yield "## Runs\n"
    yield from _runs(entries)
    yield from (f"- `{one.name}`: {one.page.note}." for one in entries if one.page.note and rows[one.name])
    yield ""
    yield "## Not run here\n"
    yield "Their files were not at hand. None of these numbers is claimed to be reproduced.\n"
    for entry in entries:
        yield from _not_run(entry, rows[entry.name])


Seen = tuple[Entry, int, Mapping[str, Any]]
_COUNTS = ("page", "rows", "published", "seen", "left out")
_HEAD = ("page", "system", "what", "published", "seen", "strict", "n", "left out")


def _check(one: Seen) -> Check:
    return one[0].page.checks[one[1]]


def _row(entry: Entry, number: int, row: Mapping[str, Any]) -> Row:
    check = entry.page.checks[number]
    system = check.system or entry.page.system
    strict = check.printed.rounded(row["strict"]) if "strict" in row else "–"
    seen = (_printed(check), check.printed.rounded(row["value"]), strict, f"{row['n']:,}", _left_out(row))
    return (f"`{entry.name}`", system, f"{check.of} ({_how(check)})", *seen)


def _count(entry: Entry, number: int, row: Mapping[str, Any]) -> Row:
    check = entry.page.checks[number]
    return (f"`{entry.name}`", check.of, check.published, check.printed.rounded(row["value"]), _left_out(row))


def _left_out(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in row["rejected"].items()) or "–"


def _how(check: Check) -> str:
    if not check.metric:
        return "count" if check.count else "mean"
    return f"`{check.metric}`, as {check.compat} computes it" if check.compat else f"`{check.metric}`"


def _printed(check: Check) -> str:
    return f"{check.published} %" if check.unit == "percent" else check.published


def _reasons(other: Iterable[Seen]) -> Iterator[str]:
    yield from dict.fromkeys(f"- `{one[0].name}`: {_check(one).differs}." for one in other)


def _runs(entries: Iterable[Entry]) -> Iterator[str | Table]:
    head = ("page", "paper", "date", "version", "command", "files (first digits of their SHA-256)")
    runs = ((entry, content) for entry in entries if (content := stored.read(entry)))
    yield head, [_run(entry, content) for entry, content in runs]


def _run(entry: Entry, content: Mapping[str, Any]) -> Row:
    facts = (content["date"], content["affectllm"], f"`{content['command']}`")
    return (f"`{entry.name}`", entry.page.paper, *facts, ", ".join(map(_file, content["files"].items())))


def _file(named: tuple[str, Mapping[str, Any]]) -> str:
    name, file = named
    return f"{name} {file['sha256'] or 'through its builder'}, {file['rows']:,} rows"


def _not_run(entry: Entry, rows: Mapping[int, Mapping[str, Any]]) -> Iterator[str | Table]:
    left = [check for number, check in enumerate(entry.page.checks) if number not in rows]
    if not left:
        return
    yield f"**`{entry.name}`**: {entry.what} {entry.page.paper}.\n"
    yield _LEFT, [_published(entry, check) for check in left]
    yield from (f"- {line}" for line in how_to_get(entry))
    yield ""


_LEFT = ("system", "what", "published", "evidence", "source")


def _published(entry: Entry, check: Check) -> Row:
    system = check.system or entry.page.system
    return (system, f"{check.of} ({_how(check)})", _printed(check), check.evidence, check.source)
