"""Group relative policy optimisation (Shao et al., DeepSeekMath, 2024): better ones of sampled replies become likelier.

Rows: any conversation; its answer is what rewards hold replies against. Of each prompt a group of replies is sampled,
and each is weighed by its reward above the group's. Prompts keep their clips (see ``affectllm.train.sampled``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.train.method import FROM_0, LOSS, Curve, Method, Ready

_SERVED = "replies are sampled by the model in training; a server of vLLM would get no sounds and films"
_REFERENCE = "a run that was cut off must find the same reference again, which is the model as it was"
_ONE_TURN = "conversations have one reply, and call no tools"
SAMPLING_IS_OURS: Mapping[str, str] = {
    **dict.fromkeys(
        ("use_vllm", "use_transformers_paged", "use_transformers_continuous_batching", "vllm_mode"), _SERVED
    ),
    **dict.fromkeys(("sync_ref_model", "ref_model_mixup_alpha", "ref_model_sync_steps"), _REFERENCE),
    "reward_weights": "write it beside each reward",
    "train_sampling_strategy": "the replies of a group must be in one batch",
}
"""Fields of trainers that sample replies which the machine decides → why."""

REWARD = Curve("reward", "Reward, the mean over replies", "reward")
PART = Curve("rewards/*/mean", "The reward *, the mean over replies", "reward")
UNREADABLE = Curve("unreadable", "Share of replies that could not be read", "share", (0.0, 1.0), better="lower")
LENGTH = Curve("completions/mean_length", "Length of the replies", "tokens", (0.0, float("inf")), better="")
UNJUDGED = Curve("unjudged", "Share of replies that the reward model could not read", "share", (0.0, 1.0), "lower")
TRUST = Curve("trust", "Trust in a reward, the mean over groups", "weight", (0.0, 1.0), better="")
ALIKE = Curve("frac_reward_zero_std", "Share of groups whose replies all got the same reward", "share", (0.0, 1.0), "")
SAMPLED_CURVES = (REWARD, LOSS, PART, ALIKE, UNREADABLE, UNJUDGED, TRUST, LENGTH)


def rewarded(ready: Ready) -> Mapping[str, Any]:
    """Return the encoder and the reward functions."""
    return {"encoder": ready.encoder, "reward_funcs": list(ready.rewards)}


METHOD = Method(
    title="group relative policy optimisation: replies with more reward than others of their group",
    config="trl.GRPOConfig",
    trainer="trl.GRPOTrainer",
    collates=False,
    rewarded=True,
    ours={**SAMPLING_IS_OURS, "max_tool_calling_iterations": _ONE_TURN},
    fixed={"train_sampling_strategy": "random"},
    bounds={"beta": FROM_0},
    choices={
        "loss_type": ("grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"),
        "scale_rewards": ("group", "batch", "none"),
        "importance_sampling_level": ("token", "sequence"),
        "multi_objective_aggregation": ("sum_then_normalize", "normalize_then_sum"),
    },
    overrides="affectllm.train.sampled.Grouped",
    extra=rewarded,
    curves=SAMPLED_CURVES,
)
