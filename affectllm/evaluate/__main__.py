"""``accelerate launch -m affectllm.evaluate …`` and ``torchrun -m affectllm.evaluate …``: several processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from affectllm.errors import AffectError
from affectllm.evaluate.harness import lm_eval_main
from affectllm.processes import leave_together


def main(words: Sequence[str]) -> None:
    """Score, and take leave of the other processes."""
    try:
        lm_eval_main(words)
    except AffectError as error:
        sys.exit(f"error: {error}")
    leave_together()


if __name__ == "__main__":
    main(sys.argv[1:])
