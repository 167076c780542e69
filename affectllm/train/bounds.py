"""Between which values the numbers of a recipe make sense: a table, by which what cannot work is told at its line.

Names are the fields of transformers, TRL and PEFT; a method's own bounds are in its file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bound:
    """Lowest and highest value of a number; it is finite in any case.

    Args:
        low, high: both included unless the next two say otherwise.
        above, below: whether ``low`` or ``high`` itself is excluded.
        whole: whether the number has no fraction.
        unset: a value beyond the others by which the library says that there is none.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    unset: float | None = None

    def admits(self, value: Any) -> bool:
        """Return whether a value is a number within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        if value == self.unset:
            return True
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and (value < self.high if self.below else value <= self.high)

    def expected(self, value: Any) -> str:
        """Return what must be there in place of a value that is not admitted."""
        finite = isinstance(value, float) and not math.isfinite(value)
        words = [*(["a whole number"] if self.whole else []), *(["finite"] if finite else []), self._range()]
        return ", ".join(words) + ("" if self.unset is None else f", or {self.unset:g} for none")

    def _range(self) -> str:
        if self.high == math.inf:
            return f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        if self.above:
            return f"above {self.low:g} and {'below' if self.below else 'at most'} {self.high:g}"
        return f"from {self.low:g} to {'below ' if self.below else ''}{self.high:.10g}"


ABOVE_0 = Bound(0, above=True)
FROM_0 = Bound(0)
FROM_1 = Bound(1)
SHARE = Bound(0, 1)
BELOW_1 = Bound(0, 1, below=True)
SEED = Bound(0, 2**32 - 1)
"""What NumPy takes."""

TRAINER: Mapping[str, Bound] = {
    **dict.fromkeys(("per_device_train_batch_size", "per_device_eval_batch_size"), FROM_1),
    **dict.fromkeys(("gradient_accumulation_steps", "eval_accumulation_steps", "torch_empty_cache_steps"), FROM_1),
    **dict.fromkeys(("learning_rate", "weight_decay", "max_grad_norm", "warmup_steps", "adam_epsilon"), FROM_0),
    **dict.fromkeys(("neftune_noise_alpha", "eval_delay", "dataloader_num_workers"), FROM_0),
    **dict.fromkeys(("num_train_epochs", "logging_steps", "save_steps", "eval_steps", "temperature"), ABOVE_0),
    **dict.fromkeys(("adam_beta1", "adam_beta2", "label_smoothing_factor"), BELOW_1),
    **dict.fromkeys(("max_completion_length", "num_generations_eval", "steps_per_generation"), FROM_1),
    **dict.fromkeys(("generation_batch_size", "num_iterations", "dataloader_prefetch_factor"), FROM_1),
    **dict.fromkeys(("epsilon", "epsilon_high", "top_k", "entropy_coef"), FROM_0),
    **dict.fromkeys(("delta", "repetition_penalty", "sapo_temperature_neg", "sapo_temperature_pos"), ABOVE_0),
    **dict.fromkeys(("min_p", "top_entropy_quantile"), SHARE),
    "max_steps": Bound(1, unset=-1),
    "num_generations": Bound(2),
    "top_p": Bound(0, 1, above=True),
    "data_seed": SEED,
}
"""Field under ``trainer`` → its bounds for every method that has it."""

LORA: Mapping[str, Bound] = {"r": Bound(1, whole=True), "lora_alpha": ABOVE_0, "lora_dropout": BELOW_1}
"""Field under ``peft`` → its bounds."""

BUDGET: Mapping[str, Bound] = {
    **dict.fromkeys(("fps", "max_seconds"), ABOVE_0),
    **dict.fromkeys(("max_frames", "max_pixels", "min_pixels"), FROM_1),
}
"""Field under ``budget`` → its bounds."""
