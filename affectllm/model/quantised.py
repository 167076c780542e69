"""What quantisation has made smaller of a model, and what it has left as it was, tower by tower.

bitsandbytes quantises layers. Experts are single weights with a dimension for the expert, so a model that is mostly
experts stays almost as large as it was, which nothing else would say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from affectllm.model.family import Family
from affectllm.model.weights.spelling import bare

_MOST_NAMED = 3


@dataclass(frozen=True)
class Quantised:
    """A tower after quantisation.

    Args:
        quantised: parameters of layers that were quantised.
        left: parameters that were not.
        largest: kinds of weights among the latter, layer numbers written as ``*``, the largest first → parameters.
    """

    quantised: int
    left: int
    largest: dict[str, int]


def by_tower(network: Any, family: Family) -> dict[str, Quantised]:
    """Return tower (``head`` for the rest) → what was quantised in it, before an adapter is put on."""
    smaller = {f"{name}.weight": size for name, module in network.named_modules() if (size := _size(module))}
    quantised: dict[str, int] = {}
    left: dict[str, dict[str, int]] = {}
    for name, weight in network.named_parameters():
        tower = family.tower_of(bare(name)) or "head"
        kinds = left.setdefault(tower, {})
        if name in smaller:
            quantised[tower] = quantised.get(tower, 0) + smaller[name]
        else:
            kind = re.sub(r"(?<=\.)\d+(?=\.)", "*", name)
            kinds[kind] = kinds.get(kind, 0) + weight.numel()
    return {tower: _summed(quantised.get(tower, 0), kinds) for tower, kinds in left.items()}


def _summed(quantised: int, kinds: dict[str, int]) -> Quantised:
    order = sorted(kinds, key=lambda kind: -kinds[kind])
    return Quantised(quantised, sum(kinds.values()), {kind: kinds[kind] for kind in order[:_MOST_NAMED]})


def _size(module: Any) -> int:
    """Parameters of a quantised layer; 0 for any other module."""
    # Four-bit weights are packed, so their own shape says nothing.
    small = type(module).__name__ in ("Linear4bit", "Linear8bitLt")
    return module.in_features * module.out_features if small else 0


def described(towers: dict[str, Quantised]) -> str:
    """A line a tower, and a remark where most of the language model was left."""
    lines = []
    for tower, its in towers.items():
        named = ", ".join(f"{kind} ({count:,})" for kind, count in its.largest.items())
        share = its.quantised / (its.quantised + its.left)
        more = f": {named}" if its.quantised else ""
        lines.append(f"quantised: {share:.0%} of {tower}; {its.left:,} parameters are left as they were{more}")
    language = towers.get("language")
    if language is not None and language.left > language.quantised:
        lines.append("quantised: most of the language model stays as large as it was")
    return "\n".join(lines)
