"""Adapters are loaded under every usual spelling of their names, and refused when a weight does not fit."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from adapting import CONFIG, WEIGHTS, edit_config, edit_weights, logits, logits_when_made, make_adapter, rename

from affectllm.errors import AffectError, NotFound, WrongCheckpoint
from affectllm.model.load import load_model, weights_digest

OMNI = "tiny:qwen2_5_omni"
PREFIX = "base_model.model."


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_adapter(tmp_path_factory.mktemp("adapter") / "saved", OMNI)


@pytest.fixture(scope="module")
def answer(saved: Path) -> torch.Tensor:
    return logits_when_made(saved)


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "adapter"))


def older(name: str) -> str:
    """The names of transformers before towers and language model shared a parent."""
    name = name.replace("model.model.language_model.", "model.model.")
    return re.sub(r"model\.model\.(visual|audio_tower)\.", r"model.\1.", name)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "as saved": lambda name: name,
    "the whole model": lambda name: name.replace(PREFIX, PREFIX + "thinker."),
    "without PEFT's prefix": lambda name: name.removeprefix(PREFIX),
    "the whole model without PEFT's prefix": lambda name: name.replace(PREFIX, "thinker."),
    "data parallel": lambda name: "module." + name,
    "compiled": lambda name: "_orig_mod." + name,
    "compiled inside": lambda name: name.replace(PREFIX, PREFIX + "_orig_mod."),
    "compiled and data parallel": lambda name: "module._orig_mod." + name,
    "FSDP": lambda name: name.replace(".layers.0.", ".layers.0._fsdp_wrapped_module."),
    "older": older,
    "older, the whole model": lambda name: older(name).replace(PREFIX, PREFIX + "thinker."),
    "with the adapter's name": lambda name: name.replace(".weight", ".default.weight"),
    "with another name of the adapter": lambda name: name.replace(".weight", ".emotions.weight"),
    "everything": lambda name: (
        "module." + older(name).replace(PREFIX, PREFIX + "thinker.").replace("A.w", "A.default.w")
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_usual_spellings_of_the_same_weights_are_understood(
    spelling: str, copied: Path, answer: torch.Tensor
) -> None:
    rename(copied, SPELLINGS[spelling])
    assert torch.equal(logits(str(copied)), answer)
    assert torch.equal(logits(OMNI, adapter=str(copied)), answer)
    assert not torch.allclose(logits(OMNI), answer, atol=0.1)


TARGETS = {
    "a regex of the older names": ("older", r"model\.layers\.\d+\.self_attn\.(q|v)_proj"),
    "a regex of the whole model": ("older, the whole model", r"^thinker\.model(?=\.).*\.(q_proj|v_proj)$"),
    "a list of the whole model's names": (
        "older, the whole model",
        [f"thinker.model.layers.{n}.self_attn.{p}" for n in range(3) for p in ("q_proj", "v_proj")],
    ),
    "an older configuration of renamed weights": ("as saved", r"thinker\.model\.layers\..*\.(q_proj|v_proj)"),
}


@pytest.mark.parametrize("case", TARGETS)
def test_a_configuration_in_the_writers_names_means_the_same_layers(case: str, tmp_path: Path) -> None:
    layers = r"model\.language_model\..*\.(q_proj|v_proj)"
    adapter = make_adapter(
        tmp_path / "adapter",
        OMNI,
        target_modules=layers,
        rank_pattern={r"model.language_model.layers.1.self_attn.q_proj": 2},
        alpha_pattern={r"model.language_model.layers.0.self_attn.v_proj": 64},
    )
    expected = logits_when_made(adapter)
    spelling, targets = TARGETS[case]
    rename(adapter, SPELLINGS[spelling])
    theirs = "thinker.model" if "thinker" in str(targets) else "model"
    edit_config(
        adapter,
        target_modules=targets,
        rank_pattern={f"{theirs}.layers.1.self_attn.q_proj": 2},
        alpha_pattern={f"{theirs}.layers.0.self_attn.v_proj": 64},
    )
    assert torch.equal(logits(str(adapter)), expected)


KINDS: dict[str, dict[str, Any]] = {
    "dora": {"use_dora": True},
    "ranks by pattern": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 32}},
    "biases": {"lora_bias": True},
    "head saved whole": {"modules_to_save": ["lm_head"]},
    "embedding adapted": {"target_modules": ["q_proj", "embed_tokens"]},
    "tokens trained": {"trainable_token_indices": {"embed_tokens": [3, 5]}},
    "parameters": {"target_modules": None, "target_parameters": ["q_proj.weight", "gate_proj.weight"]},
    "one layer of each": {"layers_to_transform": [1], "layers_pattern": "layers"},
}


@pytest.mark.parametrize("spelling", ["as saved", "older, the whole model"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_adapter_that_fits_is_refused(kind: str, spelling: str, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", OMNI, **KINDS[kind])
    expected = logits_when_made(adapter)
    rename(adapter, SPELLINGS[spelling])
    assert torch.equal(logits(str(adapter)), expected)
    assert not torch.equal(logits(OMNI), expected)


def test_embeddings_that_were_saved_beside_an_adapter_are_loaded(copied: Path, answer: torch.Tensor) -> None:
    embedding = load_model(OMNI).model.get_input_embeddings().weight.detach() * 1.5
    edit_weights(copied, lambda w: {**w, PREFIX + "model.language_model.embed_tokens.weight": embedding})
    assert not torch.equal(logits(str(copied)), answer)
    edit_weights(copied, lambda w: {**w, PREFIX + "model.language_model.embed_tokens.weight": embedding[:-1]})
    with pytest.raises(WrongCheckpoint, match=r"embed_tokens\.weight is \["):
        load_model(str(copied))


def test_a_head_saved_whole_is_understood_with_the_wrappers_names(tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", OMNI, modules_to_save=["lm_head"])
    rename(adapter, lambda name: name.replace("lm_head.weight", "lm_head.modules_to_save.default.weight"))
    edit_weights(adapter, lambda w: {**w, PREFIX + "lm_head.original_module.weight": torch.zeros(3)})
    assert torch.equal(logits(str(adapter)), logits_when_made(adapter))


def test_weights_beside_the_part_that_answers_are_told_and_left(
    copied: Path, answer: torch.Tensor, capsys: pytest.CaptureFixture[str]
) -> None:
    def whole(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        named = {name.replace(PREFIX, PREFIX + "thinker."): weight for name, weight in weights.items()}
        return {**named, PREFIX + "talker.model.layers.0.self_attn.q_proj.lora_A.weight": torch.ones(4, 8)}

    edit_weights(copied, whole)
    assert torch.equal(logits(str(copied)), answer)
    assert "1 weights of the adapter belong to parts that are not loaded (talker." in capsys.readouterr().err


FAMILIES = {
    "qwen2_audio": (
        lambda n: re.sub(r"model\.model\.(audio_tower|multi_modal_projector)", r"model.\1", n).replace(
            "model.model.language_model.", "model.language_model.model."
        )
    ),
    "qwen2_5_vl": older,
    "qwen2": lambda n: n.removeprefix(PREFIX),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_older_names_of_every_family_are_understood(family: str, tmp_path: Path) -> None:
    adapter = make_adapter(tmp_path / "adapter", f"tiny:{family}", target_modules=["q_proj", "fc1", "linear", "qkv"])
    expected = logits_when_made(adapter)
    rename(adapter, FAMILIES[family])
    assert torch.equal(logits(str(adapter)), expected)


# ── what does not fit ────────────────────────────────────────────────────────────────────────────────────────────────


def without_half(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: weight for number, (name, weight) in enumerate(sorted(weights.items())) if number % 2}


def with_a_stranger(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**weights, PREFIX + "model.language_model.layers.9.self_attn.q_proj.lora_A.weight": torch.ones(4, 128)}


def of_other_modules(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.replace("self_attn", "attention"): weight for name, weight in weights.items()}


MISFITS: dict[str, tuple[Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]], str]] = {
    "half of it": (without_half, r"lacks \d+ of the \d+ weights that its configuration names, for example .*lora_A"),
    "one too few": (lambda w: dict(list(w.items())[1:]), "lacks 1 of the"),
    "one too many": (with_a_stranger, "1 of the adapter's .* have no place in the model, for example .*layers.9"),
    "other modules": (of_other_modules, "have no place in the model, for example .*attention"),
    "another width": (lambda w: {n: t[:, : t.shape[1] // 2] for n, t in w.items()}, r"is \[4, \d+\], but \[4, \d+\]"),
    "another layout": (lambda w: {n: t.T for n, t in w.items()}, r"is \[\d+, 4\], but \[4, \d+\]"),
    "one fused layer": (
        lambda w: {n.replace("q_proj", "qkv_proj"): t for n, t in w.items() if "v_proj" not in n},
        "no place in the model, for example .*qkv_proj",
    ),
    "nothing": (lambda w: {}, "holds no weights"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_an_adapter_that_does_not_fit_is_refused_with_an_example(case: str, copied: Path) -> None:
    change, message = MISFITS[case]
    edit_weights(copied, change)
    for arguments in ({"path": str(copied)}, {"path": OMNI, "adapter": str(copied)}):
        with pytest.raises(WrongCheckpoint, match=message) as caught:
            load_model(**arguments)
        assert str(copied) in caught.value.where


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"r": 8}, r"is \[4, \d+\], but \[8, \d+\]"),
        ({"target_modules": ["q_proj"]}, "no place in the model"),
        ({"target_modules": ["nose"]}, "does not fit the model: .*nose"),
        ({"rank_pattern": {"w_pack": 2}}, "rank_pattern .* names layers that the model lacks, for example w_pack"),
        ({"alpha_pattern": {"layers.77.q_proj": 2}}, "alpha_pattern .* layers.77.q_proj"),
        ({"peft_type": "LORE"}, "does not fit the model"),
        ({"peft_type": None}, "does not fit the model"),
    ],
)
def test_a_configuration_that_does_not_fit_its_weights_is_refused(
    fields: dict[str, Any], message: str, copied: Path
) -> None:
    edit_config(copied, **fields)
    with pytest.raises(WrongCheckpoint, match=message):
        load_model(str(copied))


def test_an_adapter_of_another_family_is_refused(copied: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="was made for qwen2_5_omni"):
        load_model("tiny:qwen2", adapter=str(copied))


@pytest.mark.parametrize("base", [None, "", 5, ...])
def test_an_adapter_without_a_base_model_asks_for_one(base: Any, copied: Path, answer: torch.Tensor) -> None:
    import json

    page = json.loads((copied / CONFIG).read_text())
    del page["base_model_name_or_path"]
    (copied / CONFIG).write_text(json.dumps(page if base is ... else {**page, "base_model_name_or_path": base}))
    with pytest.raises(WrongCheckpoint, match="names no base model") as caught:
        load_model(str(copied))
    assert f"adapter={copied}" in caught.value.do
    assert torch.equal(logits(OMNI, adapter=str(copied)), answer)


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", '"x"', "\x00", "[" * 100_000])
def test_a_configuration_that_is_no_object_is_named(text: str, copied: Path) -> None:
    (copied / CONFIG).write_text(text)
    for arguments in ({"path": str(copied)}, {"path": OMNI, "adapter": str(copied)}):
        with pytest.raises(WrongCheckpoint, match="JSON") as caught:
            load_model(**arguments)
        assert caught.value.where.endswith(CONFIG)


def cut(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-100])


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "adapter_model.bin")


def gone(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def stand_in(folder: Path) -> None:
    (folder / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def with_nan(folder: Path) -> None:
    edit_weights(folder, lambda w: {n: t.fill_(float("nan")) if "layers.1" in n else t for n, t in w.items()})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut, "is cut off"),
        (pickled, r"pickle .*(?s:.)*save_file"),
        (gone, f"there is no {WEIGHTS}"),
        (stand_in, "git lfs pull"),
        (with_nan, r"layers\.1.* is not finite"),
    ],
)
def test_broken_weights_of_an_adapter_are_named(damage: Callable[[Path], None], message: str, copied: Path) -> None:
    damage(copied)
    for look in (lambda: load_model(str(copied)), lambda: weights_digest(OMNI, str(copied))):
        with pytest.raises(WrongCheckpoint, match=message):
            look()


def test_an_adapter_on_an_adapter_and_one_that_is_nowhere_are_explained(copied: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongCheckpoint, match="is an adapter itself"):
        load_model(str(copied), adapter=str(copied))
    second = make_adapter(tmp_path / "second", OMNI)
    edit_config(second, base_model_name_or_path=str(copied))
    with pytest.raises(WrongCheckpoint, match="is an adapter itself"):
        load_model(str(second))
    edit_config(second, base_model_name_or_path="/nowhere/base")
    with pytest.raises(NotFound, match="/nowhere/base"):
        load_model(str(second))
    with pytest.raises(AffectError, match="there is no adapter folder"):
        load_model(OMNI, adapter=str(tmp_path / "none"))


def test_the_digest_of_weights_follows_the_adapter_and_its_base(copied: Path) -> None:
    before = weights_digest(str(copied))
    assert before == weights_digest(OMNI, str(copied)) == load_model(str(copied)).fingerprint
    edit_weights(copied, lambda w: {name: tensor * 2 for name, tensor in w.items()})
    assert weights_digest(str(copied)) != before


# ── training that goes on from an adapter ────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.thorough
def test_training_goes_on_from_an_adapter_and_refuses_a_second_one(small_demo: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file
    from tuning import PAGE, affectllm, succeed, write_page

    adapter = make_adapter(tmp_path / "adapter", "tiny:qwen2")
    before = load_file(adapter / WEIGHTS)
    rename(adapter, SPELLINGS["compiled"])
    part = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words"}
    changes: dict[str, Any] = {"model": {"path": str(adapter), "backbone": "qwen2"}, "data": {"mixture": [part]}}
    trainer = {"max_steps": 2, "save_strategy": "no", "learning_rate": 1.0e-5}
    page = write_page(tmp_path, **changes, trainer=trainer)
    words = ("--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"))
    succeed("train", str(page), *words)
    after = load_file(tmp_path / "run" / "train" / "final" / WEIGHTS)
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-3) for name in before)
    assert any(not torch.equal(before[name], after[name]) for name in before)
    page = write_page(tmp_path, **changes, trainer=trainer, peft={"r": 4})
    done = affectllm("train", str(page), *words[:2], "--out", str(tmp_path / "second"))
    assert done.returncode != 0 and "is an adapter already" in done.stderr
    edit_weights(adapter, without_half)
    done = affectllm("train", str(write_page(tmp_path, **changes)), *words[:2], "--out", str(tmp_path / "third"))
    assert done.returncode != 0 and "lacks" in done.stderr and not (tmp_path / "third" / "train" / "final").exists()
