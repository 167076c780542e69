"""affectllm hint: make a table of hints for prompts: what small models and tools find in each sample of a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option, set_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", metavar="PAGE", help="name of a page in recipes/hints/, or path of a YAML file")
    set_option(parser)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/hints/PAGE)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.errors import placed
    from affectllm.hinting.make import make_hints
    from affectllm.hinting.page import load_hint_page
    from affectllm.hints.table import FILE, FOLDER

    page = load_hint_page(arguments.page, arguments.set)
    root = Roots.parse(arguments.root).find(page.corpus)
    with placed(arguments.page):
        outputs = make_hints(page, root, arguments.out)
    for split, counts in outputs["hints"].items():
        print(f"{split}: " + ", ".join(f"{count:,} {reason}" for reason, count in counts.items()))
    if outputs.get("unused"):  # a table of an earlier version has none
        print("not used: " + ", ".join(f"{count:,} {reason}" for reason, count in outputs["unused"].items()))
    print(f"hints: {(arguments.out or FOLDER / page.name) / FILE}")
