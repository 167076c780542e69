"""Show the result of a fidelity page: Markdown for the terminal and papers, a self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.errors import explained
from affectllm.fidelity.run import RESULT
from affectllm.report.display import metric_name, number
from affectllm.report.html import environment
from affectllm.report.scoretable import cell_text

_HEADER = ("judge", "system", "group", "metric", "value", "95 % interval", "clips", "left out", "remarks")


def write_fidelity(folder: Path) -> str:
    """Write ``fidelity.md`` and ``fidelity.html`` beside the result in ``folder``; return the Markdown.

    Raises:
        WriteFailed: when they cannot be written.
    """
    result = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    text = markdown(result)
    tables = [{"title": title, "rows": list(rows)} for title, rows in _tables(result)]
    html = (
        environment()
        .get_template("fidelity.html")
        .render(
            result=result, tables=[one for one in tables if one["rows"]], header=_HEADER, notes=list(_notes(result))
        )
    )
    with explained(folder):
        (folder / "fidelity.md").write_text(text, encoding="utf-8")
        scratch = folder / ".fidelity.html.part"
        scratch.write_text(html, encoding="utf-8")
        scratch.replace(folder / "fidelity.html")
    return text


def markdown(result: Mapping[str, Any]) -> str:
    """Return the tables and remarks as Markdown."""
    parts = [f"# {cell_text(result['description'] or 'Fidelity of generated clips')}"]
    for title, rows in _tables(result):
        if lines := ["| " + " | ".join(_cells(row)) + " |" for row in rows]:
            head = ["| " + " | ".join(_HEADER) + " |", "|" + " --- |" * len(_HEADER)]
            parts.append("\n".join([f"## {title}", "", *head, *lines]))
    parts.append("\n".join(f"- {cell_text(note)}" for note in _notes(result)))
    return "\n\n".join(parts) + "\n"


def _cells(row: Sequence[str]) -> list[str]:
    """Return a row of a table in Markdown; its names and remarks are words of others."""
    return [*map(cell_text, row[:4]), *row[4:-1], cell_text(row[-1])]


def _tables(result: Mapping[str, Any]) -> Iterator[tuple[str, Iterator[tuple[str, ...]]]]:
    yield "Judges on real clips", _real(result)
    yield "Generated clips", _generated(result)
    yield "Differences, paired over the same items", _differences(result)
    people = {"opinion": ("", "mos"), "preferences": ("", "preference")}
    for name, (judge, metric) in people.items():
        rows = (_row(judge or "people", system, "", metric, one) for system, one in result[name].items())
        yield {"opinion": "Opinion scores", "preferences": "Preferences"}[name], rows


def _real(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, judge in result["judges"].items():
        for metric, one in (judge["real"] or {}).items():
            if metric != "unjudged":
                yield _row(name, "real clips", "", metric, one)


def _generated(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, judge in result["judges"].items():
        for system, its in judge["systems"].items():
            for metric, one in its["metrics"].items():
                yield _row(name, system, "", metric, one)
                if corrected := one.get("corrected"):
                    yield _row(name, system, "corrected", metric, {**one, "above_ceiling": False, **corrected})
            for column, groups in its["by"].items():
                for value, metrics in groups.items():
                    for metric, one in metrics.items():
                        yield _row(name, system, f"{column} {value}", metric, one)


def _differences(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, judge in result["judges"].items():
        for metric, pairs in judge["differences"].items():
            for one in pairs:
                value = {"value": one["difference"], **one, "n": ""}
                systems = f"{one['first'] or 'all'} less {one['second'] or 'all'}"
                yield (*_row(name, systems, "", metric, value)[:-1], f"p {number(one['p_corrected'])}")


def _row(judge: str, system: str, group: str, metric: str, one: Mapping[str, Any]) -> tuple[str, ...]:
    if "undefined" in one:
        return judge, system or "all", group, metric_name(metric), "–", "", "", str(one["left_out"]), one["undefined"]
    low, high = one["low"], one["high"]
    interval = "none: too few" if low is None else f"[{number(low)}, {number(high)}]"
    remarks = "above the judge's own accuracy on real clips" if one.get("above_ceiling") else ""
    left_out = str(one.get("left_out", ""))
    named = "Preference" if metric == "preference" else metric_name(metric)
    return judge, system or "all", group, named, number(one["value"]), interval, str(one["n"]), left_out, remarks


def _notes(result: Mapping[str, Any]) -> Iterator[str]:
    lost = ", ".join(f"{count} × {reason}" for reason, count in result["left_out"].items())
    yield f"{result['clips']:,} clips" + (f"; rows left out: {lost}" if lost else "")
    if unknown := result.get("unknown_corpora"):
        yield f"{', '.join(unknown)}: no corpus of that name is known here, so nobody can say what is akin to it"
    for name, judge in result["judges"].items():
        if judge["real"] is None:
            yield f"{name}: nothing is known of its accuracy on real clips, so its scores have no ceiling"
        for kin in judge["kin"]:
            yield f"{name} has learned from what the generator has learned from: {kin}"
        if unsaid := judge.get("never_said"):
            yield f"{name} knows no {', '.join(unsaid)}: clips that are meant so count as wrong"
        if judge.get("windowed") == 0:
            yield f"{name}: no clip is as long as two windows, so nothing is said of consistency over time"
        if judge["unjudged"]:
            lost = ", ".join(f"{count} × {reason}" for reason, count in judge["unjudged"].items())
            yield f"{name} could not judge {lost}; they count as wrong where labels are compared"
    if any("corrected" in one for row in _metrics(result) for one in row.values()):
        yield (
            "corrected: the most likely share of clips that show their target, given how the judge confuses real "
            "clips; it supposes that generated clips are confused alike"
        )


def _metrics(result: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (its["metrics"] for judge in result["judges"].values() for its in judge["systems"].values())
