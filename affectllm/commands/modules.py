"""affectllm modules: write the metrics as modules of Hugging Face evaluate."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("names", nargs="*", metavar="NAME", help="metrics (default: all)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.metrics.evaluate_modules import write_modules

    written = write_modules(arguments.folder, arguments.names)
    print(f"{len(written)} modules in {arguments.folder}; load one with evaluate.load({str(written[0])!r})")
