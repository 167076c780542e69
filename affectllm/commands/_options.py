"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path


def root_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", action="append", default=[], metavar="NAME=DIR", help="where a corpus lies; repeatable"
    )


def set_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )


def recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that takes a recipe."""
    parser.add_argument("recipe", help="name (see `affectllm ls recipes`) or path of a YAML file")
    set_option(parser)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/RECIPE)")
    parser.add_argument("--num-processes", type=int, metavar="N", help="processes of the launch configuration")
