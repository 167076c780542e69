"""What the tests of adapters share: adapters of tiny models with weights that change the outputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from affectllm.model.load import load_model

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


def make_adapter(folder: Path, base: str, **config: Any) -> Path:
    """An adapter of ``base`` as PEFT saves it, every weight of which is drawn at random."""
    from peft import LoraConfig, get_peft_model

    fields = {"r": 4, "target_modules": ["q_proj", "v_proj"], **config}
    tuned = get_peft_model(load_model(base).model, LoraConfig(**fields))
    torch.manual_seed(0)
    for name, weight in tuned.named_parameters():
        if weight.requires_grad:
            weight.data.add_(torch.randn_like(weight) * (0.02 if "lora_" not in name else 0.5))
    tuned.save_pretrained(str(folder))
    save_file({"logits": _logits(tuned)}, folder.with_suffix(".logits"))
    edit_config(folder, base_model_name_or_path=base)
    return folder


def edit_config(folder: Path, **fields: Any) -> None:
    """Change fields of an adapter's configuration."""
    page = json.loads((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(json.dumps({**page, **fields}))


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> None:
    """Write the weights again as ``change`` returns them."""
    changed = change(load_file(folder / WEIGHTS))
    save_file({name: tensor.contiguous() for name, tensor in changed.items()}, folder / WEIGHTS, {"format": "pt"})


def rename(folder: Path, how: Callable[[str], str]) -> None:
    """Give every weight another name."""
    edit_weights(folder, lambda weights: {how(name): tensor for name, tensor in weights.items()})


def logits(path: str, **arguments: Any) -> torch.Tensor:
    """What the model says to a few tokens."""
    return _logits(load_model(path, **arguments).model)


def logits_when_made(folder: Path) -> torch.Tensor:
    """What the model with the adapter said before it was saved."""
    return load_file(folder.with_suffix(".logits"))["logits"]


def _logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(input_ids=torch.tensor([[5, 6, 7, 8, 9, 10]])).logits
