"""REINFORCE leave-one-out (Ahmadian et al., Back to Basics, ACL 2024): replies against the mean of the others.

Rows and rewards as for ``grpo``; the baseline of a reply is the mean reward of the other replies to its prompt, and the
divergence from the model as it was is part of the reward.
"""

from __future__ import annotations

from affectllm.train.method import FROM_0, Method
from affectllm.train.methods.grpo import SAMPLED_CURVES, SAMPLING_IS_OURS, rewarded

METHOD = Method(
    title="REINFORCE leave-one-out: replies with more reward than the mean of the others",
    config="trl.RLOOConfig",
    trainer="trl.RLOOTrainer",
    collates=False,
    rewarded=True,
    ours=SAMPLING_IS_OURS,
    fixed={"train_sampling_strategy": "random"},
    bounds={"beta": FROM_0},
    overrides="affectllm.train.sampled.LeaveOneOut",
    extra=rewarded,
    curves=SAMPLED_CURVES,
)
