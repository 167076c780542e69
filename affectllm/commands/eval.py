"""affectllm eval: start lm-eval with our tasks and models; takes all of lm-eval's options."""

from __future__ import annotations

from collections.abc import Sequence


def pass_on(words: Sequence[str]) -> int:
    """Parse our options, and pass all other arguments to lm-eval's own parser."""
    from affectllm.commands.parts.scoring import score_tasks
    from affectllm.evaluate import harness

    if harness.scores(words):
        score_tasks(words)
    else:
        harness.lm_eval_main(words)
    return 0
