"""affectllm gallery: a page to look at samples of a corpus, or at built conversations, with players."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a corpus, or the folder of a run or build with conversations")
    root_option(parser)
    parser.add_argument("-n", type=int, default=200, metavar="N", help="number of samples (default: 200)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page (default: runs/gallery/NAME.html, or gallery.html beside the conversations)",
    )


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.build import gallery
    from affectllm.corpus.roots import Roots

    gallery(arguments.name, Roots.parse(arguments.root), arguments.out, arguments.n)
