"""affectllm compare: runs on the same items, paired, corrected for the number of comparisons, ties grouped."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "folders of `affectllm run`, or of evaluations"
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help=text)
    parser.add_argument("--tasks", metavar="A,B", help="tasks to compare (default: those that all runs have)")
    parser.add_argument("--metric", metavar="NAME", help="metric of the task (default: its headline)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.boards.comparison import board, rendered, rendered_json
    from affectllm.report.boards.folders import evaluations, shared_tasks

    folders = evaluations(arguments.runs)
    boards = [board(folders, task, arguments.metric) for task in shared_tasks(folders, arguments.tasks)]
    print(rendered_json(boards) if arguments.json else rendered(boards))
