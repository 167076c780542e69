"""Write the scores as one Markdown table: every number with its interval, n and unreadable share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from affectllm.report.display import clusters, interval, metric_name, number, percent
from affectllm.report.runfolder import FULL, Evaluation, RunData, given

HEADER = (
    "| run | model | task | metric | value | 95 % interval | clusters | n | unreadable |\n"
    "|---|---|---|---|---:|---|---:|---:|---:|"
)


def markdown_table(runs: Sequence[RunData]) -> str:
    """Return a table with a row for every run, evaluation (full, ablations, reference models), task and metric."""
    rows = [row for run in runs for evaluation, kind in evaluations(run) for row in _rows(run.name, evaluation, kind)]
    return "\n".join([HEADER, *rows]) + "\n"


def evaluations(run: RunData) -> Iterator[tuple[Evaluation, str]]:
    """Yield the evaluations of a run and what answered in each: the tuned model, shown less, or a reference."""
    if run.evaluation:
        yield run.evaluation, "tuned model"
    for name, ablation in run.ablations.items():
        if name != FULL:
            yield ablation, f"tuned model, {given(name)}"
    for name, reference in run.references.items():
        yield reference, f"reference: {name}"


def _rows(run: str, evaluation: Evaluation, model: str) -> Iterator[str]:
    for task, metrics in evaluation.scores.items():
        for metric, score in metrics.items():
            names = [cell_text(name) for name in (run, model, task, metric_name(metric))]
            numbers = [number(score["value"]), interval(score), clusters(score)]
            numbers += [str(score["n"]), percent(score["unreadable"])]
            yield "| " + " | ".join([*names, *numbers]) + " |"


# Characters that turn the direction of what follows, beyond the end of their own text.
TURNING = {code: f"(U+{code:04X})" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


_BLOCK = re.compile(r"(?:#{1,6}|\+|-+|=+)(?=\s|$)|\d{1,9}(?=[.)](?:\s|$))")
_IN_ADDRESSES = ":/?#[]@!$&'()*+,;=%~"
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])|~")


def cell_text(text: str) -> str:
    """Escape text for a cell, a line or a heading of Markdown: it stays one line of plain words.

    No HTML, link, image, emphasis, heading, list, line break or change of text direction comes of it.
    """
    flat = " ".join(text.split()).translate(TURNING)
    for mark in "\\`*[]|":
        flat = flat.replace(mark, f"\\{mark}")
    flat = _EMPHASIS.sub(r"\\\g<0>", flat)
    if begins := _BLOCK.match(flat):  # what makes a list of a line that begins with a number is the sign behind it
        place = begins.end() if begins[0].isdigit() else 0
        flat = f"{flat[:place]}\\{flat[place:]}"
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link_text(text: str, url: str) -> str:
    """Return a link in Markdown, or the text alone where the address is none of the web."""
    if not url.startswith(("https://", "http://")):
        return cell_text(text)
    return f"[{cell_text(text)}](<{quote(url, safe=_IN_ADDRESSES)}>)"


def code_text(text: str) -> str:
    """Return text as code within a line of Markdown, whatever backticks are in it."""
    flat = " ".join(text.split()).translate(TURNING)
    fence = "`" * (1 + max(map(len, re.findall("`+", flat)), default=0))
    blank = " " if "`" in flat else ""
    return f"{fence}{blank}{flat}{blank}{fence}"
