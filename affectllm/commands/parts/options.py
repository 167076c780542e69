"""Options that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

MODEL = "Hub id, folder of a model, an adapter or a run, tiny:<family>, or affectllm-api for one behind an endpoint"


def root_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--root", action="append", default=[], metavar="NAME=DIR", help="where a corpus lies; repeatable"
    )


def set_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )


def recipe_options(
    parser: argparse.ArgumentParser, processes: str = "processes that train, and score (default: of the launch page)"
) -> None:
    """Add the options of a command that takes a recipe.

    Args:
        processes: what ``--num-processes`` counts, and its default.
    """
    parser.add_argument("recipe", help="name (see `affectllm ls recipes`) or path of a YAML file")
    set_option(parser)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/RECIPE)")
    parser.add_argument("--num-processes", type=int, metavar="N", help=processes)


def model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a command that loads a model."""
    parser.add_argument("--model", required=True, metavar="MODEL", help=MODEL)
    loading_options(parser)


def loading_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how a model is loaded, whatever names it."""
    text = "of affectllm-api, as in eval: base_url=URL,model=NAME,profile=NAME,concurrency=N,dry_run=true …"
    parser.add_argument("--model_args", "--model-args", action="append", metavar="NAME=VALUE,…", help=text)
    parser.add_argument("--adapter", metavar="DIR", help="a PEFT adapter to put on it")
    parser.add_argument("--processor", metavar="MODEL", help="whose processor is used, where the model has none")
    parser.add_argument("--dtype", default="auto", help="torch dtype (default: the checkpoint's own)")
    parser.add_argument("--device", help="such as cuda:0 (default: a GPU where there is one)")
    parser.add_argument("--quantize", choices=("4bit", "8bit"), help="load with bitsandbytes")
    parser.add_argument("--system", default="", metavar="TEXT", help="system prompt (default: the family's own)")
    text = "media budget: fps, max_frames, max_pixels, min_pixels, max_seconds, long"
    parser.add_argument("--budget", action="append", default=[], metavar="KEY=VALUE", help=text)
