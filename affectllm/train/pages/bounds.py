"""Between which values the numbers of a recipe make sense: a table, by which what cannot work is told at its line.

Names are the fields of transformers, TRL and PEFT; a method's own bounds are in its file.
"""

from __future__ import annotations

from collections.abc import Mapping

from affectllm.train.method import ABOVE_0, BELOW_1, FROM_0, FROM_1, SHARE, Bound

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
