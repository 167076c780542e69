"""Build TRL's training configuration from a recipe, our fixed settings and those that depend on the machine."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from affectllm.errors import BadRecipe
from affectllm.instruct.conversations import CURRICULA
from affectllm.train.checkpoints import refuse_cut_cycles
from affectllm.train.data import LENGTH
from affectllm.train.method import Method, find_method
from affectllm.train.ranks.sharding import shards_without_gpu
from affectllm.train.recipe import Recipe

_NEW_NAMES = {f"gradient_checkpointing{end}": f"activation_checkpointing{end}" for end in ("", "_kwargs")}
"""Fields that transformers takes under two names, of which recipes, like everybody, give the older."""


def arguments(recipe: Recipe, out: Path) -> Any:
    """Return TRL's configuration for a recipe; creating it also joins the process group of a launch.

    Raises:
        BadRecipe: when a value does not go with the others.
    """
    import torch

    method = find_method(recipe.method)
    known = {field.name for field in dataclasses.fields(method.config_class())}
    fields: dict[str, Any] = {
        "activation_checkpointing": torch.cuda.is_available(),
        "bf16": torch.cuda.is_available(),
        # A curriculum is trained on in its order; otherwise rows of like length share a batch.
        "train_sampling_strategy": "sequential" if recipe.data.order in CURRICULA else "group_by_length",
        "report_to": "none",
        "run_name": out.parent.name,
        "logging_steps": 10,
        "save_total_limit": 2,
        **({"per_device_train_batch_size": 1} if recipe.pack_tokens or recipe.batch_tokens else {}),
        **{_NEW_NAMES.get(key, key): value for key, value in recipe.trainer.items()},
        "output_dir": str(out),
        "seed": recipe.seed,
        **({"max_length": None} if "max_length" in known else {}),
        **({"reward_weights": [one.weight for one in recipe.rewards]} if method.rewarded else {}),
        "remove_unused_columns": False,
        "length_column_name": LENGTH,
        **method.fixed,
    }
    if not torch.cuda.is_available():
        fields |= {"dataloader_pin_memory": False}
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            # Without a backend accelerate sees one process, and DeepSpeed's batch arithmetic fails.
            fields |= {"ddp_backend": "gloo"}
        if shards_without_gpu():
            fields |= {"accelerator_config": {**fields.get("accelerator_config", {}), "use_configured_state": True}}
    if fields.get("eval_strategy", "no") != "no":
        fields = {"load_best_model_at_end": True, **_best(recipe, method), **fields}
        fields.setdefault("save_strategy", fields["eval_strategy"])
        if fields["save_strategy"] == fields["eval_strategy"] == "steps":
            # The library's 500 may be more than the run has, and then a kill would lose all of it.
            fields.setdefault("save_steps", fields.get("eval_steps") or fields["logging_steps"])
    try:
        args = method.config_class()(**fields)
    except (TypeError, ValueError) as error:
        raise BadRecipe(f"trainer: {error}", where=recipe.name) from error
    refuse_cut_cycles(args, recipe.name)
    return args


def _best(recipe: Recipe, method: Method) -> dict[str, Any]:
    """Return by which value of an evaluation the best checkpoint is chosen; its patience goes on after a kill."""
    if recipe.best is None:
        return {"metric_for_best_model": f"eval_{method.best.key}", "greater_is_better": method.best.better == "higher"}
    chosen = {"metric_for_best_model": f"eval_{recipe.best.metric}", "greater_is_better": recipe.best.greater}
    return chosen | ({"restore_callback_states_from_checkpoint": True} if recipe.best.patience else {})
