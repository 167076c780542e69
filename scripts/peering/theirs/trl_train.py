"""TRL as its documentation shows it: SFT or DPO of a causal model on JSON Lines. Runs in the environment of a peer."""

import argparse

from datasets import load_dataset
from transformers import AutoModelForCausalLM, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("method", choices=["sft", "dpo"])
parser.add_argument("model")
parser.add_argument("data")
parser.add_argument("out")
parser.add_argument("--batch", type=int, default=8)
options = parser.parse_args()

if options.method == "sft":
    from trl import SFTConfig as Config
    from trl import SFTTrainer as Trainer
else:
    from trl import DPOConfig as Config
    from trl import DPOTrainer as Trainer

arguments = Config(
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
    max_length=4096,
)
Trainer(
    model=AutoModelForCausalLM.from_pretrained(options.model, dtype="float32"),
    args=arguments,
    train_dataset=load_dataset("json", data_files=options.data, split="train"),
    processing_class=AutoTokenizer.from_pretrained(options.model),
).train()
