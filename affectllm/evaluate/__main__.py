"""``accelerate launch -m affectllm.evaluate …`` and ``torchrun -m affectllm.evaluate …``: several processes."""

from __future__ import annotations

import sys

from affectllm.errors import AffectError
from affectllm.evaluate.harness import lm_eval_main

if __name__ == "__main__":
    try:
        lm_eval_main(sys.argv[1:])
    except AffectError as error:
        sys.exit(f"error: {error}")
