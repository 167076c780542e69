"""affectllm annotate: let models describe, label, filter and write samples, by the steps of a page."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option, set_option

_EPILOG = """\
examples:
  affectllm annotate demo --dry-run               requests, tokens, money and time, before anything is asked
  affectllm annotate my_page.yaml                 run it; killed and started again, it goes on where it was
  affectllm annotate my_page.yaml --shard 2/8     ask the second of eight parts, on one of eight machines
  affectllm annotate --agreement anna.csv ben.csv agreement of people who rated the exported items
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = _EPILOG, argparse.RawDescriptionHelpFormatter
    what = "a YAML page of models and steps, or the name of one that ships: demo, demo_statements"
    parser.add_argument("page", nargs="?", metavar="PAGE", help=what)
    set_option(parser)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/NAME)")
    text = "folder in which answers are kept, so that none is asked twice (default: annotate/NAME in the cache folder)"
    parser.add_argument("--answers", type=Path, metavar="DIR", help=text)
    parser.add_argument("--dry-run", action="store_true", help="estimate the costs; nothing is asked")
    parser.add_argument("--shard", metavar="I/N", help="only ask what the I-th of N parts of the samples needs")
    text = "tables of ratings, one a person, as the rating page saves them: say how far they agree"
    parser.add_argument("--agreement", nargs="+", type=Path, metavar="FILE", help=text)
    text = "with --agreement: the answers in their order, for the ordinal agreement"
    parser.add_argument("--scale", metavar="A,B,C", help=text)


def call(arguments: argparse.Namespace) -> int:
    from affectllm.errors import AffectError, placed

    if arguments.agreement:
        from affectllm.annotate.rating.agreement import print_agreement

        print_agreement(arguments.agreement, [one.strip() for one in (arguments.scale or "").split(",") if one.strip()])
        return 0
    if not arguments.page:
        raise AffectError("there is no page", do="give PAGE, or --agreement FILE …")
    from affectllm.annotate.command import run_annotate

    with placed(arguments.page):
        run_annotate(arguments)
    return 0
