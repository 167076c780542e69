"""What four bits leave as it was is said: towers beside the language model, and experts."""

from __future__ import annotations

import pytest

from affectllm.evaluate.models.lm import AffectLM
from affectllm.model.family import find_family
from affectllm.model.load import Model, load_model
from affectllm.model.quantised import described


def in_four_bits(name: str) -> Model:
    return load_model(f"tiny:{name}", dtype="float32", quantization={"load_in_4bit": True})


def test_every_parameter_is_counted_once_and_towers_that_hear_are_left() -> None:
    towers = in_four_bits("qwen2_audio").quantised
    assert set(towers) == {"language", "audio", "projector", "head"}
    whole = sum(weight.numel() for weight in load_model("tiny:qwen2_audio").model.parameters())
    assert sum(its.quantised + its.left for its in towers.values()) == whole
    assert towers["audio"].quantised == towers["projector"].quantised == towers["head"].quantised == 0
    language = towers["language"]
    assert language.quantised > 0 and next(iter(language.largest)) == "model.language_model.embed_tokens.weight"


@pytest.mark.parametrize("name", ["qwen3_moe", "qwen3_vl_moe"])
def test_experts_that_stay_as_large_as_they_were_are_named(name: str) -> None:
    towers = in_four_bits(name).quantised
    prefix = find_family(name).towers["language"]
    assert f"{prefix}.layers.*.mlp.experts.gate_up_proj" in towers["language"].largest
    told = described(towers)
    assert "mlp.experts.gate_up_proj (" in told and "most of the language model stays as large as it was" in told
    assert "most of the language model" not in described(
        {"language": towers["language"].__class__(quantised=2, left=1, largest={})}
    )


@pytest.mark.parametrize("bits", ["4bit", "8bit"])
def test_an_evaluation_quantises_what_training_does_and_says_what_it_leaves(bits: str, capsys) -> None:
    model = AffectLM("tiny:qwen2_5_omni", **{f"load_in_{bits}": True}, dtype="float32")
    towers = model.get_model_info()["quantised"]
    assert {name for name, its in towers.items() if its["quantised"]} == {"language"}
    assert {"audio", "vision"} <= set(towers) and all(its["left"] for its in towers.values())
    kinds = {model.loaded.family.tower_of(name) for name in quantised_layers(model)}
    assert kinds == {"language"}
    assert "quantised: 0% of audio; " in capsys.readouterr().err


def quantised_layers(model: AffectLM) -> list[str]:
    """The names of all layers of few bits."""
    layers = model.loaded.model.named_modules()
    return [name for name, module in layers if type(module).__name__ in ("Linear4bit", "Linear8bitLt")]


def test_a_page_may_name_other_layers_that_stay_whole() -> None:
    skipped = {"load_in_4bit": True, "llm_int8_skip_modules": ["lm_head"]}
    towers = load_model("tiny:qwen2_audio", dtype="float32", quantization=skipped).quantised
    assert towers["audio"].quantised > 0 and towers["language"].quantised > 0
