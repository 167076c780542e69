"""DPO: its page, which tokens are weighed, and against which reference."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from trl import DPOConfig
from tuning import PAGE, logged, losses, page_of

from affectllm.errors import BadRecipe
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoder
from affectllm.model.load import load_model
from affectllm.train.collator import Collator
from affectllm.train.method import find_method
from affectllm.train.methods import dpo
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train

DPO = find_method("dpo")


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        ({"bata": 0.2}, "did you mean 'beta'"),
        ({"assistant_only_loss": True}, "unknown key 'assistant_only_loss'"),
        ({"beta": "strong"}, "must be float"),
        ({"loss_type": "sigmod"}, "sigmoid"),
        ({"loss_type": ["sigmoid", "rpo"]}, "one or several of"),
        ({"loss_type": []}, "one or several of"),
        ({"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0]}, "a weight for every loss_type"),
        ({"loss_weights": 1.0}, "must be a list of float"),
        ({"loss_type": "exo_pair"}, "label_smoothing above 0"),
        ({"f_divergence_type": "kl"}, "reverse_kl"),
    ],
    ids=str,
)
def test_a_wrong_field_is_refused_with_its_line(trainer: dict[str, Any], message: str, tmp_path: Path) -> None:
    page = page_of("dpo", tmp_path, trainer=trainer)
    with pytest.raises(BadRecipe) as caught:
        load_recipe(str(page))
    line = page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1]
    assert message in str(caught.value) and line.strip().partition(":")[0] in trainer


@pytest.mark.parametrize(
    "trainer",
    [
        {"beta": 0.05, "loss_type": "ipo"},
        {"loss_type": ["sigmoid", "bco_pair", "sft"], "loss_weights": [0.8, 0.2, 1.0]},
        {"loss_type": "exo_pair", "label_smoothing": 1.0e-3},
    ],
    ids=str,
)
def test_fields_of_the_library_are_taken(trainer: dict[str, Any], tmp_path: Path) -> None:
    assert trainer.items() <= load_recipe(str(page_of("dpo", tmp_path, trainer=trainer))).trainer.items()


def test_fields_of_dpo_are_no_fields_of_sft(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="unknown key 'beta'"):
        load_recipe(str(page_of("sft", tmp_path, trainer={"beta": 0.1})))


def test_the_losses_are_those_that_the_library_names() -> None:
    (loss,) = (field for field in dataclasses.fields(DPOConfig) if field.name == "loss_type")
    (divergence,) = (field for field in dataclasses.fields(DPOConfig) if field.name == "f_divergence_type")
    named = [set(re.findall(r"[`']+([a-z_]+)[`']+", field.metadata["help"])) for field in (loss, divergence)]
    assert named[0] - {"loss_weights"} == dpo._LOSSES
    assert named[1] >= {*dpo._DIVERGENCES}


def turn(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def test_only_the_last_answers_are_weighed(tmp_path: Path) -> None:
    """Earlier answers are the same in both conversations; some losses would be moved by them all the same."""
    model = load_model("tiny:qwen2")
    encoder = Encoder(model.processor, model.family, model.model.config, Budget(), {})
    before = [turn("user", "How was it?"), turn("assistant", "I was glad."), turn("user", "And then?")]
    rows = [
        {"id": "long", "messages": [*before, turn("assistant", "Quite sad.")], "rejected": "Not afraid at all."},
        {"id": "short", "messages": [turn("user", "Well?"), turn("assistant", "joy")], "rejected": ""},
    ]
    batch = Collator(encoder, DPO.conversations, DPO.batch)(rows)
    weighed = [
        model.tokenizer.decode(ids[mask.bool()])
        for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    end = "<|im_end|>"
    assert weighed == [f"Quite sad.{end}", f"joy{end}", f"Not afraid at all.{end}", end]
    assert "labels" not in batch and batch["rows"] == ["long", "short"]


@pytest.mark.slow
def test_the_reference_is_the_model_without_its_adapter_or_as_it_was(small_demo: Path, tmp_path: Path) -> None:
    """At the first step the trained model is its reference, so the loss is ln 2: on a new adapter and on an old one."""
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words", "rejected": "other_label"}
    trainer = {"max_steps": 4, "save_strategy": "no", "learning_rate": 1.0e-2, "per_device_train_batch_size": 8}
    changes: dict[str, Any] = {"data": {"mixture": [part]}, "trainer": trainer}
    for name, path, peft in (
        ("new", "tiny:qwen2", {"r": 4, "lora_alpha": 8}),
        ("old", str(tmp_path / "new" / "train" / "final"), None),
    ):
        page = page_of("dpo", tmp_path, model={"path": path, "backbone": "qwen2"}, peft=peft, **changes)
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / name)
        assert losses(tmp_path / name)[0] == pytest.approx(math.log(2), abs=1e-5)
        assert logged(tmp_path / name, "rewards/margins")[-1] > 0.01
        assert [file.name for file in (tmp_path / name / "train" / "final").glob("**/*.safetensors")] == [
            "adapter_model.safetensors"
        ]
    new, old = (load_file(tmp_path / n / "train" / "final" / "adapter_model.safetensors") for n in ("new", "old"))
    assert new.keys() == old.keys() and any((new[name] != old[name]).any() for name in new)
    manifest = json.loads((tmp_path / "old" / "train" / "manifest.json").read_text())
    assert manifest["inputs"]["recipe"]["method"] == "dpo"
