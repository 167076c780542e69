"""affectllm compose: a vision encoder, an audio encoder and a language model as one model."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", type=Path, metavar="PAGE", help="YAML that names the checkpoints and the fusion")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.model.composite.compose import compose, load_composition

    composition = load_composition(arguments.page)
    notes = compose(composition, arguments.to)
    print(f"{arguments.to}: {composition.family}, {composition.fusion}")
    print("\n".join(f"  {note}" for note in notes))
