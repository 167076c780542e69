"""Run inside an environment with axolotl: reads an export through its configuration, and batches or tokenises it.

The second argument is the folder of a model: of texts alone, tokens and labels are printed; with clips, the shapes of
what its processor makes of each row in axolotl's collator.
"""

import cpu_wheels  # noqa: F401, I001
import json
import sys

import yaml
from axolotl.processing_strategies import ProcessingStrategy
from axolotl.prompt_strategies import load
from axolotl.utils.collators.mm_chat import MultiModalChatDataCollator
from axolotl.utils.data.shared import load_dataset_with_config
from axolotl.utils.dict import DictDefault
from transformers import AutoProcessor, AutoTokenizer

with open(sys.argv[1]) as stream:
    page = DictDefault(yaml.safe_load(stream))
(source,) = page.datasets
rows = load_dataset_with_config(DictDefault({**source, "split": "train"}), use_auth_token=False)
if page.skip_prepare_dataset:
    processor = AutoProcessor.from_pretrained(sys.argv[2])
    collate = MultiModalChatDataCollator(processor.tokenizer, ProcessingStrategy(processor))
    for row in rows:
        batch = collate([row])
        shapes = {name: list(value.shape) for name, value in batch.items()}
        print(json.dumps({"shapes": shapes, "messages": row["messages"]}))
else:
    tokenizer = AutoTokenizer.from_pretrained(sys.argv[2])
    config = DictDefault({"sequence_len": 4096, "train_on_inputs": False, "chat_template": "tokenizer_default"})
    strategy = load(source["type"], tokenizer, config, source)
    for row in rows:
        encoded = strategy.tokenize_prompt(row)
        print(json.dumps({"input_ids": encoded["input_ids"], "labels": encoded["labels"]}))
