"""The page of ``affectllm empathy``: whose replies are judged, by which metrics, which classifier and which judge."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.corpus import Rejection
from affectllm.corpus.records.rows import Record, read_rows
from affectllm.errors import Malformed
from affectllm.metrics import METRICS
from affectllm.page_schema import build
from affectllm.yaml_page import PageKind, read_page

KIND = PageKind("empathy page")
USUAL = ("bleu_1", "bleu_2", "bleu_4", "rouge_l", "meteor", "distinct_1", "distinct_2")
ROLES = ("id", "context", "reference", "emotion", "cluster")


@dataclass(frozen=True)
class JudgeOfReplies:
    """A language model that judges replies."""

    model: str = ""
    """name of the model at the endpoint"""
    url: str = ""
    """address of an OpenAI-compatible server"""
    key_env: str = ""
    """environment variable that holds the key"""
    path: str = ""
    """a folder of a model, in place of an endpoint"""
    runs: int = 3
    """how often each question is asked: once greedy, then drawn with a seed"""
    temperature: float = 0.7
    """of the drawn runs"""
    language: str = "en"
    """of its prompts"""
    store: str = ""
    """file of its answers (default: judge.jsonl in the run folder's parent)"""


@dataclass(frozen=True)
class EmpathyPage:
    """Replies in a table or of evaluations, and how they are judged."""

    table: str = ""
    """CSV, JSON Lines, Parquet …: columns context, reference, emotion, cluster, and one for each system"""
    systems: dict[str, str] = field(default_factory=dict)
    """system → column of its replies"""
    evaluations: dict[str, str] = field(default_factory=dict)
    """in place of a table: system → folder of ``affectllm eval --output_path`` with its logged replies"""
    tasks: dict[str, str] = field(default_factory=dict)
    """system → task of its evaluation, where that has several"""
    emotion: dict[str, str] = field(default_factory=dict)
    """of evaluations: space and rater of the emotion that is felt"""
    description: str = ""
    """what is compared"""
    columns: dict[str, str] = field(default_factory=dict)
    """role → column, where they are called otherwise"""
    metrics: tuple[Any, ...] = USUAL
    """metrics of texts against the reference; with options as a mapping, {bleu: {compat: emobench_m}}"""
    classifier: str = ""
    """folder of a text classifier that finds the emotion of a reply"""
    judge: JudgeOfReplies | None = None
    """for empathy from 1 to 5, and for pairs of systems in both orders"""


@dataclass(frozen=True)
class Row:
    """What was said before, and the replies of all systems; None where a system gave none."""

    id: str
    context: str
    reference: str
    emotion: str
    cluster: str
    replies: dict[str, str | None]


def read_empathy(path: Path) -> EmpathyPage:
    """Read and check a page.

    Raises:
        NotFound: when it cannot be read.
        Malformed: with file and line, for unknown keys, metrics or roles.
    """
    page = read_page(path, KIND)
    value: EmpathyPage = build(EmpathyPage, page)
    if bool(value.table) == bool(value.evaluations):
        raise KIND.wrong("a page has either table: or evaluations:", where=page.where(()), do="give one of them")
    if value.table and not value.systems:
        raise KIND.wrong("there is no system", where=page.where(("systems",)), do="name a column of replies")
    if value.evaluations and (value.systems or value.columns):
        raise KIND.wrong("systems: and columns: are those of a table", where=page.where(()), do="leave them out")
    if value.emotion and sorted(value.emotion) != ["rater", "space"]:
        raise KIND.wrong("emotion: has space: and rater:", where=page.where(("emotion",)))
    for number, one in enumerate(value.metrics):
        name = next(iter(one)) if isinstance(one, dict) and len(one) == 1 else one
        if not isinstance(name, str) or name not in METRICS or METRICS[name].form.name != "text":
            where = page.where(("metrics", number))
            raise KIND.wrong(f"{name!r} is no metric of texts", where=where, do="see `affectllm ls metrics`")
    if strange := [role for role in value.columns if role not in ROLES]:
        where = page.where(("columns", strange[0]))
        raise KIND.wrong(f"{strange[0]!r} is no role", where=where, do=f"the roles are {', '.join(ROLES)}")
    if value.judge and (bool(value.judge.path) == bool(value.judge.url) or value.judge.runs < 1):
        raise KIND.wrong("a judge has path: or url:, and runs at least once", where=page.where(("judge",)))
    if value.judge and not 0 <= value.judge.temperature < math.inf:
        raise KIND.wrong("a temperature is 0 or more", where=page.where(("judge", "temperature")))
    page.check_file(("table",), value.table)
    return value


def named_metrics(page: EmpathyPage) -> list[tuple[str, dict[str, Any]]]:
    """Return each metric with its options."""
    return [
        next((name, dict(its or {})) for name, its in one.items()) if isinstance(one, dict) else (one, {})
        for one in page.metrics
    ]


def read_table(page: EmpathyPage, table: Path) -> list[Row]:
    """Return the rows of the table.

    Raises:
        Malformed: when a column of a system is missing, a row has no context, or an id is there twice.
    """
    rows, seen = list[Row](), dict[str, str]()
    for row in read_rows(table, table.parent):
        if isinstance(row, Rejection):
            raise Malformed(f"a row cannot be read: {row.detail}", where=row.where, do="correct it")
        rows.append(own := _row(page, row))
        if own.id in seen:
            message = f"the id {own.id!r} is there before, in {seen[own.id]}"
            raise Malformed(message, where=row.where, do="remove one of the rows, or name it otherwise")
        seen[own.id] = row.where
    if not rows:
        raise Malformed("the table has no row", where=str(table), do="give replies")
    return rows


def _row(page: EmpathyPage, row: Record) -> Row:
    if absent := [name for name in (*page.systems.values(), *page.columns.values()) if name not in row.fields]:
        raise Malformed(f"there is no column {absent[0]!r}", where=row.where, do=f"it has {', '.join(row.fields)}")
    cells = {role: text_or_none(row.fields.get(page.columns.get(role, role))) or "" for role in ROLES}
    if not cells["context"]:
        raise Malformed("the row has no context", where=row.where, do="say what was said before the reply")
    cells |= {"id": cells["id"] or row.where, "cluster": cells["cluster"] or cells["id"] or row.where}
    return Row(**cells, replies={name: text_or_none(row.fields[column]) for name, column in page.systems.items()})


def text_or_none(value: Any) -> str | None:
    """Return the words of a cell; None where there are none."""
    text = value if isinstance(value, str) else "" if value is None or value != value else str(value)
    return text.strip() or None
