"""Distillation from a teacher of the same vocabulary (Agarwal et al., On-Policy Distillation, ICLR 2024).

Rows: any conversation. The student answers it itself (``lmbda: 1``), or its given answer is taken (``lmbda: 0``), and
at every token of the answer its distribution is drawn to the teacher's: by ``beta`` 0 the forward Kullback-Leibler
divergence, 1 the reverse one, between them that of Jensen and Shannon. Clips reach both (``train/distilling``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.train.method import SHARE, Method, Ready
from affectllm.train.methods.grpo import SAMPLING_IS_OURS

_TEACHER = "it is the teacher of the page: teacher: {path: MODEL}"
_SAMPLING = {key: why for key, why in SAMPLING_IS_OURS.items() if key in ("use_vllm", "vllm_mode")}


def taught(ready: Ready) -> Mapping[str, Any]:
    """Return the student's encoder, the teacher, and the teacher's encoder."""
    from affectllm.model.encode import Encoder

    assert ready.teacher is not None
    teacher, own = ready.teacher(), ready.encoder
    its = Encoder(teacher.processor, teacher.family, teacher.model.config, own.budget, own.roots, own.cache)
    return {"encoder": own, "teacher_model": teacher.model, "teacher_encoder": its}


METHOD = Method(
    title="distillation: the student's distributions are drawn to those of a teacher",
    config="affectllm.train.distilling.config.DistilConfig",
    trainer="trl.DistillationTrainer",
    collates=False,
    taught=True,
    ours={
        **_SAMPLING,
        **dict.fromkeys(
            ("teacher_model_name_or_path", "teacher_model_revision", "teacher_model_init_kwargs"), _TEACHER
        ),
        "train_sampling_strategy": "the library draws the rows of a step together",
        "max_tool_calling_iterations": "conversations have one reply, and call no tools",
        "model_init_kwargs": "the model is that of the page",
    },
    fixed={"train_sampling_strategy": "random"},
    bounds={"beta": SHARE, "lmbda": SHARE},
    overrides="affectllm.train.distilling.student.Distilled",
    extra=taught,
)
