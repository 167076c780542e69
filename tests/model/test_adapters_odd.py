"""Adapters that no trainer saves so: odd configurations, scales, spellings and folders end in one sentence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from adapting import CONFIG, edit_config, edit_weights, logits, logits_when_made, make_adapter
from lm_eval.api.instance import Instance

from affectllm.errors import AffectError, NotFinite, NotFound, WrongCheckpoint
from affectllm.evaluate.models.lm import AffectLM
from affectllm.model.load import check_saved, load_model
from affectllm.model.tiny import tiny_folder
from affectllm.model.weights import patterns

TEXT = "tiny:qwen2"
PREFIX = "base_model.model."


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(tmp_path_factory.mktemp("adapter") / "saved", TEXT)


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "adapter"))


ODD: list[dict[str, Any]] = [
    {"r": 10**9},
    {"target_modules": "("},
    {"target_modules": [3]},
    {"bias": "foo"},
    {"rank_pattern": [1]},
    {"rank_pattern": {"(": 4}},
    {"megatron_config": {"a": 1}, "megatron_core": "no_such_package"},
    {"trainable_token_indices": [10**9]},
]


@pytest.mark.parametrize("fields", ODD, ids=str)
def test_a_value_that_peft_cannot_use_is_told_in_one_sentence(fields: dict[str, Any], copied: Path) -> None:
    edit_config(copied, **fields)
    with pytest.raises(WrongCheckpoint, match="does not fit the model"):
        load_model(str(copied))


SLOW = r"((\w|\.)*)*!"


@pytest.mark.parametrize(
    "fields",
    [
        {"target_modules": SLOW},
        {"exclude_modules": f"x|{SLOW}"},
        {"alpha_pattern": {SLOW: 8}},
        {"modules_to_save": [SLOW]},
        {"layers_to_transform": [0], "layers_pattern": [SLOW]},
    ],
    ids=lambda fields: next(reversed(fields)),
)
def test_a_pattern_that_would_be_matched_for_ever_is_refused(
    fields: dict[str, Any], copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patterns, "_PATIENCE", 1.0)
    edit_config(copied, **fields)
    with pytest.raises(WrongCheckpoint, match=r"adapter_config\.json: a pattern of layers takes more than 1 s"):
        load_model(str(copied))


@pytest.mark.parametrize("alpha", [0, float("nan"), float("inf")])
def test_a_scale_that_leaves_nothing_of_the_adapter_is_refused(alpha: float, copied: Path) -> None:
    edit_config(copied, lora_alpha=alpha)
    with pytest.raises(WrongCheckpoint, match=r"the scale of .*q_proj is"):
        load_model(str(copied))


def test_one_weight_under_two_spellings_is_refused(copied: Path) -> None:
    edit_weights(copied, lambda w: {**w, **{name.removeprefix(PREFIX): 2 * weight for name, weight in w.items()}})
    with pytest.raises(WrongCheckpoint, match="12 weights are there twice"):
        load_model(str(copied))


def test_weights_that_are_whole_numbers_are_refused(copied: Path) -> None:
    edit_weights(copied, lambda w: {name: (10 * weight).to(torch.int8) for name, weight in w.items()})
    with pytest.raises(WrongCheckpoint, match=r"torch\.int8"):
        load_model(str(copied))


def test_an_untrained_adapter_is_told(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit_weights(copied, lambda w: {name: weight * ("lora_A" in name) for name, weight in w.items()})
    assert torch.equal(logits(str(copied)), logits(TEXT))
    assert "the answers are the base model's" in capsys.readouterr().err


@pytest.mark.parametrize(("made_for", "put_on"), [("qwen2", "qwen2_5_vl"), ("qwen2_5_omni", "qwen2_audio")])
def test_layers_of_the_same_names_and_shapes_do_not_make_another_family_fit(
    made_for: str, put_on: str, tmp_path: Path
) -> None:
    adapter = make_adapter(tmp_path / "adapter", f"tiny:{made_for}")
    with pytest.raises(WrongCheckpoint, match=f"was made for {made_for}"):
        load_model(f"tiny:{put_on}", adapter=str(adapter))


def test_a_folder_with_a_whole_model_and_an_adapter_asks_which_is_meant(saved: Path, copied: Path) -> None:
    whole = tiny_folder("qwen2")
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(whole / name, copied)
    assert torch.equal(logits(str(copied)), logits_when_made(saved))  # the configuration alone is no model
    shutil.copy(whole / "model.safetensors", copied)
    for arguments in ({}, {"adapter": str(saved)}):
        with pytest.raises(WrongCheckpoint, match="only one can be meant"):
            load_model(str(copied), **arguments)
    assert torch.equal(logits(TEXT, adapter=str(copied)), logits_when_made(saved))
    (copied / CONFIG).unlink()
    assert torch.equal(logits(str(copied)), logits(TEXT))


@pytest.mark.parametrize("name", ["~nobody_of_this_name/x", "a" * 5000])
def test_a_name_that_can_be_no_path_is_told(name: str, copied: Path) -> None:
    edit_config(copied, base_model_name_or_path=name)
    calls: list[dict[str, Any]] = [
        {"path": name},
        {"path": str(copied)},
        {"path": TEXT, "adapter": name},
        {"path": TEXT, "processor": name},
    ]
    for arguments in calls:
        with pytest.raises(NotFound, match="can be no folder"):
            load_model(**arguments)


def _ask(kind: str, *arguments: Any) -> Instance:
    return Instance(kind, {}, arguments, 0, ("task", 0, 1))


@pytest.mark.parametrize("kind", ["generate_until", "loglikelihood"])
def test_a_model_that_gives_no_numbers_is_not_scored(kind: str, copied: Path, tmp_path: Path) -> None:
    edit_weights(copied, lambda w: {name: weight * 1e30 for name, weight in w.items()})  # finite, but not its products
    model = AffectLM(str(copied), device="cpu", answers=str(tmp_path / "answers"))
    second: Any = (
        {"until": [], "max_gen_toks": 3, "do_sample": False, "temperature": 0.0} if kind == "generate_until" else "joy"
    )
    with pytest.raises(NotFinite, match="the model's outputs are not finite") as caught:
        getattr(model, kind)([_ask(kind, "How does she feel?", second)])
    assert isinstance(caught.value, AffectError) and "float32" in caught.value.do
    assert not any(path.stat().st_size for path in (tmp_path / "answers").glob("*"))


def test_an_adapter_that_lost_its_configuration_is_not_published(copied: Path) -> None:
    (copied / "training_args.bin").write_bytes(b"")
    assert check_saved(copied, TEXT) == ""
    (copied / CONFIG).unlink()
    with pytest.raises(NotFound, match=r"an adapter without its adapter_config\.json"):
        check_saved(copied, TEXT)
