"""affectllm converse: let a model talk with simulated users, and score what they feel; or compare such runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "a YAML page: model, simulator, personas; with --compare, run folders"
    parser.add_argument("page", nargs="+", type=Path, metavar="PAGE", help=text)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/converse/PAGE)")
    text = "compare finished runs, paired by user; two simulators are refused"
    parser.add_argument("--compare", action="store_true", help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.empathy.converse import SCORES, compare_talks, run_converse
    from affectllm.errors import AffectError, placed

    if arguments.compare:
        for one in compare_talks(arguments.page):
            interval = "no interval" if one.low is None else f"[{one.low:+.1f}, {one.high:+.1f}]"
            print(f"{one.first} less {one.second}: {one.difference:+.1f} {interval}, p {one.p_corrected:.3f}")
        return
    if len(arguments.page) != 1:
        raise AffectError("several pages were named", do="give one page, or --compare and run folders")
    with placed(str(arguments.page[0])):
        folder = run_converse(arguments.page[0], arguments.out)
    print((folder / SCORES).read_text(encoding="utf-8"), end="")
