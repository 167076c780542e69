"""TRL as its documentation shows it: SFT, DPO or GRPO of a causal model on JSON Lines."""

import argparse
import json

import trl
from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer


def right(completions, label, **_):
    """1 for a reply that is the label, as the reward of our recipe reads it."""
    return [
        float(theirs[0]["content"].strip().lower() == ours[0]["content"])
        for theirs, ours in zip(completions, label, strict=True)
    ]


parser = argparse.ArgumentParser()
parser.add_argument("method", choices=["sft", "dpo", "grpo"])
parser.add_argument("model")
parser.add_argument("data")
parser.add_argument("out")
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--sampled", type=json.loads, default={})
options = parser.parse_args()

name = options.method.upper()
own = {"max_length": 4096}
more = {}
rows = load_dataset("json", data_files=options.data, split="train")
if options.method == "grpo":
    own, more = options.sampled, {"reward_funcs": right}
    rows = rows.rename_column("completion", "label")  # which the trainer keeps from rewards under its own name
arguments = getattr(trl, f"{name}Config")(
    output_dir=options.out,
    per_device_train_batch_size=options.batch,
    num_train_epochs=1,
    learning_rate=1e-3,
    save_strategy="no",
    report_to="none",
    logging_steps=10,
    gradient_checkpointing=False,
    bf16=False,
    use_cpu=True,
    **own,
)
getattr(trl, f"{name}Trainer")(
    model=AutoModelForCausalLM.from_pretrained(options.model, dtype="float32"),
    args=arguments,
    train_dataset=rows,
    processing_class=AutoTokenizer.from_pretrained(options.model),
    **more,
).train()
