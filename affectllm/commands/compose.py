"""affectllm compose: a vision encoder, an audio encoder and a language model as one model."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    help_text = "name in recipes/compositions/, or a YAML page that names the checkpoints and the fusion"
    parser.add_argument("page", metavar="PAGE", help=help_text)
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="instead of what the page says")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.errors import placed
    from affectllm.model.composite.compose import compose, load_composition

    composition = load_composition(arguments.page, arguments.set)
    with placed(arguments.page):
        notes = compose(composition, arguments.to)
    print(f"{arguments.to}: {composition.family}, {composition.fusion}")
    print("\n".join(f"  {note}" for note in notes))
