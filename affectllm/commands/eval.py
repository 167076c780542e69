"""affectllm eval: start lm-eval with our tasks and models; takes all of lm-eval's options."""

from __future__ import annotations

from collections.abc import Sequence


def pass_on(words: Sequence[str]) -> int:
    """Hand every word to lm-eval's own parser, after ours has taken its options."""
    from affectllm.evaluate.harness import lm_eval_main

    lm_eval_main(words)
    return 0
