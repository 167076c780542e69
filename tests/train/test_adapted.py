"""LoRA lands in every tower that is named and nowhere else; a name that leads nowhere is answered with the nearest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tuning import write_page

from affectllm.errors import BadRecipe
from affectllm.model.family import families
from affectllm.model.load import Model, load_model
from affectllm.train.adapted import freeze, lora
from affectllm.train.recipe import Recipe, load_recipe

TOWERS = [(family.name, tower) for family in families().values() for tower in family.towers]
TEXT = {"corpus": "demo_affect", "template": "emotion_choice", "space": "demo_affect_5", "rater": "words"}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load_recipe_and_model(
        family: str, model: dict[str, Any], peft: dict[str, Any] | None = None
    ) -> tuple[Recipe, Model]:
        named = {"path": f"tiny:{family}", "backbone": family, **model}
        data = {"mixture": [{**TEXT, "modalities": ["text"]}]}
        page = write_page(tmp_path, model=named, data=data, peft=peft)
        return load_recipe(str(page)), load_model(f"tiny:{family}")

    return load_recipe_and_model


def adapted_layers(recipe: Recipe, model: Model) -> set[str]:
    """Modules of the base model that got an adapter."""
    from peft import get_peft_model
    from peft.tuners.tuners_utils import BaseTunerLayer

    tuned = get_peft_model(model.model, lora(recipe, model))
    return {name for name, module in tuned.base_model.model.named_modules() if isinstance(module, BaseTunerLayer)}


@pytest.mark.parametrize(("family", "tower"), TOWERS)
def test_lora_lands_in_the_named_tower_and_nowhere_else(family: str, tower: str, load: Any) -> None:
    layers = adapted_layers(*load(family, {"adapt": {tower: None}}, {"r": 4}))
    assert {families()[family].tower_of(name) for name in layers} == {tower}


@pytest.mark.parametrize("family", families())
def test_all_towers_at_once_get_what_each_gets_alone(family: str, load: Any) -> None:
    towers = families()[family].towers
    alone = [adapted_layers(*load(family, {"adapt": {tower: None}}, {"r": 4})) for tower in towers]
    assert adapted_layers(*load(family, {"adapt": dict.fromkeys(towers)}, {"r": 4})) == set().union(*alone)


def test_layers_are_meant_by_their_whole_names(load: Any) -> None:
    adapt = {"vision": ["q", "merger.mlp.0"], "language": ["o_proj"]}
    layers = adapted_layers(*load("qwen2_5_omni", {"adapt": adapt}, {"r": 4}))
    assert {name.rpartition(".")[2] for name in layers} == {"q", "0", "o_proj"}
    assert "model.visual.merger.mlp.0" in layers


REFUSED = [
    ({"adapt": {"language": ["q_prj"]}}, {"r": 4}, "tower language .* no layer 'q_prj'(?s:.)*q_proj"),
    ({"adapt": {"audio": ["q_proj", "gate_proj"]}}, {"r": 4}, "tower audio .* no layer 'gate_proj'"),
    ({"adapt": {"language": ["roj"]}}, {"r": 4}, "no layer 'roj'"),
    ({"adapt": {"language": ["experts.gate_up_proj"]}}, {"r": 4}, "tower language .* no layer 'experts.gate_up_proj'"),
    ({}, {"r": 4, "target_parameters": ["experts.gate"]}, "peft.target_parameters: .* no weight 'experts.gate'"),
    ({"adapt": {"language": []}}, {"r": 4}, "names no layer"),
    ({}, {"r": 4, "target_modules": ["q_proj", "c_attn"]}, "peft.target_modules: .* no layer 'c_attn'"),
    ({}, {"r": 4, "target_modules": r"model\.layers\..*\.q_proj"}, "peft.target_modules: no layer .* matches"),
    ({}, {"r": 4, "modules_to_save": ["score"]}, "peft.modules_to_save: .* no layer 'score'"),
    ({}, {"r": 4, "rank_pattern": {"q_pro": 2}}, "peft.rank_pattern: .* no layer 'q_pro'"),
]


@pytest.mark.parametrize(("model", "peft", "message"), REFUSED)
def test_a_layer_that_is_not_there_is_answered_with_the_nearest(model: Any, peft: Any, message: str, load: Any) -> None:
    recipe, loaded = load("qwen2_5_omni", model, peft)
    with pytest.raises(BadRecipe, match=message):
        lora(recipe, loaded)


@pytest.mark.parametrize(
    ("family", "inner"),
    [
        (name, inner)
        for name, family in families().items()
        for inner, below in family.towers.items()
        if any(below.startswith(f"{outer}.") for outer in family.towers.values())
    ],
)
def test_a_tower_within_another_is_frozen_and_adapted_apart(family: str, inner: str, load: Any) -> None:
    own = families()[family]
    outer = next(name for name, prefix in own.towers.items() if own.towers[inner].startswith(f"{prefix}."))
    recipe, loaded = load(family, {"freeze": [outer]})
    freeze(loaded, recipe)
    trained = {own.tower_of(name) for name, weight in loaded.model.named_parameters() if weight.requires_grad}
    assert inner in trained and outer not in trained
    reached = adapted_layers(*load(family, {"adapt": {inner: None}}, {"r": 4}))
    apart = {prefix for prefix, tower in own.apart.items() if tower == inner}
    for prefix in {own.towers[inner], *apart}:
        assert any(f"{name}.".startswith(f"{prefix}.") for name in reached), prefix


@pytest.mark.parametrize("family", ["qwen2"])
def test_a_model_of_which_everything_is_frozen_is_refused(family: str, load: Any) -> None:
    recipe, loaded = load(family, {"freeze": list(families()[family].towers)})
    with pytest.raises(BadRecipe, match="nothing is left to train"):
        freeze(loaded, recipe)


@pytest.mark.parametrize(("family", "tower"), [pair for pair in TOWERS if len(families()[pair[0]].towers) > 1])
def test_a_frozen_tower_and_nothing_else_is_frozen(family: str, tower: str, load: Any) -> None:
    recipe, loaded = load(family, {"freeze": [tower]})
    freeze(loaded, recipe)
    still = {name for name, weight in loaded.model.named_parameters() if not weight.requires_grad}
    weights = [name for name, _ in loaded.model.named_parameters()]
    assert still == {name for name in weights if families()[family].tower_of(name) == tower} and still
