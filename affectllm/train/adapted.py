"""Select the trained parts of a model: frozen towers and LoRA layers. A name that matches nothing is an error."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe
from affectllm.model.family import Family, Towers
from affectllm.model.heads.backbones import LAYERS
from affectllm.model.load import Model
from affectllm.train.method import find_method
from affectllm.train.recipe import Recipe

if TYPE_CHECKING:
    from peft import LoraConfig

_ALL = "all-linear"  # PEFT's word for every linear layer
_BY_NAME = ("target_modules", "exclude_modules", "modules_to_save", "rank_pattern", "alpha_pattern")


def lora(recipe: Recipe, model: Model) -> LoraConfig | None:
    """Return PEFT's LoRA configuration for a recipe; None where it has none.

    Raises:
        BadRecipe: when a tower or a layer that is named is not in the model.
    """
    if recipe.peft is None:
        return None
    from peft import LoraConfig

    fields = dict(recipe.peft)
    for key in _BY_NAME:
        _check_names(fields.get(key), model, f"peft.{key}")
    if "target_modules" not in fields:
        towers = recipe.model.adapt or {"language": None}
        check_towers(towers, model)
        fields |= adapting(model, towers, fields.get("exclude_modules"), fields.get("target_parameters") or ())
    _check_parameters(fields, model)
    if find_method(recipe.method).heads:
        fields["modules_to_save"] = [*(fields.get("modules_to_save") or ()), LAYERS]
        return LoraConfig(**fields)
    return LoraConfig(**{"task_type": "CAUSAL_LM", **fields})


def adapting(
    model: Model, towers: Towers, excluded: str | Collection[str] | None = None, also: Iterable[str] = ()
) -> dict[str, Any]:
    """PEFT's fields for what is adapted in each tower, and nothing elsewhere.

    Args:
        towers: tower → names of layers, or of weights that are no layer (experts); None for the family's defaults.
        excluded: what is left out all the same, as a pattern or as ends of names.
        also: further ends of names of weights that are no layer.
    """
    pattern, weights = model.family.lora_regex(towers), model.family.lora_parameters(towers)
    fields: dict[str, Any] = only_these(pattern, excluded) if pattern else {"target_modules": []}
    named = [name for name, _ in model.model.named_parameters() if weights and re.fullmatch(weights, name)]
    return {**fields, "target_parameters": [*named, *also]} if named or also else fields


def _check_parameters(fields: Mapping[str, Any], model: Model) -> None:
    wanted = fields.get("target_parameters") or ()
    names = [name for name, _ in model.model.named_parameters()]
    for one in wanted:
        if not any(_is(name, one) for name in names):
            raise _no_layer(f"peft.target_parameters: {model.path} has no weight {one!r}", one, names)
    if wanted and fields.get("lora_dropout"):
        raise BadRecipe(
            f"peft.lora_dropout cannot be had for {wanted[0]}: it is a weight and no layer",
            do="set it to 0, or adapt layers alone",
        )


def only_these(pattern: str, excluded: str | Collection[str] | None = None) -> dict[str, str]:
    """Return PEFT's ``target_modules`` and ``exclude_modules`` for exactly the layers that ``pattern`` matches.

    Of models with experts PEFT keeps only the last words of the layers that a pattern finds, and would adapt all layers
    of these names, in whichever tower.

    Args:
        pattern: a regular expression for whole names.
        excluded: what is left out all the same, as a pattern or as ends of names.
    """
    others = rf"(?!(?:{pattern})$).*"
    if excluded and not isinstance(excluded, str):
        excluded = rf"(?:.*\.)?(?:{'|'.join(map(re.escape, excluded))})"
    return {"target_modules": pattern, "exclude_modules": f"(?:{excluded})|(?:{others})" if excluded else others}


def freeze(model: Model, recipe: Recipe) -> None:
    """Freeze the towers that the recipe names.

    Raises:
        BadRecipe: when a tower has no parameter, or nothing is left to train.
    """
    for tower in recipe.model.freeze:
        model.family.tower(tower)
        weights = [weight for name, weight in model.model.named_parameters() if model.family.tower_of(name) == tower]
        if not weights:
            raise BadRecipe(f"model.freeze: {model.path} has no weight in its tower {tower}", do="leave it out")
        for weight in weights:
            weight.requires_grad_(False)
    if find_method(recipe.method).heads:
        return  # its layers are trained
    if recipe.peft is None and not any(weight.requires_grad for weight in model.model.parameters()):
        raise BadRecipe("nothing is left to train: every weight is frozen", do="take a tower out of model.freeze")


def check_towers(towers: Towers, model: Model) -> None:
    """Check that every tower, and every layer named in it, is in the model.

    Raises:
        BadRecipe: with the nearest names.
    """
    for tower, layers in towers.items():
        family = model.family
        available = [*_layers(model), *_bare_weights(model, tower)]
        inside = [name for name in available if any(_below(name, prefix) for prefix in family.prefixes(tower))]
        layer_names = (family.targets[tower] or family.parameters.get(tower, ())) if layers is None else layers
        lost = [layer for layer in layer_names if not any(_reaches(family, tower, layer, name) for name in inside)]
        # Some of a family's default layers are only in some of its models.
        if lost and (layers is not None or len(lost) == len(layer_names)):
            raise _no_layer(f"model.adapt: the tower {tower} of {model.path} has no layer {lost[0]!r}", lost[0], inside)
        if not layer_names:
            raise BadRecipe(f"model.adapt names no layer of the tower {tower}", do="write null for the default layers")


def _check_names(targets: Any, model: Model, key: str) -> None:
    names = [name for name, _ in model.model.named_modules() if name]
    if isinstance(targets, str):
        if targets != _ALL and not any(re.fullmatch(targets, name) for name in names):
            raise BadRecipe(f"{key}: no layer of {model.path} matches {targets!r}", do="write it for whole names")
        return
    pattern = isinstance(targets, Mapping)
    for layer in targets or ():
        if not any(re.match(rf"(.*\.)?({layer})$", name) if pattern else _is(name, layer) for name in names):
            raise _no_layer(f"{key}: {model.path} has no layer {layer!r}", layer, names)


def _reaches(family: Family, tower: str, layer: str, name: str) -> bool:
    named = {tower: [layer]}
    return any(re.fullmatch(pattern, name) for pattern in (family.lora_regex(named), family.lora_parameters(named)))


def _below(name: str, prefix: str) -> bool:
    return f"{name}.".startswith(f"{prefix}.")


def _is(name: str, layer: str) -> bool:
    return name == layer or name.endswith(f".{layer}")


def _layers(model: Model) -> list[str]:
    """Return the names of the layers that LoRA can adapt."""
    from torch import nn

    kinds = (nn.Linear, nn.Embedding, nn.Conv1d, nn.Conv2d, nn.Conv3d)
    return [name for name, module in model.model.named_modules() if isinstance(module, kinds)]


def _bare_weights(model: Model, tower: str) -> list[str]:
    """Return the names of the weights of a tower that are no layer, as the family lists them."""
    listed = model.family.parameters.get(tower, ())
    return [name for name, _ in model.model.named_parameters() if any(_is(name, one) for one in listed)]


def _no_layer(message: str, layer: str, names: Iterable[str]) -> BadRecipe:
    available = sorted({part for name in names for part in (name.rpartition(".")[2],) if not part.isdigit()})
    nearest = difflib.get_close_matches(layer.rpartition(".")[2], available, cutoff=0.4) or available[:12]
    return BadRecipe(message, do=f"did you mean {' or '.join(nearest)}?")
