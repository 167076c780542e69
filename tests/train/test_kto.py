"""KTO on clips: what the trainer takes of a batch, and that answers of other prompts are scored where they belong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import page_of

from affectllm.errors import BadRecipe
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.train.collator import Collator
from affectllm.train.method import find_method
from affectllm.train.recipe import load_recipe

ANSWERS = ("joy", "the person seems to be rather angry", "fear", "sadness")


@pytest.fixture(scope="module")
def model() -> Any:
    loaded = load_model("tiny:qwen2_5_omni", dtype="float32")
    loaded.model.eval()
    return loaded


def rows(root: Path) -> list[dict[str, Any]]:
    """Two questions, one about a clip; answers of unlike length."""
    (clip,) = [path.relative_to(root).as_posix() for path in sorted(root.rglob("*.mp4"))][:1]
    film = {"type": "video", "corpus": "demo_affect", "path": clip, "sound": True}
    asked = ([film, {"type": "text", "text": "What is felt?"}], [{"type": "text", "text": "And here, in these words?"}])
    made = []
    for number, parts in enumerate(asked):
        answer = {"role": "assistant", "content": [{"type": "text", "text": ANSWERS[number]}]}
        row = {"id": str(number), "corpus": "demo_affect", "messages": [{"role": "user", "content": parts}, answer]}
        made.append({**row, "rejected": ANSWERS[2 + number], "language": "en", "value": None, "asked_by": None})
    return made


def test_a_batch_has_answers_of_others_where_its_own_were(model: Any, small_demo: Path) -> None:
    method = find_method("kto")
    recipe_budget = load_recipe("preference_dpo_tiny").model.budget
    encoder = Encoder(model.processor, model.family, model.model.config, recipe_budget, {"demo_affect": small_demo})
    batch = Collator(encoder, method.conversations, method.batch)(rows(small_demo))
    assert batch["label"].tolist() == [True, True, False, False]
    read = model.tokenizer.batch_decode
    own = read([ids[mask.bool()] for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)])
    others = read([i[m.bool()] for i, m in zip(batch["KL_input_ids"], batch["KL_completion_mask"], strict=True)])
    assert [text.partition("<")[0] for text in own] == list(ANSWERS) and others == [own[-1], *own[:-1]]
    not_model = {"completion_mask", "label", "rows", "KL_input_ids", "KL_attention_mask", "KL_completion_mask"}
    inputs = {name: tensor for name, tensor in batch.items() if name not in not_model}
    moved = {**inputs, "input_ids": batch["KL_input_ids"], "attention_mask": batch["KL_attention_mask"]}
    with torch.no_grad():
        logits, moved_logits = model.model(**inputs).logits, model.model(**moved).logits
    asked = rows(small_demo)
    for row in range(4):
        for prefix, answer, whole in (("", row, logits), ("KL_", (row - 1) % 4, moved_logits)):
            mask = batch[f"{prefix}completion_mask"][row].bool()
            messages = [asked[row % 2]["messages"][0], {"role": "assistant", "content": ANSWERS[answer]}]
            alone: Any = encoder.encode(messages)
            with torch.no_grad():
                inputs = encoder.collate([alone])
                labels = inputs.pop("labels")[0] != -100
                expected = model.model(**inputs).logits[0, labels]
            assert (whole[row, mask] - expected).abs().max() < 1e-4, (row, prefix)


@pytest.mark.parametrize(
    ("trainer", "message"), [({"loss_type": "dpo"}, "one of kto"), ({"per_device_train_batch_size": 1}, "2 or more")]
)
def test_what_the_library_would_refuse_later_is_refused_at_once(trainer: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match=message):
        load_recipe(str(page_of("kto", tmp_path, trainer=trainer)))
