"""affectllm publish: put a run, a merged model or a mixture on the Hugging Face Hub, with a card."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "folder of a run, of `affectllm merge`, or of `affectllm build` for a mixture"
    parser.add_argument("run", type=Path, metavar="FOLDER", help=text)
    parser.add_argument("--repo-id", required=True, metavar="USER/NAME")
    parser.add_argument("--private", action="store_true", help="create a private repository")
    parser.add_argument("--dry-run", action="store_true", help="write the folder only, and list what is in it")
    text = "who gets the files: whoever agrees to the terms (auto), or whom you accept (manual); default: all"
    parser.add_argument("--gated", choices=("auto", "manual"), help=text)
    text = "what they agree to (default: the terms of the corpora)"
    parser.add_argument("--gate-text", default="", metavar="WORDS", help=text)
    root_option(parser)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.report.publish import listing, publish
    from affectllm.report.runfolder import roots_at_hand

    roots = roots_at_hand([arguments.run], Roots.parse(arguments.root))
    options = {"private": arguments.private, "gate": arguments.gated, "gate_words": arguments.gate_text}
    place = publish(arguments.run, arguments.repo_id, roots=roots, dry_run=arguments.dry_run, **options)
    print(place)
    if isinstance(place, Path):
        print(listing(place))
