"""affectllm leaks: say what a recipe or a mixture trains on and tasks score; exits with 1 if anything."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import root_option, set_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a recipe or a mixture (see `affectllm ls`)")
    tasks = "tasks or groups, or corpora for their test splits (default: the recipe's, or all tasks of corpora at hand)"
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=tasks)
    set_option(parser)
    root_option(parser)
    least = "least share of the shorter text's words, weighted by rarity, in near-duplicates (default: 0.5)"
    parser.add_argument("--threshold", type=float, default=0.5, metavar="S", help=least)
    decoded = "decode all clips and compare what is heard and seen (some 100 sounds or 10 films a second); else bytes"
    parser.add_argument("--thorough", action="store_true", help=decoded)
    parser.add_argument("--no-media", action="store_true", help="do not compare the content of clips")
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    from affectllm.corpus.roots import Roots
    from affectllm.report.leaks import leaks

    options = {"media": not arguments.no_media, "thorough": arguments.thorough, "as_json": arguments.json}
    options["threshold"] = arguments.threshold
    return leaks(arguments.name, arguments.tasks, arguments.set, Roots.parse(arguments.root), **options)
