"""affectllm pages: write tasks and suites, their variants among them, as pages that plain lm-eval runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help="tasks and suites (default: all)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.evaluate.plain.pages import write_pages

    written = write_pages(arguments.folder, arguments.names)
    print(
        f"{len(written)} pages in {arguments.folder}; run one with lm_eval --include_path {arguments.folder} --tasks …"
    )
