"""affectllm reproduce: score published predictions, and compare with the number that was published."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "name (see `affectllm ls reproductions`) or path of a YAML file; all of them where none is named"
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=text)
    text = "where the files of a page, or a corpus, lie; repeatable"
    parser.add_argument("--root", action="append", default=[], metavar="NAME=DIR", help=text)
    parser.add_argument("--json", action="store_true", help="print JSON")
    text = "keep what was seen beside the page, as NAME.json: values, counts and hashes"
    parser.add_argument("--record", action="store_true", help=text)


def call(arguments: argparse.Namespace) -> int:
    """Return 1 when a value is neither the published one nor explained, or nothing of the pages could be run."""
    from affectllm.score.ledger.command import reproduce

    return reproduce(arguments)
