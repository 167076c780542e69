"""The last step of a training is logged like the others, whatever ``logging_steps`` is."""

from __future__ import annotations

from typing import Any

from transformers import TrainerCallback


class LastStep(TrainerCallback):
    """Log the end: a run that is shorter than ``logging_steps`` would have no curve, and no line of its rewards."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step >= state.max_steps:
            control.should_log = True
