"""Checkpoints of trainers that sample replies for several steps at once: between two samplings they would lack them."""

from __future__ import annotations

from math import gcd
from typing import Any

from affectllm.errors import BadRecipe


def refuse_cut_cycles(args: Any, recipe: str) -> None:
    """Raise ``BadRecipe`` where a checkpoint would fall between two samplings of replies.

    TRL samples replies for ``steps_per_generation`` batches, learns from them ``num_iterations`` times, and keeps them
    in memory alone, so a run that went on from there would sample others and end with other weights.
    """
    if not hasattr(args, "steps_per_generation") or str(args.save_strategy.value) != "steps":
        return
    batches = args.steps_per_generation * args.num_iterations
    cycle = batches // gcd(batches, args.gradient_accumulation_steps)  # in optimisation steps
    if cycle > 1 and args.save_steps % cycle and not 0 < args.max_steps <= args.save_steps:
        raise BadRecipe(
            f"replies are sampled for {cycle} steps, and a checkpoint after {args.save_steps:g} would lack them",
            where=f"{recipe}: trainer.save_steps",
            do=f"save after a multiple of {cycle} steps, or by epoch",
        )
