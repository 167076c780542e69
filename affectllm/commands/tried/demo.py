"""affectllm demo: try a model in the browser, by camera, microphone, file or words; compare two of them blindly."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import MODEL, loading_options


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="MODEL", help=MODEL)
    loading_options(parser)
    parser.add_argument("--against", metavar="MODEL", help="a second model, to be compared with the first blindly")
    text = "its --model_args, where it is affectllm-api"
    parser.add_argument("--against-args", action="append", metavar="NAME=VALUE,…", help=text)
    parser.add_argument("--against-adapter", metavar="DIR", help="its --adapter")
    text = "what is asked at first: see `affectllm ls templates` (default: emotion_choice)"
    parser.add_argument("--template", default="emotion_choice", metavar="NAME", help=text)
    text = "the labels at first, or a shared space such as sentiment_3 (default: those of the template)"
    parser.add_argument("--labels", default="", metavar="A,B,C", help=text)
    parser.add_argument("--language", default="en", metavar="TAG", help="of question and answer (default: en)")
    text = "file in which votes are kept (default: votes.jsonl)"
    parser.add_argument("--votes", type=Path, default=Path("votes.jsonl"), metavar="FILE", help=text)
    text = "print the table of the votes in FILE, with intervals, and serve nothing"
    parser.add_argument("--standings", type=Path, metavar="FILE", help=text)
    text = "address to serve on (default: 127.0.0.1, which no other machine reaches)"
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help=text)
    parser.add_argument(
        "--port", type=int, metavar="N", help="port to serve on (default: the first free one from 7860)"
    )
    text = "write the folder of a Hugging Face Space that serves this page, and serve nothing"
    parser.add_argument("--space", type=Path, metavar="DIR", help=text)
    text = "with --space: how the Space installs affectllm (default: this version, from PyPI)"
    parser.add_argument("--package", default="", metavar="SPEC", help=text)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.demo.command import run_demo

    run_demo(arguments)
