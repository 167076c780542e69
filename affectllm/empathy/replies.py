"""``affectllm empathy``: replies seen whole, by words, by the emotion found in them, and by a judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affectllm.empathy.judging import judges, pairs, rubric
from affectllm.empathy.replies_page import EmpathyPage, Row, named_metrics, read_empathy, read_replies
from affectllm.errors import Malformed
from affectllm.metrics import METRICS
from affectllm.metrics.judge.local import fingerprint
from affectllm.report.display import metric_name, number
from affectllm.run import RUNS, Run, file_digest, write_json

SCORES = "scores.json"


def run_empathy(path: Path, out: Path | None = None) -> Path:
    """Score the replies of a page; return the run folder with ``scores.json`` and ``scores.md``.

    Raises:
        AffectError: for a page, a table, a classifier or a judge that cannot be used.
    """
    page = read_empathy(path)
    table = path.parent / Path(page.table).expanduser()
    rows = read_replies(page, table)
    folder = out or RUNS / "empathy" / path.stem
    weights = {name: fingerprint(path.parent / name) for name in (page.classifier, _path(page)) if name}
    with Run(folder, "empathy", {"page": asdict(page), "table": file_digest(table), "weights": weights}) as run:
        if not run.done:
            result = _result(page, rows, path.parent, folder)
            write_json(folder / SCORES, result)
            (folder / "scores.md").write_text(markdown(result), encoding="utf-8")
            run.outputs |= {"replies": len(rows), "systems": list(page.systems)}
    return folder


def _path(page: EmpathyPage) -> str:
    return page.judge.path if page.judge else ""


def _result(page: EmpathyPage, rows: Sequence[Row], base: Path, folder: Path) -> dict[str, Any]:
    systems = {name: _words(page, rows, name, base) for name in page.systems}
    result: dict[str, Any] = {"description": page.description, "rows": len(rows), "systems": systems, "pairs": {}}
    if page.judge:
        store = base / page.judge.store if page.judge.store else folder.parent / f"{folder.name}.judge.jsonl"
        own = page.judge if not page.judge.path else _local(page, base)
        runs = judges(own, store)
        for name in page.systems:
            systems[name]["empathy_judge"] = rubric(rows, name, own, runs)
        result["pairs"] = pairs(rows, list(page.systems), own, runs)
        result["judge"] = runs[0].settings
    return result


def _local(page: EmpathyPage, base: Path) -> Any:
    from dataclasses import replace

    assert page.judge is not None  # asked for above
    return replace(page.judge, path=str(base / page.judge.path))


def _words(page: EmpathyPage, rows: Sequence[Row], system: str, base: Path) -> dict[str, Any]:
    """Score a system: texts on the rows that have a reference, the classifier on those that have an emotion."""
    scores: dict[str, Any] = {}
    known = [row for row in rows if row.reference]
    for name, options in named_metrics(page):
        metric = METRICS[name]
        chosen = rows if metric.takes == "predicted" else known
        if not chosen:
            raise Malformed(f"{name} needs references, and no row has one", do="leave it out under metrics:")
        gold = None if metric.takes == "predicted" else [[row.reference] for row in chosen]
        key = f"{name} {options}" if options else name
        scores[key] = metric(
            gold,
            [row.replies[system] for row in chosen],
            clusters=[row.cluster for row in chosen],
            controls=False,
            **options,
        ).to_json()
    felt = [row for row in rows if row.emotion]
    if page.classifier and felt:
        scores["reply_emotion_accuracy"] = METRICS["reply_emotion_accuracy"](
            [row.emotion for row in felt],
            [row.replies[system] for row in felt],
            clusters=[row.cluster for row in felt],
            classifier=str(base / page.classifier),
            controls=False,
        ).to_json()
    return scores


def markdown(result: dict[str, Any]) -> str:
    """Return the scores as Markdown: a row for each system and metric, then each pair of systems."""
    lines = [
        f"# {result['description'] or 'Empathy of replies'}",
        "",
        "| system | metric | value | 95 % interval | n |",
    ]
    lines.append("|" + " --- |" * 5)
    for system, scores in result["systems"].items():
        for name, one in scores.items():
            runs = f" (runs {', '.join(number(run) for run in one['runs'])})" if "runs" in one else ""
            named = metric_name(name.partition(" ")[0]) + name.partition(" ")[1] + name.partition(" ")[2]
            lines.append(f"| {system} | {named} | {number(one['value'])}{runs} | {_interval(one)} | {one['n']} |")
    for names, one in result["pairs"].items():
        value = f"{number(one.get('value'))}, the same in both orders {number(one['same_in_both_orders'])}"
        lines.append(f"| {names} | preferred | {value} | {_interval(one)} | {one.get('n', 0)} |")
    return "\n".join(lines) + "\n"


def _interval(one: dict[str, Any]) -> str:
    return "none: too few" if one.get("low") is None else f"[{number(one['low'])}, {number(one['high'])}]"
