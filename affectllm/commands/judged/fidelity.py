"""affectllm fidelity: judge generated clips by models held to account on real ones, and score them."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("page", type=Path, metavar="PAGE", help="a YAML page: a table of clips, and judges")
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/fidelity/PAGE)")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.errors import placed
    from affectllm.fidelity.run import Fidelity
    from affectllm.fidelity.shown import write_fidelity

    roots = Roots.parse(arguments.root)
    with placed(str(arguments.page)):
        folder = Fidelity(arguments.page, roots, arguments.out).run()
    print(write_fidelity(folder))
    print(folder / "fidelity.html")
