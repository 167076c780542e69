"""affectllm score: score a table of predictions against a table of gold values."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--metric", required=True, metavar="NAME", help="see `affectllm ls metrics`")
    formats = "CSV, TSV, xlsx, JSON (Lines), Parquet, save_to_disk or npz"
    parser.add_argument("--gold", type=Path, metavar="FILE", help=f"gold values: {formats}")
    parser.add_argument("--pred", type=Path, action="append", metavar="FILE", help="predictions; repeat to compare")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    _columns(parser)
    _answers(parser)
    _wheels_and_judges(parser)
    _statistics(parser)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.score.command import score

    score(arguments)


def _columns(parser: argparse.ArgumentParser) -> None:
    text = "column that names the items, or A,B together (default: id, name, filename …)"
    parser.add_argument("--id", metavar="COLUMN", help=text)
    parser.add_argument("--pred-id", metavar="COLUMN", help="the same, where the predictions call it otherwise")
    parser.add_argument("--gold-column", metavar="COLUMN", help="column of the gold values; A,B,C for one per label")
    parser.add_argument("--pred-column", metavar="COLUMN", help="column of the predictions")
    parser.add_argument("--cluster", metavar="COLUMN", help="column of speakers or dialogues, which intervals resample")
    text = "a column that the metric takes per item, from the gold table; predicted_… from the predictions; or a table"
    parser.add_argument("--column", action="append", default=[], metavar="KEY=COLUMN", help=text)
    parser.add_argument("--partial", action="store_true", help="leave out items that one side lacks, and count them")
    parser.add_argument("--no-header", action="store_true", help="the tables have no header; columns are 1, 2, 3 …")
    text = "of text files that have no mark and are not UTF-8, such as latin-1 or shift_jis"
    parser.add_argument("--encoding", help=text)
    parser.add_argument("--sheet", default="", metavar="NAME", help="the sheet of a workbook that has several")
    parser.add_argument("--allow-pickle", action="store_true", help="read npz arrays of objects (plain values only)")


def _answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=_names, default=(), metavar="A,B,C", help="the label space, in order")
    text = "read free-text answers first: strict, or as a named system does"
    parser.add_argument("--read", metavar="READER", help=text)
    parser.add_argument("--compat", metavar="SYSTEM", help="compute what a published evaluator computes")
    parser.add_argument("--invalid", default="wrong", metavar="POLICY", help="wrong (default), drop or default:ANSWER")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="an option of the metric")


def _wheels_and_judges(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tables", type=Path, metavar="DIR", help="folder of the emotion wheel tables")
    parser.add_argument("--tables-version", default="2025", choices=("2025", "2026"), help="their form (default: 2025)")
    parser.add_argument("--judge-url", metavar="URL", help="OpenAI-compatible endpoint that judges")
    parser.add_argument("--judge-model", metavar="MODEL", help="its model, or a local folder without --judge-url")
    parser.add_argument("--judge-key-env", metavar="NAME", help="environment variable that holds the endpoint's key")
    parser.add_argument("--judge-store", type=Path, metavar="FILE", help="where judgements are kept and read again")


def _statistics(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--resamples",
        type=int,
        default=1000,
        metavar="N",
        help="of the bootstrap, from 1,000 clusters on (default: 1000)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    corrections = ("holm", "benjamini_hochberg", "none")
    parser.add_argument("--correction", default="holm", choices=corrections, help="for several comparisons")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
