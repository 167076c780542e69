"""affectllm init: begin a project of one's own: a corpus, a question, a task and a recipe, with sample clips."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder to make; it must be new or empty")
    parser.add_argument("--name", help="name of the corpus, the task and the recipe (default: my_corpus)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.project import begin
    from affectllm.voice import tell

    steps = begin(arguments.folder, arguments.name or "my_corpus")
    tell(f"{arguments.folder}: written; next")
    print("\n".join(steps))
