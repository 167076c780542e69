"""affectllm report: one HTML page about one or several runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: report.html in the first run)"
    )
    parser.add_argument(
        "--export",
        type=Path,
        metavar="DIR",
        help="also write tables (CSV, LaTeX) and figures (PNG, PDF, SVG) there",
    )
    root_option(parser)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.report.html import render_report
    from affectllm.report.runfolder import roots_at_hand

    roots = roots_at_hand(arguments.runs, Roots.parse(arguments.root))
    print(render_report(arguments.runs, arguments.out, roots, arguments.export))
