"""Load PEFT adapters strictly: every weight has its place in the model, or nothing is loaded.

PEFT only warns where an adapter's names lead nowhere, and the base model would answer under the adapter's name.
"""

from __future__ import annotations

import copy
import math
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import NotFound, WrongCheckpoint
from affectllm.model.family import Family
from affectllm.model.weights.checkpoint import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    check_regular,
    folder_named,
    read_object,
)
from affectllm.model.weights.patterns import check_patterns_end
from affectllm.model.weights.spelling import PEFT_PREFIX, Spelling, bare, module_of, spelling_of, spellings
from affectllm.model.weights.weight_files import check_finite, header

if TYPE_CHECKING:
    import torch

_PICKLE = "adapter_model.bin"
_CONVERT = (
    "pickles may run code when they are read; convert it where you trust its source: "
    'python -c "import torch; from safetensors.torch import save_file; '
    "save_file({{k: v.contiguous() for k, v in torch.load('{0}/adapter_model.bin', weights_only=True).items()}}, "
    "'{0}/adapter_model.safetensors')\""
)


def base_of(folder: Path) -> str:
    """Return the base model that an adapter's configuration names.

    Raises:
        WrongCheckpoint: when the configuration is broken or names none.
    """
    base = read_object(folder / ADAPTER_CONFIG).get("base_model_name_or_path")
    if not isinstance(base, str) or not base.strip():
        raise WrongCheckpoint(
            f"{ADAPTER_CONFIG} names no base model",
            where=str(folder),
            do=f"name it: pretrained=MODEL,adapter={folder}, or write it under base_model_name_or_path",
        )
    return base


def check_adapter(folder: Path) -> None:
    """Check that an adapter's files are present, complete, and hold finite numbers.

    Raises:
        NotFound: when the folder holds no adapter.
        WrongCheckpoint: when a file is broken or a pickle.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        raise NotFound(f"{folder} has no {ADAPTER_CONFIG}", do="name the folder that PEFT's save_pretrained made")
    check_regular(folder)
    read_object(folder / ADAPTER_CONFIG)
    if not (folder / ADAPTER_WEIGHTS).is_file():
        if (folder / _PICKLE).is_file():
            message = f"the weights of the adapter are a pickle ({_PICKLE})"
            raise WrongCheckpoint(message, where=str(folder), do=_CONVERT.format(folder))
        raise WrongCheckpoint(f"there is no {ADAPTER_WEIGHTS}", where=str(folder), do="copy it here, or train again")
    if not header(folder / ADAPTER_WEIGHTS):
        raise WrongCheckpoint("holds no weights", where=str(folder / ADAPTER_WEIGHTS), do="train again")
    check_finite(folder)


def local_adapter(adapter: str) -> Path:
    """Return the folder of an adapter; one of the Hub is downloaded.

    Raises:
        NotFound: when there is none of that name.
    """
    folder = folder_named(adapter)
    if folder.is_dir():
        return folder
    if adapter.startswith((".", "/", "~")) or adapter.count("/") != 1:
        raise NotFound(f"there is no adapter folder {adapter}", do="give a folder or a Hub id")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(adapter, allow_patterns=["adapter_*"]))
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        message = f"the adapter {adapter} cannot be had: {str(error).splitlines()[0]}"
        raise NotFound(message, do="check the name and your connection (HF_HUB_OFFLINE)") from error


def put_on(network: Any, folder: Path, family: Family, *, trainable: bool = False) -> Any:
    """Wrap ``network`` with the adapter in ``folder``, as a ``PeftModel``.

    Raises:
        WrongCheckpoint: when a weight has no place in the model, is missing, or is of another shape.
    """
    from peft import set_peft_model_state_dict

    tuned, placed = fitted(network, folder, family, trainable=trainable)
    result: Any = set_peft_model_state_dict(tuned, placed)
    if result.unexpected_keys:  # what was compared above is what PEFT made of its own names
        raise _misfit(folder, f"{len(result.unexpected_keys)} weights found no place", result.unexpected_keys[0])
    ends = [tensor for name, tensor in placed.items() if ".lora_B" in name]
    if len(ends) * 2 >= len(placed) and not any(bool(tensor.any()) for tensor in ends):
        print(
            f"{folder}: lora_B is 0 everywhere, as before training: the answers are the base model's", file=sys.stderr
        )
    return tuned if trainable else tuned.eval()


def fitted(
    network: Any, folder: Path, family: Family, *, trainable: bool = False
) -> tuple[Any, dict[str, torch.Tensor]]:
    """Add empty layers for an adapter to ``network``, and return it with the adapter's weights under PEFT's names.

    ``network`` may lie on the device ``meta``.

    Raises:
        WrongCheckpoint: as ``put_on``.
    """
    import torch
    from peft import PeftConfig, PeftModel, get_peft_model_state_dict
    from safetensors.torch import load_file

    _check_family(folder, family)
    weights = _part_of_this_model(load_file(folder / ADAPTER_WEIGHTS), family, folder)
    modules = {name for name, _ in network.named_modules()}
    way = spelling_of(weights, family, modules)
    names = modules | {way.write(name) for name in modules}
    check_patterns_end(read_object(folder / ADAPTER_CONFIG), names, folder / ADAPTER_CONFIG)
    weights = {way.read(name): tensor for name, tensor in weights.items()}
    try:
        config = PeftConfig.from_pretrained(str(folder))
        config = _in_our_names(config, network, family, way, {module_of(name) for name in weights})
        config.inference_mode = not trainable
        _check_patterns(config, network, folder)
        tuned = PeftModel(network, config)
    except _REFUSALS as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        message = f"the adapter does not fit the model: {next(iter(str(error).splitlines()), repr(error))[:300]}"
        raise WrongCheckpoint(message, where=str(folder), do=_OTHER_BASE) from error
    _check_scales(tuned, folder)
    expected = get_peft_model_state_dict(tuned, save_embedding_layers=False)
    places = {bare(name): name for name in expected}
    places |= _embeddings(tuned, set(weights) - set(places))
    _compare(weights, {bare(name): tensor for name, tensor in expected.items()}, tuned, places, folder)
    return tuned, {places[name]: tensor for name, tensor in weights.items()}


# PEFT reads a configuration as it comes; a value of another type or range fails somewhere inside.
_REFUSALS = (ValueError, TypeError, LookupError, AttributeError, ImportError, RuntimeError, re.error)
_OTHER_BASE = "name the model that the adapter was made for, or train again"


def _misfit(folder: Path, message: str, example: str) -> WrongCheckpoint:
    return WrongCheckpoint(f"{message}, for example {example}", where=str(folder), do=_OTHER_BASE)


def _check_family(folder: Path, family: Family) -> None:
    """Check that an adapter was not made for another family, whose layers may have the same names and shapes."""

    mapping: Any = read_object(folder / ADAPTER_CONFIG).get("auto_mapping")
    library = str(mapping.get("parent_library")) if isinstance(mapping, dict) else ""
    ours = family.network_class().__module__
    if library.startswith("transformers.models.") and library.split(".")[2] != ours.split(".")[2]:
        base = mapping.get("base_model_class")
        message = f"the adapter was made for {library.split('.')[2]} ({base}), not for {family.name}"
        raise WrongCheckpoint(message, where=str(folder / ADAPTER_CONFIG), do=_OTHER_BASE)


def _check_scales(tuned: Any, folder: Path) -> None:
    """Check that every layer's scale is finite and not 0: the weights alone do not determine what is added."""
    for name, module in tuned.named_modules():
        scales = getattr(module, "scaling", None)
        for scale in scales.values() if isinstance(scales, dict) else ():
            if not math.isfinite(scale) or scale == 0:
                message = f"the scale of {name} is {scale} (lora_alpha, alpha_pattern), which no answer would come from"
                raise WrongCheckpoint(
                    message, where=str(folder / ADAPTER_CONFIG), do="restore the value of the training"
                )


def _part_of_this_model(weights: Mapping[str, torch.Tensor], family: Family, folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights under bare names, without copies of the base's and without those of modules not loaded."""
    own = [name for name in weights if ".original_module." not in name]
    own_weights = {bare(name): weights[name] for name in own}
    if len(own_weights) < len(own):
        twice = next(name for name in own if weights[name] is not own_weights[bare(name)])
        raise _misfit(folder, f"{len(own) - len(own_weights)} weights are there twice, under two spellings", twice)
    beside = [name for name in own_weights if name.partition(".")[0] in family.besides]
    if beside:
        print(
            f"{len(beside)} weights of the adapter belong to parts that are not loaded ({beside[0]})", file=sys.stderr
        )
    return {name: tensor for name, tensor in own_weights.items() if name not in set(beside)}


def _embeddings(tuned: Any, names: Iterable[str]) -> dict[str, str]:
    """Return the places of whole embeddings and heads that were saved with the adapter."""
    ends = [layer for layer in (tuned.get_input_embeddings(), tuned.get_output_embeddings()) if layer is not None]
    inside = {name for name, module in tuned.named_modules() if any(module is end for end in ends)}
    places = {name: PEFT_PREFIX + name for name in names}
    state = tuned.state_dict()
    return {
        name: place
        for name, place in places.items()
        if place in state and any(place.startswith(f"{module}.") for module in inside)
    }


def _compare(
    weights: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Tensor],
    tuned: Any,
    places: Mapping[str, str],
    folder: Path,
) -> None:
    if left := sorted(set(weights) - set(places)):
        raise _misfit(
            folder, f"{len(left)} of the adapter's {len(weights)} weights have no place in the model", left[0]
        )
    if missing := sorted(set(expected) - set(weights)):
        message = f"the adapter lacks {len(missing)} of the {len(expected)} weights that its configuration names"
        raise _misfit(folder, message, missing[0])
    state = tuned.state_dict()
    shapes = {name: (expected[name] if name in expected else state[places[name]]).shape for name in weights}
    for name, tensor in weights.items():
        if not tensor.is_floating_point():
            raise _misfit(folder, f"the adapter holds weights of type {tensor.dtype}, which nobody trains", name)
        if tensor.shape != shapes[name]:
            message = f"{name} is {list(tensor.shape)}, but {list(shapes[name])} in this model with {ADAPTER_CONFIG}"
            raise WrongCheckpoint(message, where=str(folder), do=_OTHER_BASE)


def _in_our_names(config: Any, network: Any, family: Family, way: Spelling, adapted: set[str]) -> Any:
    """Rewrite the configuration with the model's own module names, where it uses another spelling.

    The patterns of a configuration mean nothing else under other names, so they are asked about every module by the
    name that its writer knew, and the modules are then listed.
    """
    if not isinstance(getattr(config, "target_modules", None), str | set | list) or config.target_modules == _ALL:
        return config
    modules = [name for name, _ in network.named_modules()]
    targeted = adapted & set(modules) - _saved_whole(config, modules, way)
    ways = [way, *spellings(family)]
    fitting = next(
        (spelling for spelling in ways if targeted and set(_targets(config, modules, spelling)) == targeted), way
    )
    if fitting.ours:
        return config
    ours = copy.copy(config)
    ours.target_modules = set(_targets(config, modules, fitting))
    ours.exclude_modules = ours.layers_to_transform = ours.layers_pattern = None
    ours.rank_pattern = _spelled_out(config.rank_pattern, ours.target_modules, fitting)
    ours.alpha_pattern = _spelled_out(config.alpha_pattern, ours.target_modules, fitting)
    if config.modules_to_save:
        ours.modules_to_save = sorted(_saved_whole(config, modules, fitting))
    if getattr(config, "target_parameters", None):
        names = [name for name, _ in network.named_parameters()]
        ours.target_parameters = [n for n in names if _ends_with(fitting.write(n), config.target_parameters)]
    return ours


_ALL = "all-linear"


def _targets(config: Any, modules: Iterable[str], way: Spelling) -> list[str]:
    from peft.tuners.tuners_utils import check_target_module_exists

    return [name for name in modules if name and check_target_module_exists(config, way.write(name))]


def _saved_whole(config: Any, modules: Iterable[str], way: Spelling) -> set[str]:
    return {name for name in modules if name and _ends_with(way.write(name), getattr(config, "modules_to_save", None))}


def _ends_with(name: str, ends: Iterable[str] | None) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends or ())


def _spelled_out(patterns: Mapping[str, Any] | None, modules: Iterable[str], way: Spelling) -> dict[str, Any]:
    from peft.utils.other import get_pattern_key

    keys = {name: get_pattern_key(list(patterns or ()), way.write(name)) for name in modules}
    return {re.escape(name): patterns[key] for name, key in keys.items() if patterns and key in patterns}


def _check_patterns(config: Any, network: Any, folder: Path) -> None:
    """Refuse ranks and scales for absent layers: PEFT would ignore them silently, and compute something else."""
    from peft.utils.other import get_pattern_key

    names = [name for name, _ in network.named_modules()]
    for kind in ("rank_pattern", "alpha_pattern"):
        for pattern in getattr(config, kind, None) or {}:
            if not any(get_pattern_key([pattern], name) == pattern for name in names):
                raise _misfit(folder, f"{kind} of {ADAPTER_CONFIG} names layers that the model lacks", pattern)
