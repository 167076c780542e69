"""``accelerate launch -m affectllm.evaluate.launched JSON``: evaluations of a run, each in all its processes."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from affectllm import voice
from affectllm.evaluate.run import Evaluation
from affectllm.exits import exit_status
from affectllm.processes import end_with_owner, is_first, leave_together


def words_for(evaluations: Sequence[tuple[str, Evaluation]]) -> list[str]:
    """Return the arguments of this module for evaluations with their titles."""
    return [json.dumps([[title, one.to_json()] for title, one in evaluations])]


def main(words: Sequence[str]) -> int:
    """Run the evaluations, end together with the other processes of the launch, and return the exit status."""
    voice.settle([])
    end_with_owner()

    def body() -> int:
        first = is_first()
        if not first:
            _hide_bars()
        for title, values in json.loads(words[0]):
            if first:
                voice.tell(f"── {title}")
            Evaluation.from_json(values).run()
        leave_together()
        return 0

    return exit_status(body, interrupted="")  # the command that started the launch says what to do


def _hide_bars() -> None:
    """Hide the bars that transformers shows while it loads weights."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
