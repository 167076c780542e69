"""affectllm completion: completion of commands and options for a shell, to be sourced by it."""

from __future__ import annotations

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    how = {
        "bash": "affectllm completion bash > ~/.local/share/bash-completion/completions/affectllm",
        "zsh": "affectllm completion zsh > DIR/_affectllm, with DIR in $fpath",
        "fish": "affectllm completion fish > ~/.config/fish/completions/affectllm.fish",
    }
    parser.add_argument("shell", choices=tuple(how), help="; ".join(how.values()))


def call(arguments: argparse.Namespace) -> None:
    import shtab

    print(shtab.complete(arguments.every_command(), arguments.shell))
