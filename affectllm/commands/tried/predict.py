"""affectllm predict: ask a model about clips, folders, tables or texts: labels, likelihoods, explanations."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import model_options


def add_options(parser: argparse.ArgumentParser) -> None:
    what = "a clip, a folder of clips, or a table of clips and texts (CSV, TSV, xlsx, JSON Lines, Parquet)"
    parser.add_argument("clip", nargs="*", metavar="CLIP", help=what)
    parser.add_argument("--text", action="append", default=[], metavar="WORDS", help="words to ask about; repeatable")
    model_options(parser)
    _question(parser)
    _tables(parser)
    text = "items that weights are asked about at once (default: auto, as many as fit); an endpoint takes concurrency=N"
    parser.add_argument("--batch-size", metavar="N", help=text)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object a line")
    form.add_argument("--csv", action="store_true", help="print a CSV table")
    text = "folder in which answers are kept, so that none is asked twice (default: predict/ in the cache folder)"
    parser.add_argument("--answers", type=Path, metavar="DIR", help=text)


def call(arguments: argparse.Namespace) -> int:
    from affectllm.predict.command import run_predict

    return run_predict(arguments)


def _question(parser: argparse.ArgumentParser) -> None:
    text = "what is asked: see `affectllm ls templates`, or a YAML page (default: emotion_choice)"
    parser.add_argument("--template", default="emotion_choice", metavar="NAME", help=text)
    text = "the labels, or a shared space such as sentiment_3 (default: ekman_6_neutral: anger, disgust, fear, "
    parser.add_argument("--labels", metavar="A,B,C", help=text + "happiness, sadness, surprise, neutral)")
    text = "range of the numbers of a template that asks for some (default: -1 1)"
    parser.add_argument("--bounds", nargs=2, type=float, metavar=("LOW", "HIGH"), help=text)
    parser.add_argument("--language", default="en", metavar="TAG", help="of question and answer (default: en)")
    parser.add_argument("--paraphrase", type=int, default=0, metavar="N", help="which wording is asked (default: 0)")
    text = "show only these of video,audio,image,text (default: all that the model takes)"
    parser.add_argument("--modalities", metavar="M,N", help=text)
    parser.add_argument("--explain", action="store_true", help="ask for the reasons after each answer")


def _tables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clip-column", default="", metavar="A,B", help="columns of clips (default: clip, path, file …)"
    )
    parser.add_argument(
        "--text-column", default="", metavar="NAME", help="column of words (default: text, utterance …)"
    )
    parser.add_argument("--id-column", default="", metavar="NAME", help="column of names (default: id, else the clip)")
