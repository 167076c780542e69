"""affectllm ls: list corpora, tasks, recipes, mixtures, templates, metrics, families and methods."""

from __future__ import annotations

import argparse

KINDS = ("corpora", "tasks", "recipes", "mixtures", "templates", "metrics", "families", "methods")


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=KINDS, type=lambda word: "families" if word == "backbones" else word)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.terminal.lists import ls

    ls(arguments.kind)
