"""affectllm leaderboard: all runs below a folder on one page, with intervals, groups and remarks."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of runs and evaluations, at any depth")
    text = "where to write leaderboard.html, .md and .json (default: FOLDER)"
    parser.add_argument("--out", type=Path, metavar="DIR", help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.boards.leaderboard import write_leaderboard

    print(write_leaderboard(arguments.folder, arguments.out))
