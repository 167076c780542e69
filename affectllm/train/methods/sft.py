"""Supervised fine-tuning: the model learns to give the answers of the conversations. Rows: ``messages``."""

from __future__ import annotations

from affectllm.train.method import Method

METHOD = Method(
    title="supervised fine-tuning on the answers",
    config="trl.SFTConfig",
    trainer="trl.SFTTrainer",
    ours={
        "dataset_kwargs": "our collator prepares the data",
        "packing": "conversations are packed with their clips by pack_tokens, at the top of the page",
        "padding_free": "conversations are packed with their clips by pack_tokens, at the top of the page",
        "assistant_only_loss": "the loss is always on the assistant's tokens",
    },
    packs=True,
    fixed={"dataset_kwargs": {"skip_prepare_dataset": True}},
)
