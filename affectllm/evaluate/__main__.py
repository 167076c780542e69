"""``accelerate launch -m affectllm.evaluate …`` and ``torchrun -m affectllm.evaluate …``: several processes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from affectllm.errors import AffectError
from affectllm.evaluate.harness import lm_eval_main


def main(words: Sequence[str]) -> None:
    """Score, and take leave of the other processes: threads of a group that is still open may abort the exit."""
    try:
        lm_eval_main(words)
    except AffectError as error:
        sys.exit(f"error: {error}")
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1:])
