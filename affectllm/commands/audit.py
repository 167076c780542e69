"""affectllm audit: compare a corpus on disk with what its card promises."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME")
    root_option(parser)
    parser.add_argument("--no-media", action="store_true", help="do not open clips")
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> int:
    """Return 0 when all corpora are as their cards promise, else 1."""
    from affectllm.corpus.roots import Roots
    from affectllm.report.terminal.audits import audit

    roots = Roots.parse(arguments.root)
    return int(not audit(arguments.names, roots, media=not arguments.no_media, as_json=arguments.json))
