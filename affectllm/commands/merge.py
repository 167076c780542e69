"""affectllm merge: merge the adapter of a run into its base model, and check that it answers alike."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "a run, a training, or an adapter (folder or Hub id)"
    parser.add_argument("run", metavar="RUN", help=text)
    parser.add_argument("--to", required=True, type=Path, metavar="DIR", help="folder to write")
    text = "the base model, where the adapter's own name of it leads nowhere"
    parser.add_argument("--base", metavar="MODEL", help=text)
    parser.add_argument("--dtype", default="auto", help="of the weights (default: the base model's own)")
    text = "quantise the language model with bitsandbytes; the card lists what is kept whole"
    parser.add_argument("--quantize", choices=("4bit", "8bit"), help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.cards.merged import merge, summary

    options = {"base": arguments.base, "dtype": arguments.dtype, "quantize": arguments.quantize}
    print(summary(merge(arguments.run, arguments.to, **options), arguments.to))
