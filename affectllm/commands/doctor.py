"""affectllm doctor: say what of this machine matters, and what to do about it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from affectllm.commands.parts.options import set_option


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "a recipe whose needs of space are compared with what is free"
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help=text)
    set_option(parser)
    parser.add_argument("--online", action="store_true", help="ask the Hub what the token may do")
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    """Return 1 where something has to be repaired, else 0."""
    from affectllm.model.doctoring.doctor import doctor, render

    checks = []
    if arguments.recipe:
        from affectllm.commands.parts.space import check_space
        from affectllm.train.recipe import load_recipe

        checks = [check_space(load_recipe(arguments.recipe, arguments.set))]
    checks = [*doctor(online=arguments.online), *checks]
    print(json.dumps([asdict(check) for check in checks], ensure_ascii=False) if arguments.json else render(checks))
    return int(any(check.status == "fail" for check in checks))
