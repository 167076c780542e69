"""affectllm run: build, train, score and report a recipe."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from affectllm.commands.parts.options import recipe_options


def add_options(parser: argparse.ArgumentParser) -> None:
    recipe_options(parser)
    text = "train and score once for each of these seeds: a number of them, or such as 1,2,7; ends with mean and range"
    parser.add_argument("--seeds", type=_seeds, metavar="N|A,B", help=text)
    parser.add_argument("--json", action="store_true", help="print the scores of everything that answered as JSON")


def _seeds(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of seeds nor seeds with commas between")
    seeds = list(range(1, int(text) + 1)) if len(words) == 1 else [int(word) for word in words]
    if len(set(seeds)) < 2:
        raise argparse.ArgumentTypeError(f"{text!r} is one seed or none, which show no spread: --set seed={text}")
    return seeds


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.pipeline import run
    from affectllm.corpus.roots import Roots

    roots = Roots.parse(arguments.root)
    options = {"tell": lambda line: None} if arguments.json else {}
    overrides = arguments.set
    if arguments.seeds:
        overrides = [*overrides, f"matrix.seed={json.dumps(arguments.seeds)}"]
    reports = run(arguments.recipe, overrides, roots, arguments.out, arguments.num_processes, **options)
    if arguments.json:
        print(json.dumps([_scores(report) for report in reports], ensure_ascii=False))


def _scores(report: Path) -> dict[str, Any]:
    from affectllm.report.runfolder import read_run
    from affectllm.report.scoretable import evaluations

    scores = {model: dict(one.scores) for one, model in evaluations(read_run(report.parent))}
    return {"report": str(report), "scores": scores}
