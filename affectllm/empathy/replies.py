"""``affectllm empathy``: replies seen whole, by words, by the emotion found in them, and by a judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affectllm.corpus.roots import Roots
from affectllm.empathy.evaluated import Evaluated, read_evaluations
from affectllm.empathy.judging import judges, pairs, rubric
from affectllm.empathy.replies_page import EmpathyPage, Row, named_metrics, read_empathy, read_table
from affectllm.errors import Malformed
from affectllm.metrics import METRICS
from affectllm.metrics.judge.local import fingerprint
from affectllm.report.display import metric_name, number
from affectllm.report.scoretable import cell_text
from affectllm.run import RUNS, Run, file_digest, write_json

SCORES = "scores.json"


def run_empathy(path: Path, out: Path | None = None, roots: Roots | None = None) -> Path:
    """Score the replies of a page; return the run folder with ``scores.json`` and ``scores.md``.

    Raises:
        AffectError: for a page, a table, an evaluation, a classifier or a judge that cannot be used.
    """
    page = read_empathy(path)
    replies = _replies(page, path.parent, roots or Roots())
    folder = out or RUNS / "empathy" / path.stem
    weights = {name: fingerprint(path.parent / name) for name in (page.classifier, _path(page)) if name}
    digests = {name: file_digest(file) for name, file in replies.files.items()}
    with Run(folder, "empathy", {"page": asdict(page), "replies": digests, "weights": weights}) as run:
        if not run.done:
            result = {**_result(page, replies.rows, path.parent, folder), "left_out": replies.left_out}
            write_json(folder / SCORES, result)
            (folder / "scores.md").write_text(markdown(result), encoding="utf-8")
            run.outputs |= {"replies": len(replies.rows), "systems": list(replies.rows[0].replies)}
    return folder


def _replies(page: EmpathyPage, base: Path, roots: Roots) -> Evaluated:
    if page.evaluations:
        return read_evaluations(page, base, roots)
    table = base / Path(page.table).expanduser()
    return Evaluated(read_table(page, table), 0, {"table": table})


def _path(page: EmpathyPage) -> str:
    return page.judge.path if page.judge else ""


def _result(page: EmpathyPage, rows: Sequence[Row], base: Path, folder: Path) -> dict[str, Any]:
    names = list(rows[0].replies)
    systems = {name: _words(page, rows, name, base) for name in names}
    result: dict[str, Any] = {"description": page.description, "rows": len(rows), "systems": systems, "pairs": {}}
    if page.judge:
        store = base / page.judge.store if page.judge.store else folder.parent / f"{folder.name}.judge.jsonl"
        own = page.judge if not page.judge.path else _local(page, base)
        runs = judges(own, store)
        for name in names:
            systems[name]["empathy_judge"] = rubric(rows, name, own, runs)
        result["pairs"] = pairs(rows, names, own, runs)
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
        f"# {cell_text(result['description'] or 'Empathy of replies')}",
        "",
        "| system | metric | value | 95 % interval | n |",
    ]
    lines.append("|" + " --- |" * 5)
    for system, scores in result["systems"].items():
        for name, one in scores.items():
            runs = f" (runs {', '.join(number(run) for run in one['runs'])})" if "runs" in one else ""
            named = cell_text(metric_name(name.partition(" ")[0]) + name.partition(" ")[1] + name.partition(" ")[2])
            lines.append(
                f"| {cell_text(system)} | {named} | {number(one['value'])}{runs} | {_interval(one)} | {one['n']} |"
            )
    for names, one in result["pairs"].items():
        value = f"{number(one.get('value'))}, the same in both orders {number(one['same_in_both_orders'])}"
        lines.append(f"| {cell_text(names)} | preferred | {value} | {_interval(one)} | {one.get('n', 0)} |")
    lost = [f"- {cell_text(line)}" for line in _not_judged(result)]
    lines += ["", "Not judged, and in no value:", "", *lost] if lost else []
    if result["left_out"]:
        lines += ["", f"{result['left_out']} items were asked of some systems alone, and are left out."]
    return "\n".join(lines) + "\n"


def _not_judged(result: dict[str, Any]) -> Iterator[str]:
    """Yield for each metric and each pair what a judge did not judge, by reason."""
    for system, scores in result["systems"].items():
        for name, one in scores.items():
            shares = {key: share for key, share in one.get("coverage", {}).items() if key.startswith("failed_")}
            if any(shares.values()):
                listed = ", ".join(
                    f"{100 * share:.0f} % {key.removeprefix('failed_')}" for key, share in shares.items()
                )
                yield f"{system}, {metric_name(name)}: {listed}"
    for names, one in result["pairs"].items():
        if one["failures"]:
            yield f"{names}: " + ", ".join(f"{count:,} × {reason}" for reason, count in one["failures"].items())


def _interval(one: dict[str, Any]) -> str:
    return "none: too few" if one.get("low") is None else f"[{number(one['low'])}, {number(one['high'])}]"
