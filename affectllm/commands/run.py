"""affectllm run: build, train, score and report a recipe."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import recipe_options as add_options

__all__ = ["add_options", "call"]


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.pipeline import run
    from affectllm.corpus.roots import Roots

    run(arguments.recipe, arguments.set, Roots.parse(arguments.root), arguments.out, arguments.num_processes)
