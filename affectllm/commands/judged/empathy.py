"""affectllm empathy: judge replies of systems by words, by the emotion in them, and by a judge in both orders."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", type=Path, metavar="PAGE", help="a YAML page: replies, metrics, a judge")
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/empathy/PAGE)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.empathy.replies import run_empathy
    from affectllm.errors import placed

    roots = Roots.parse(arguments.root)
    with placed(str(arguments.page)):
        folder = run_empathy(arguments.page, arguments.out, roots)
    print((folder / "scores.md").read_text(encoding="utf-8"), end="")
