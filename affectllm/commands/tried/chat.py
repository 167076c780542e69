"""affectllm chat: talk with a model in the terminal, about clips by their paths."""

from __future__ import annotations

import argparse

from affectllm.commands.parts.options import model_options


def add_options(parser: argparse.ArgumentParser) -> None:
    model_options(parser)
    parser.add_argument("--max-new-tokens", type=int, default=256, metavar="N", help="longest reply (default: 256)")
    text = "draw words at this temperature (default: the most likely ones are taken)"
    parser.add_argument("--temperature", type=float, metavar="T", help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.predict.command import run_chat

    run_chat(arguments)
