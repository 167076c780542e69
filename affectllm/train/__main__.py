"""``accelerate launch -m affectllm.train RECIPE``: build where needed, then train, on every process of the launch."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from affectllm import voice
from affectllm.exits import exit_status
from affectllm.model.torchvision_ops import install
from affectllm.processes import end_with_owner, leave_together


def main(argv: list[str] | None = None) -> int:
    """Train one recipe; returns the exit status."""
    voice.settle([])
    install()  # accelerate starts this module, not the command line
    from affectllm.train.stage import add_arguments, train

    end_with_owner()
    parser = argparse.ArgumentParser(prog="affectllm.train", description=__doc__)
    add_arguments(parser)
    arguments = parser.parse_args(argv)

    def body() -> int:
        with voice.printed_aside():
            train(arguments.recipe, arguments.set, arguments.root, Path(arguments.out) if arguments.out else None)
        leave_together()
        return 0

    return exit_status(body, interrupted="")  # the command that started the launch says what to do


if __name__ == "__main__":
    sys.exit(main())
