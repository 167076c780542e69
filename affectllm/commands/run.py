"""affectllm run: build, train, score and report a recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from affectllm.commands.parts.options import recipe_options


def add_options(parser: argparse.ArgumentParser) -> None:
    recipe_options(parser)
    parser.add_argument("--json", action="store_true", help="print the scores of everything that answered as JSON")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.pipeline import run
    from affectllm.corpus.roots import Roots

    roots = Roots.parse(arguments.root)
    options = {"tell": lambda line: None} if arguments.json else {}
    reports = run(arguments.recipe, arguments.set, roots, arguments.out, arguments.num_processes, **options)
    if arguments.json:
        print(json.dumps([_scores(report) for report in reports], ensure_ascii=False))


def _scores(report: Path) -> dict[str, Any]:
    from affectllm.report.runfolder import read_run
    from affectllm.report.scoretable import evaluations

    scores = {model: dict(one.scores) for one, model in evaluations(read_run(report.parent))}
    return {"report": str(report), "scores": scores}
