"""KTO on clips: what the trainer takes of a batch, and that answers of other prompts are scored where they belong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import PAGE, logged, page_of

from affectllm.errors import BadRecipe
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.train.arguments import arguments
from affectllm.train.collator import Collator
from affectllm.train.data import load_rows
from affectllm.train.loading import load
from affectllm.train.method import find_method
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train
from affectllm.train.trainer import trainer_class

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


@pytest.mark.slow
def test_no_row_is_alone_in_the_last_batch(small_demo: Path, tmp_path: Path) -> None:
    """Its answers would be taken for those of another prompt; the first row keeps it company, and both are counted."""
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words", "rejected": "other_label", "cap": 5}
    model = {"path": "tiny:qwen2", "backbone": "qwen2"}
    trainer = {"max_steps": -1, "num_train_epochs": 1, "per_device_train_batch_size": 2, "save_strategy": "no"}
    page = page_of("kto", tmp_path, data={"mixture": [part]}, model=model, trainer=trainer)
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    pairs = logged(tmp_path / "run", "loss")
    assert len(pairs) == 3 and all(math.isfinite(loss) for loss in pairs)
    recipe = load_recipe(str(page))
    method = find_method("kto")
    loaded = load(recipe)
    encoder = Encoder(loaded.processor, loaded.family, loaded.model.config, recipe.model.budget, {})
    rows = load_rows(tmp_path / "run" / "build", "train")
    trainer = trainer_class(method)(
        model=loaded.model,
        ref_model=load(recipe).model,
        args=arguments(recipe, tmp_path / "made"),
        train_dataset=rows,
        data_collator=Collator(encoder, method.conversations, method.batch),
        processing_class=loaded.processor,
    )
    sampler = list(trainer._get_train_sampler())
    assert sampler == [0, 1, 2, 3, 4, 0] and len(trainer.get_train_dataloader()) == 3
    last = list(trainer.get_train_dataloader())[-1]
    read = [ids[mask.bool()].tolist() for ids, mask in zip(last["input_ids"], last["completion_mask"], strict=True)]
    others = [i[m.bool()].tolist() for i, m in zip(last["KL_input_ids"], last["KL_completion_mask"], strict=True)]
    assert others == [read[-1], *read[:-1]] and last["rows"] == [rows[4]["id"], rows[0]["id"]]
