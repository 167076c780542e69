"""affectllm ls: list corpora, tasks, recipes, mixtures, templates, metrics, families, methods, forms and more."""

from __future__ import annotations

import argparse

KINDS = (
    *("corpora", "tasks", "recipes", "mixtures", "templates", "metrics"),
    *("families", "methods", "forms", "languages", "exports", "reproductions", "hints"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", choices=KINDS, type=lambda word: "families" if word == "backbones" else word)


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.terminal.lists import ls

    ls(arguments.kind)
