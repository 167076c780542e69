"""Supervised fine-tuning: the model learns to give the answers of the conversations. Rows: ``messages``."""

from __future__ import annotations

from affectllm.train.method import Method

METHOD = Method(
    title="supervised fine-tuning on the answers",
    config="trl.SFTConfig",
    trainer="trl.SFTTrainer",
    ours={
        "dataset_kwargs": "our collator prepares the data",
        "packing": "conversations with media cannot be packed",
        "assistant_only_loss": "the loss is always on the assistant's tokens",
    },
    fixed={"dataset_kwargs": {"skip_prepare_dataset": True}},
)
