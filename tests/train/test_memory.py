"""What a training needs is told before its first step: of one conversation for a whole batch, and what to change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from family_clips import HEARD, SEEN, SEEN_AND_HEARD, encoded, encoder_of, make_clips, talk
from peft import LoraConfig, get_peft_model

from affectllm.model.clips.budget import Budget
from affectllm.model.heads.answers import Answers
from affectllm.model.heads.encoders import load_backbone
from affectllm.model.heads.folder import encoder_for
from affectllm.model.heads.network import HeadNetwork, layers
from affectllm.model.heads.page import HeadPage
from affectllm.model.load import load_model
from affectllm.train.memory import Memory, Sharing, advice, estimate, kept_of, say

GIB = 2**30
ARGS = SimpleNamespace(optim="adamw_torch_fused", gradient_checkpointing=False, per_device_train_batch_size=8)
ROOMY = Memory(weights=4 * GIB, gradients=GIB, optimizer=2 * GIB, activations=3 * GIB, tokens=4096, device=24 * GIB)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("clips"))


@pytest.mark.parametrize(
    ("family", "part", "adapted"),
    [
        ("qwen2_5_omni", SEEN_AND_HEARD, False),
        ("qwen2_5_omni", SEEN_AND_HEARD, True),
        ("qwen2_5_vl", SEEN, True),
        ("qwen2_audio", HEARD, False),
        ("qwen2", None, False),
    ],
)
def test_a_batch_keeps_as_much_for_each_token_as_one_conversation(
    family: str, part: dict[str, Any] | None, adapted: bool, clips: Path
) -> None:
    loaded = load_model(f"tiny:{family}", dtype="float32", trainable=True)
    model = loaded.model
    if adapted:
        model = get_peft_model(model, LoraConfig(target_modules=r".*language_model.*\.(?:q_proj|v_proj)"))
    encoder = encoder_of(loaded, clips)
    item = encoded(encoder, talk(*([part] if part else []), question="Which emotion is it? " * 20))
    one, tokens = kept_of(model, encoder.collate([item]))
    four, of_four = kept_of(model, encoder.collate([item] * 4))
    assert of_four == 4 * tokens
    assert one > 0 and four == pytest.approx(4 * one, rel=0.1)


def test_gradients_and_states_are_those_that_the_optimiser_has(clips: Path) -> None:
    loaded = load_model("tiny:qwen2", dtype="float32", trainable=True)
    encoder = encoder_of(loaded, clips)
    batch = encoder.collate([encoded(encoder, talk())])
    needed = estimate(loaded.model, ARGS, (1, 1), 10, Sharing(), GIB)
    optimizer = torch.optim.AdamW(loaded.model.parameters())
    loaded.model(**batch).loss.backward()
    optimizer.step()
    size = lambda tensors: sum(one.numel() * one.element_size() for one in tensors)  # noqa: E731
    assert needed.weights == size(loaded.model.parameters())
    assert needed.gradients == size(one.grad for one in loaded.model.parameters())
    states = [s for state in optimizer.state.values() for s in state.values() if s.numel() > 1]
    assert needed.optimizer == pytest.approx(size(states), rel=0.01)
    assert estimate(loaded.model, ARGS, (1, 1), 10, Sharing(2, 2), GIB).optimizer == needed.optimizer // 2
    eight_bit = SimpleNamespace(**{**vars(ARGS), "optim": "adamw_bnb_8bit"})
    assert estimate(loaded.model, eight_bit, (1, 1), 10, Sharing(), GIB).optimizer == needed.optimizer // 4


def test_measuring_changes_neither_random_numbers_nor_the_model(clips: Path) -> None:
    loaded = load_model("tiny:qwen2_audio", dtype="float32", trainable=True)
    encoder = encoder_of(loaded, clips)
    before = torch.random.get_rng_state()
    loaded.model.train()
    kept_of(loaded.model, encoder.collate([encoded(encoder, talk(HEARD))]))
    assert loaded.model.training and torch.equal(torch.random.get_rng_state(), before)
    assert all(one.grad is None for one in loaded.model.parameters())


def test_layers_that_are_run_again_keep_less(clips: Path) -> None:
    loaded = load_model("tiny:qwen2", dtype="float32", trainable=True)
    again = SimpleNamespace(**{**vars(ARGS), "gradient_checkpointing": True})
    kept = (10**6, 10)
    plain = estimate(loaded.model, ARGS, kept, 1000, Sharing(), GIB).activations
    assert estimate(loaded.model, again, kept, 1000, Sharing(), GIB).activations < plain


@pytest.mark.parametrize(
    ("part", "changes", "key"),
    [
        ("activations", {}, "trainer.gradient_checkpointing: true"),
        ("activations", {"gradient_checkpointing": True}, "lower trainer.per_device_train_batch_size"),
        ("activations", {"gradient_checkpointing": True, "per_device_train_batch_size": 1}, "lower model.budget"),
        ("weights", {}, "load_in_4bit"),
        ("optimizer", {}, "adamw_bnb_8bit"),
    ],
)
def test_what_does_not_fit_names_the_key_of_its_largest_part(
    part: str, changes: dict[str, Any], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    args = SimpleNamespace(**{**vars(ARGS), **changes})
    needed = replace(ROOMY, **{part: 20 * GIB})
    assert needed.tight and key in advice(needed, args, adapted=True, quantised=False)
    say(needed, args, adapted=True, quantised=False)
    assert key in capsys.readouterr().err


def test_what_fits_is_told_without_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    say(ROOMY, ARGS, adapted=True, quantised=False)
    message = capsys.readouterr().err
    assert "about 10.00 of 24.0 GiB" in message and "4,096 tokens" in message and "warning" not in message


@pytest.mark.parametrize("kind", ["speech_encoder", "text_encoder"])
def test_a_batch_of_a_plain_encoder_keeps_as_much_for_each_row(kind: str, clips: Path) -> None:
    """Sounds have no tokens: they are counted by their pieces."""
    model = load_backbone(f"tiny:{kind}", kind, 1.0)
    for weight in model.model.parameters():
        weight.requires_grad_(True)
    answers, width = Answers("reward"), model.model.config.hidden_size
    network = HeadNetwork(model.model, layers(width, 1, HeadPage(), standardised=False), answers, "mean")
    encoder, _ = encoder_for(model, Budget(), {"made": clips})
    item: Any = encoder.encode(talk(HEARD) if kind == "speech_encoder" else talk(question="Which emotion? " * 20))
    one, pieces = kept_of(network, encoder.collate([item]), length=item.length)
    four, of_four = kept_of(network, encoder.collate([item] * 4), length=4 * item.length)
    assert pieces == item.length and of_four == 4 * pieces
    assert one > 0 and four == pytest.approx(4 * one, rel=0.1)
