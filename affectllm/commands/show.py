"""affectllm show: show a corpus, task, recipe, mixture, template, metric, method, reward …, with samples at hand."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name", nargs="+", metavar="NAME", help="a name; `task NAME`, `metric NAME` … where several things have it"
    )
    parser.add_argument("-n", type=int, default=2, metavar="N", help="number of samples")
    root_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.report.terminal.shown import show

    show(arguments.name, arguments.n, Roots.parse(arguments.root), arguments.json)
