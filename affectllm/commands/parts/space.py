"""The free space that a recipe needs, beside what there is."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from affectllm.model.doctoring.check import GIB, Check
from affectllm.model.tiny import PREFIX
from affectllm.train.recipe import Recipe

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)\s?([BM])(?![a-z])", re.IGNORECASE)
_STATES = 8  # bytes that Adam keeps of a weight
_ADAPTER = 0.03  # share of the weights that an adapter and its optimiser are, about
_KEPT = 2  # checkpoints, where the page does not say


def check_space(recipe: Recipe) -> Check:
    """Compare the free space with the checkpoint that has to be downloaded, and with the checkpoints that are kept.

    Sizes of what is not at hand are estimates from the number of parameters in the name.
    """
    weights, present = _weights(recipe)
    name = f"Space for {recipe.name}"
    if weights is None:
        return Check(name, "ok", f"unknown: the name {recipe.model.path} says no size, and it is not in the cache")
    kept = _saved(recipe, weights)
    needs = {"cache": (_cache(), 0.0 if present else weights), "run folder": (Path.cwd(), kept)}
    lines, short = [], []
    for what, (place, size) in needs.items():
        free = shutil.disk_usage(_existing(place)).free
        lines.append(f"{what} {size / GIB:.1f} of {free / GIB:.1f} GiB free")
        short += [what] if size > free else []
    text = f"about {', '.join(lines)}{'; the checkpoint is here' if present else ''}"
    if short:
        do = "HF_HOME moves the cache of the Hub, --out the run folder; trainer.save_total_limit=1 keeps fewer"
        return Check(name, "fail", text, do)
    return Check(name, "ok", text)


def _weights(recipe: Recipe) -> tuple[float | None, bool]:
    """Return the bytes of the checkpoint, None where nobody knows, and whether it is on this machine."""
    path = recipe.model.path
    if path.startswith(PREFIX) or path == "tiny":
        return 0.0, True
    folder = Path(path).expanduser()
    if not folder.is_dir():
        folder = _cache() / f"models--{path.replace('/', '--')}"
    if size := sum(file.stat().st_size for file in folder.glob("**/*.safetensors")):
        return float(size), True
    if (match := _PARAMETERS.search(path)) is None:
        return None, False
    count = float(match[1]) * {"B": 1e9, "M": 1e6}[match[2].upper()]
    return count * _BYTES.get(str(recipe.model.dtype), 2), False


def _saved(recipe: Recipe, weights: float) -> float:
    count = int(recipe.trainer.get("save_total_limit") or _KEPT) + 1  # and the final one
    if recipe.peft:
        return count * _ADAPTER * weights
    states = weights / _BYTES.get(str(recipe.model.dtype), 2) * _STATES
    return count * weights + (count - 1) * states


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _existing(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())
