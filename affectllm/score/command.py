"""The command ``affectllm score``: read the tables, match them, compute, print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.comparison import Comparison, compare
from affectllm.metrics.core.metric import Metric, find_metric
from affectllm.metrics.core.result import Result
from affectllm.metrics.core.value_forms import BadValue, missing
from affectllm.score import columns
from affectllm.score.answers import STRICT, read_answers
from affectllm.score.files import Table, read_table
from affectllm.score.text import render, render_comparisons
from affectllm.yaml_page import read_value


def score(arguments: argparse.Namespace) -> None:
    """Print the metric of one prediction file, or of several with every comparison between them.

    Raises:
        NotFound: when a metric, file or column is not there.
        Malformed: when a file cannot be read as what it is said to be.
    """
    metric = find_metric(arguments.metric)
    scored = {name: _inputs(metric, arguments, path) for name, path in _named_files(arguments.pred).items()}
    results = {name: _result(metric, arguments, *inputs) for name, inputs in scored.items()}
    comparisons = _comparisons(metric, arguments, scored) if len(scored) > 1 else []
    if not arguments.json:
        print("\n\n".join(render(metric, result, name) for name, result in results.items()))
        if comparisons:
            print("\n" + render_comparisons(comparisons))
        return
    output: Any = next(iter(results.values())).to_json()
    if len(results) > 1:
        output = {"systems": {name: result.to_json() for name, result in results.items()}}
        output["comparisons"] = [asdict(comparison) for comparison in comparisons]
    print(json.dumps(output, ensure_ascii=False, indent=2, allow_nan=False))


def _named_files(paths: Sequence[Path] | None) -> dict[str, Path | None]:
    """Map names to prediction files: the stem, or the whole path where two stems are equal."""
    if not paths:
        return {"": None}
    plain = [path.stem for path in paths]
    names = plain if len(set(plain)) == len(plain) else [str(path) for path in paths]
    if len(set(names)) < len(names):
        raise Malformed("the same prediction file is given twice", do="give each file once")
    return dict(zip(names, paths, strict=True))


Inputs = tuple[list[Any] | None, list[Any] | None, dict[str, Any], dict[str, float], Callable[[bool, int], str]]


def _inputs(metric: Metric, arguments: argparse.Namespace, path: Path | None) -> Inputs:
    """Return gold values, answers, keyword arguments, counts of what matching left out, and where a value stands."""
    gold, predicted = _sides(metric, arguments, path)
    options = options_of(metric, arguments)
    if gold is None or predicted is None:
        only = gold or predicted
        assert only is not None  # a metric takes at least one side
        values = list(only.values.values())
        keyed = {**options, **_per_item(arguments, only, only, list(only.rows))}
        alone = only.table.places(only.values)
        return (*((values, None) if gold else (None, values)), keyed, {}, lambda _, row: alone(row))
    ids, left_out = columns.joined(gold, predicted, partial=arguments.partial, extra=arguments.compat is not None)
    truth = [gold.values[gold.rows[name]] for name in ids]
    answers = [predicted.values[predicted.rows[name]] for name in ids]
    truth = _from_numbers(metric, truth, arguments.labels)
    if arguments.read is None:
        answers = _from_numbers(metric, answers, arguments.labels)
        _warn_of_spelling(metric, truth, answers)
    else:
        reading_options = (arguments.labels, options.get("bounds"))
        answers, unread = read_answers(arguments.read, metric.form.name, answers, truth, *reading_options)
        left_out |= unread
        if arguments.read != STRICT:
            options.pop("labels", None)  # a published reader may answer with what is no label at all

    # Both tables are as large as what is scored: only where each value stood is kept of them.
    places = {
        of_gold: side.table.places(side.rows[name] for name in ids)
        for of_gold, side in ((True, gold), (False, predicted))
    }
    keyed = {**options, **_per_item(arguments, gold, predicted, ids)}
    return truth, answers, keyed, left_out, lambda of_gold, row: places[of_gold](row)


def _sides(
    metric: Metric, arguments: argparse.Namespace, path: Path | None
) -> tuple[columns.Side | None, columns.Side | None]:
    """Return the gold side and the predicted one, each None where the metric does not take it."""
    gold = _chosen(metric, arguments, arguments.gold, gold=True) if metric.takes != "predicted" else None
    predicted = _chosen(metric, arguments, path, gold=False) if metric.takes != "gold" else None
    if gold and predicted and gold[1] is None and predicted[1] is None:
        shared = columns.shared_ids(gold[0], predicted[0], (gold[2], predicted[2]))
        gold, predicted = (gold[0], shared, gold[2]), (predicted[0], shared, predicted[2])
    read = arguments.read is not None
    return (
        gold and columns.side(gold[0], metric, gold[1], gold[2], gold=True),
        predicted and columns.side(predicted[0], metric, predicted[1], predicted[2], gold=False, raw=read),
    )


def _chosen(
    metric: Metric, arguments: argparse.Namespace, path: Path | None, *, gold: bool
) -> tuple[Table, str | None, str]:
    """Return a table, its column of ids and its column of values."""
    flag = "--gold" if gold else "--pred"
    if path is None:
        raise Malformed(f"{metric.name} needs {flag} FILE", do=f"give {flag}")
    table = _table(arguments, path)
    ids = columns.id_column(table, arguments.id if gold or arguments.pred_id is None else arguments.pred_id)
    asked = arguments.gold_column if gold else arguments.pred_column
    return table, ids, columns.value_column(table, asked, metric, gold=gold, ids=ids)


def _table(arguments: argparse.Namespace, path: Path) -> Table:
    return read_table(
        path,
        header=not arguments.no_header,
        encoding=arguments.encoding,
        sheet=arguments.sheet,
        allow_pickle=arguments.allow_pickle,
    )


def _per_item(
    arguments: argparse.Namespace, gold: columns.Side, predicted: columns.Side, ids: Sequence[str]
) -> dict[str, list[Any]]:
    """Return the metric's own columns and the clusters, from the gold table, or ``predicted_…`` from the predictions.

    A column that only the gold table has is taken from there, whatever it is for; a separate table is matched by id.
    """
    pairs = dict(_pair(text, "--column") for text in arguments.column)
    if arguments.cluster:
        pairs["clusters"] = arguments.cluster
    values = {}
    for name, column in pairs.items():
        side = predicted if name.startswith("predicted_") and column in predicted.table.columns else gold
        if column in side.table.columns:
            values[name] = [side.table.columns[column][side.rows[item]] for item in ids]
        elif Path(column).exists():
            values[name] = columns.matched(_table(arguments, Path(column)), ids)
        else:
            raise columns.no_column(side.table, column)
    if "clusters" in values:
        values["clusters"] = _clusters(values["clusters"], pairs["clusters"])
    return values


def _clusters(values: Sequence[Any], column: str) -> list[Any]:
    """Return the clusters; an item whose speaker or dialogue is unknown is one of its own, as in an evaluation."""
    unknown = {row for row, value in enumerate(values) if value is None or value != value or not str(value).strip()}
    if unknown:
        print(f"{len(unknown)} of {len(values)} items have no {column}: each is a cluster of its own", file=sys.stderr)
    return [("unknown", row) if row in unknown else value for row, value in enumerate(values)]


def _from_numbers(metric: Metric, values: list[Any], labels: Sequence[str]) -> list[Any]:
    """Convert class numbers to names, where ``--labels`` gives names and every value is a number."""
    if not labels or metric.form.name not in ("label", "raw", "set"):
        return values
    flat = {str(item) for value in values for item in _several(value)}
    if not all(item.isdigit() and int(item) < len(labels) for item in flat) or flat <= set(labels):
        return values
    names = [[labels[int(item)] for item in _several(value)] for value in values]
    return [
        several if isinstance(value, (list, tuple)) else (several or [value])[0]
        for value, several in zip(values, names, strict=True)
    ]


def _several(value: Any) -> Sequence[Any]:
    if isinstance(value, (list, tuple)):
        return value
    return () if missing(value) else (value,)


def _warn_of_spelling(metric: Metric, truth: list[Any], answers: list[Any]) -> None:
    """Warn where labels of the two sides differ in case only: they are different labels, which is rarely meant."""
    if metric.form.name not in ("label", "set"):
        return
    gold, answered = ({str(item).strip() for value in side for item in _several(value)} for side in (truth, answers))
    spellings = {label.casefold(): label for label in gold}
    for label in sorted(answered - gold):
        if label.casefold() in spellings:
            message = f"{label!r} of the predictions and {spellings[label.casefold()]!r} of gold are different labels"
            print(f"warning: {message}; --read strict takes them for one", file=sys.stderr)
            return


def options_of(metric: Metric, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments of the metric that the command line gives.

    Raises:
        Malformed: when one is not ``KEY=VALUE`` with a value in YAML, or the metric needs tables and none are given.
    """
    options = {key: _loaded(key, text) for key, text in (_pair(text, "--option") for text in arguments.option)}
    if arguments.labels:
        options["labels"] = tuple(arguments.labels)
    if arguments.compat:
        options["compat"] = arguments.compat
    if "tables" in metric.options:
        options["tables"] = _tables(metric, arguments)
    if "judge" in metric.options:
        from affectllm.score.judging import judge_of

        options["judge"] = judge_of(metric, arguments)
    return options


def _loaded(key: str, text: str) -> Any:
    try:
        return read_value(text, f"--option {key}")
    except Malformed as error:
        raise Malformed(f"--option {key}: {text[:80]!r} is no YAML value: {error.what}", do=error.do) from error


def _tables(metric: Metric, arguments: argparse.Namespace) -> Any:
    from affectllm.metrics.wheels import read_tables

    if arguments.tables is None:
        message = f"{metric.name} needs the published emotion wheel tables, which no one may ship"
        raise Malformed(message, do="give their folder: --tables DIR --tables-version 2025|2026")
    return read_tables(arguments.tables, arguments.tables_version)


def _pair(text: str, flag: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise Malformed(f"{flag} {text!r} is not KEY=VALUE", do=f"write {flag} key=value")
    return key, value


def _result(
    metric: Metric,
    arguments: argparse.Namespace,
    gold: list[Any] | None,
    predicted: list[Any] | None,
    options: Mapping[str, Any],
    left_out: Mapping[str, float],
    place: Callable[[bool, int], str],
) -> Result:
    computation = {"invalid": arguments.invalid, "resamples": arguments.resamples, "seed": arguments.seed}
    try:
        result = metric(gold, predicted, **computation, **options)
    except BadValue as error:
        raise Malformed(error.what, where=place(error.gold, error.row), do=error.do) from error
    aligned = {"read": arguments.read, "partial": arguments.partial}
    settings = {**result.settings, **{name: value for name, value in aligned.items() if value}}
    return replace(result, coverage={**result.coverage, **left_out}, settings=settings)


def _comparisons(metric: Metric, arguments: argparse.Namespace, scored: Mapping[str, Inputs]) -> list[Comparison]:
    first = next(iter(scored.values()))
    gold, options = first[0], dict(first[2])
    if gold is None or any(inputs[0] != gold for inputs in scored.values()):
        print("no comparison: the files do not answer the same items", file=sys.stderr)
        return []
    systems = {name: inputs[1] or [] for name, inputs in scored.items()}
    clusters = options.pop("clusters", None)
    return compare(metric, gold, systems, clusters=clusters, correction=arguments.correction, **options)
