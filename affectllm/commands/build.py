"""affectllm build: turn corpora into samples and conversations (a mixture, a recipe, or corpora by name)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from affectllm.commands.parts.options import root_option, set_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="one mixture or recipe, or one or more corpora")
    set_option(parser)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME)")
    parser.add_argument(
        "--stats", action="store_true", help="print and draw label distributions, lengths, what is lost"
    )
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes, at most one a core (1)")
    parser.add_argument("--only", choices=("commercial",), help="of a mixture, the corpora whose licence allows it")
    parser.add_argument("--languages", metavar="TAG,…", help="of a mixture, the samples in these languages")
    parser.add_argument("--json", action="store_true", help="print counts, paths and what is missing as JSON")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.commands.parts.build import build
    from affectllm.corpus.roots import Roots

    filters = [f"only={arguments.only}"] if arguments.only else []
    filters += [f"languages=[{arguments.languages}]"] if arguments.languages else []
    options: dict[str, Any] = {"filters": filters, "stats": arguments.stats, "workers": arguments.workers}
    options |= {"tell": lambda line: None} if arguments.json else {}
    built = build(arguments.names, arguments.set, Roots.parse(arguments.root), arguments.out, **options)
    if arguments.json:
        print(json.dumps(built, ensure_ascii=False))
