"""What a training by rewards could not learn, as its log shows: replies of a group that are all paid alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ALIKE = "frac_reward_zero_std"
"""TRL's share of the groups whose replies all have the same reward."""
CUT = "completions/clipped_ratio"
"""TRL's share of the replies that were cut off at their longest."""


def untaught(log: Sequence[Mapping[str, Any]], steps: int, begins: Mapping[str, int], masked: bool) -> list[str]:
    """Return a sentence for everything because of which the rewards taught nothing; none where they did.

    Args:
        log: entries of the trainer.
        steps: that were done.
        begins: reward → the step after which it begins.
        masked: whether replies that are cut off are left out of the loss.
    """
    said = [
        f"the reward {name} never began: it begins after step {step}, and the training had {steps}"
        for name, step in begins.items()
        if step >= steps
    ]
    if masked and _always(log, CUT):
        said.append(
            "every reply was cut off, and mask_truncated_completions leaves such replies out: nothing was learned; "
            "raise trainer.max_completion_length"
        )
    if _always(log, ALIKE):
        said.append(
            "in every group all replies got the same reward, so the rewards taught nothing; see the sampled replies in "
            "the report"
        )
    return said


def _always(log: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Whether a share that is logged was 1 in every step."""
    values = [entry[key] for entry in log if key in entry]
    return bool(values) and min(values) >= 1.0
