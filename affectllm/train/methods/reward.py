"""A reward model: a head of one number by which a better answer is above a worse one (Ouyang et al., NeurIPS 2022).

Rows as for ``dpo``. The loss is that of Bradley and Terry, ``-log σ(r(better) - r(worse) - margin)``, with the margin
of Touvron et al., Llama 2 (2023), the same for all pairs: ``head.margin``.
"""

from __future__ import annotations

from affectllm.train.method import FROM_0, LOSS, Curve, Method
from affectllm.train.methods.dpo import pair
from affectllm.train.methods.head import inputs

METHOD = Method(
    title="a reward model: a better answer scores above a worse one",
    config="trl.RewardConfig",
    trainer="trl.RewardTrainer",
    conversations=pair,
    needs="rejected",
    how="write rejected: other_label, or rejected: not_preferred for a corpus of preferences",
    ours={
        "pad_to_multiple_of": "our collator pads",
        "eos_token": "the chat template of the family ends a turn",
        "chat_template_path": "the chat template is the family's",
        "pad_token": "our collator pads",
        "model_init_kwargs": "the model is that of the page",
    },
    batch=inputs,
    heads="reward",
    bounds={"center_rewards_coefficient": FROM_0},
    validated=lambda templates: ("accuracy",),
    answers_as="",
    overrides="affectllm.train.headed.Rewarding",
    curves=(
        LOSS,
        Curve("margin", "Reward of the better answer above the worse one", "reward margin"),
        Curve("accuracy", "Share of pairs whose better answer has the higher reward", "share", (0.0, 1.0)),
    ),
)
