"""affectllm publish: put a run on the Hugging Face Hub, with a card."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--repo-id", required=True, metavar="USER/NAME")
    parser.add_argument("--private", action="store_true", help="create a private repository")
    parser.add_argument("--dry-run", action="store_true", help="write the folder only, and say where")
    root_option(parser)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.corpus.roots import Roots
    from affectllm.report.publish import publish
    from affectllm.report.runfolder import roots_at_hand

    roots = roots_at_hand([arguments.run], Roots.parse(arguments.root))
    options = {"dry_run": arguments.dry_run, "private": arguments.private}
    print(publish(arguments.run, arguments.repo_id, roots=roots, **options))
