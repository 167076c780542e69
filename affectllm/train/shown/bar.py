"""The bar of a training: loss and learning rate beside it, a line for each evaluation; the rest is in the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from transformers import TrainerCallback
from transformers.trainer_callback import PrinterCallback, ProgressCallback

from affectllm.voice import bar, loudness

_LOG = logging.getLogger(__name__)
_BESIDE = ("loss", "reward", "learning_rate")  # of what is logged, beside the bar
_EVALUATED = "eval_"
_SPEEDS = ("runtime", "samples_per_second", "steps_per_second", "num_tokens")


def show_bar(trainer: Any) -> None:
    """Replace the callback by which transformers prints everything that is logged, unless a command is verbose."""
    if loudness() == "verbose":
        return
    for callback in (ProgressCallback, PrinterCallback):
        trainer.remove_callback(callback)
    trainer.add_callback(Bar())


class Bar(TrainerCallback):
    """A bar over the steps of a training, and one over the batches of each validation."""

    def __init__(self) -> None:
        self.bar: Any = None
        self.validation: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            self.bar = bar(desc="training", total=state.max_steps, initial=state.global_step, unit=" steps")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.bar is not None:
            self.bar.update(state.global_step - self.bar.n)
            if control.should_evaluate:
                self._validating()  # its first batch may take minutes where replies are sampled

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.bar is not None and control.should_evaluate:
            self._validating()

    def on_prediction_step(self, args: Any, state: Any, control: Any, eval_dataloader: Any = None, **_: Any) -> None:
        if state.is_world_process_zero:
            shown = self._validating()
            shown.total = len(eval_dataloader)
            shown.update()

    def _validating(self) -> Any:
        """Return the bar of a validation, which stands in place of that of the training until it is done."""
        if self.validation is None:
            if self.bar is not None:
                self.bar.clear()
            self.validation = bar(desc="validating", unit=" batches", leave=False, position=0)
        return self.validation

    def _validated(self) -> None:
        if self.validation is not None:
            self.validation.close()
            self.validation = None
            if self.bar is not None:
                self.bar.refresh()

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._validated()

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, Any] | None = None, **_: Any) -> None:
        if self.bar is None or not logs:
            return
        _LOG.info("%s", dict(logs))
        if any(name.startswith(_EVALUATED) for name in logs):
            self._validated()  # before the line, which would stand between the bars
            if loudness() != "quiet":
                self.bar.write(f"epoch {state.epoch:.2f}: validation {evaluated(logs)}", file=sys.stderr)
        else:
            beside = [f"{name.replace('_', ' ')} {logs[name]:.3g}" for name in _BESIDE if name in logs]
            self.bar.set_postfix_str(", ".join(beside), refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def evaluated(logs: Mapping[str, Any]) -> str:
    """Return what an evaluation found, without how fast it was: ``loss 0.018, mean token accuracy 0.99``."""
    values = {name.removeprefix(_EVALUATED): value for name, value in logs.items() if name.startswith(_EVALUATED)}
    shown = {name: value for name, value in values.items() if isinstance(value, float) and name not in _SPEEDS}
    return ", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items())
