"""affectllm ls: list corpora, tasks, recipes, mixtures, metrics, families and more, or find some by words."""

from __future__ import annotations

import argparse

KINDS = (
    *("corpora", "tasks", "recipes", "mixtures", "templates", "metrics"),
    *("families", "methods", "rewards", "forms", "languages", "exports", "reproductions", "hints", "protocols"),
)


class _Offered(tuple[str, ...]):
    """Choices that shells complete, among other words."""

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str)


def add_options(parser: argparse.ArgumentParser) -> None:
    kinds = f"one of the lists: {', '.join(KINDS)} (default: all)"
    parser.add_argument("kind", nargs="?", metavar="KIND", choices=_Offered(KINDS), help=kinds)
    text = "only what has all of these words in its row, across all lists where no KIND is named"
    parser.add_argument("words", nargs="*", metavar="WORD", help=text)
    parser.add_argument("--json", action="store_true", help="print JSON")


def call(arguments: argparse.Namespace) -> None:
    from affectllm.report.terminal.lists import ls

    kind = "families" if arguments.kind == "backbones" else arguments.kind
    is_kind = kind is None or kind in KINDS
    words = arguments.words if is_kind else [kind, *arguments.words]
    ls(kind if is_kind else None, words, arguments.json)
