"""What four bits leave as it was is said: towers beside the language model, and experts."""

from __future__ import annotations

import pytest

from affectllm.model.family import find_family
from affectllm.model.load import Model, load_model
from affectllm.model.quantised import by_tower, described


def in_four_bits(name: str) -> Model:
    kept = find_family(name).beside_the_language_model()
    return load_model(
        f"tiny:{name}", dtype="float32", quantization={"load_in_4bit": True, "llm_int8_skip_modules": kept}
    )


def test_every_parameter_is_counted_once_and_towers_that_hear_are_left() -> None:
    towers = by_tower(in_four_bits("qwen2_audio"))
    assert set(towers) == {"language", "audio", "projector", "head"}
    whole = sum(weight.numel() for weight in load_model("tiny:qwen2_audio").model.parameters())
    assert sum(its.quantised + its.left for its in towers.values()) == whole
    assert towers["audio"].quantised == towers["projector"].quantised == towers["head"].quantised == 0
    language = towers["language"]
    assert language.quantised > 0 and next(iter(language.largest)) == "model.language_model.embed_tokens.weight"


@pytest.mark.parametrize("name", ["qwen3_moe", "qwen3_vl_moe"])
def test_experts_that_stay_as_large_as_they_were_are_named(name: str) -> None:
    towers = by_tower(in_four_bits(name))
    prefix = find_family(name).towers["language"]
    assert f"{prefix}.layers.*.mlp.experts.gate_up_proj" in towers["language"].largest
    told = described(towers)
    assert "mlp.experts.gate_up_proj (" in told and "most of the language model stays as large as it was" in told
    assert "most of the language model" not in described(
        {"language": towers["language"].__class__(quantised=2, left=1, largest={})}
    )
