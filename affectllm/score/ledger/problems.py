"""What can be wrong with the page of a reproduction beyond its keys and types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from affectllm import registry
from affectllm.errors import NotFound
from affectllm.metrics.core.metric import find_metric
from affectllm.score.ledger.page import Check, Reproduction, Values
from affectllm.score.ledger.printed import Printed
from affectllm.yaml_page import Page


def problems(page: Reproduction, source: Page) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a page, and where.

    Raises:
        Malformed: when a published value is no number.
    """
    for name, table in page.tables.items():
        where = source.where(("tables", name))
        if bool(table.corpus) == bool(table.path) or (table.path and not table.root):
            yield f"the table {name} is either a path below a root, or a corpus", where
        if table.corpus and not (table.space and table.rater):
            yield f"the table {name} needs the space and the rater of the corpus", where
        if table.path and table.root not in page.obtain and table.root not in registry.names("data_builders"):
            yield f"obtain: does not say where {table.root} comes from", where
    if not page.checks:
        yield "checks: is empty", source.where(("checks",))
    for number, check in enumerate(page.checks):
        where = source.where(("checks", number))
        Printed.read(check.published, check.unit, where)
        yield from ((problem, where) for problem in _check_problems(check, page))
    for name in page.tables:
        if not any(name in check.tables for check in page.checks):
            yield f"no check reads the table {name}", source.where(("tables", name))


def _check_problems(check: Check, page: Reproduction) -> Iterator[str]:
    if sum(map(bool, (check.metric, check.count, check.mean))) != 1:
        yield "a check has either a metric, or a count, or a mean"
    if check.metric and not (check.gold or check.answers):
        yield f"{check.metric} has neither gold nor answers"
    yield from _metric_problems(check) if check.metric else ()
    for table in check.tables:
        if table not in page.tables:
            yield f"there is no table called {table!r}"
    for values in (check.gold, check.answers, check.mean, *check.columns.values()):
        yield from _value_problems(values) if values else ()
    yield from _bad_patterns(check.count) if check.count else ()


def _metric_problems(check: Check) -> Iterator[str]:
    try:
        metric = find_metric(check.metric)
    except NotFound as error:
        yield f"{error.what}; {error.do}"
        return
    if check.labels and not check.read and "labels" not in metric.options:
        yield f"{check.metric} takes no labels"


def _value_problems(values: Values) -> Iterator[str]:
    if bool(values.table) == (values.constant is not None):
        yield "values are either a column of a table or a constant"
    if values.table and not values.column:
        yield f"which column of {values.table} holds the values?"
    yield from _bad_bands(values)
    yield from _bad_patterns(values)


def _bad_bands(values: Values) -> Iterator[str]:
    for label, band in values.bands.items():
        if len(band) != 2 or band[0] > band[1]:
            yield f"the band of {label} is its lowest and its highest number, such as [0, 1], not {list(band)}"


def _bad_patterns(values: Values) -> Iterator[str]:
    for text in filter(None, (values.pattern, *values.matching.values())):
        try:
            groups = re.compile(text).groups
        except re.error as error:
            yield f"{text!r} is no regular expression: {error}"
        else:
            if text == values.pattern and not groups:
                yield f"the pattern {text!r} has no group in parentheses, which is what is taken"
