"""affectllm speak: let a checkpoint's own talker speak replies, as clips that `affectllm fidelity` judges."""

from __future__ import annotations

import argparse
from pathlib import Path

from affectllm.commands.parts.options import root_option


def add_options(parser: argparse.ArgumentParser) -> None:
    text = "a YAML page: a model that speaks, and replies of a table, an evaluation or talks"
    parser.add_argument("page", type=Path, metavar="PAGE", help=text)
    root_option(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="run folder (default: runs/speak/PAGE)")


def call(arguments: argparse.Namespace) -> int:
    from affectllm.corpus.roots import Roots
    from affectllm.empathy.speak import SPOKEN, run_speak
    from affectllm.errors import placed
    from affectllm.run import require

    roots = Roots.parse(arguments.root)
    with placed(str(arguments.page)):
        folder = run_speak(arguments.page, arguments.out, roots)
    outputs = require(folder, "speak")["outputs"]
    counts = outputs["replies"]
    print(", ".join(f"{count:,} × {what}" for what, count in counts.items()))
    if errors := outputs.get("word_error_rate"):
        interval = "no interval" if errors["low"] is None else f"[{errors['low']:.3f}, {errors['high']:.3f}]"
        print(f"word error rate {errors['value']:.3f} {interval}, heard by {errors['heard_by']}")
    print(folder / SPOKEN)
    return 0 if counts["spoken"] else 1
