"""``accelerate launch -m affectllm.evaluate …`` and ``torchrun -m affectllm.evaluate …``: several processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from affectllm.evaluate.harness import lm_eval_main
from affectllm.exits import exit_status
from affectllm.processes import end_with_owner, leave_together


def main(words: Sequence[str]) -> int:
    """Score, end together with the other processes of the launch, and return the exit status."""
    end_with_owner()

    def body() -> int:
        lm_eval_main(words)
        leave_together()
        return 0

    return exit_status(body)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
