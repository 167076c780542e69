"""Translate names of weights from other tools' spellings into the names of the loaded model.

The same adapter is saved under many names: with the prefixes of PEFT, of data parallelism and of a compiler, with the
name of the adapter in the middle, in the module names of older transformers, or as part of the whole omni model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from affectllm.model.family import Family

PEFT_PREFIX = "base_model.model."
# What wrappers put between a module and its parent: DDP, torch.compile, FSDP, activation checkpointing.
_WRAPPERS = frozenset({"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"})
_ADAPTER_NAME = re.compile(r"\.(lora_[A-Za-z]\w*|trainable_tokens_delta)\.(?!weight(?:\.|$)|bias(?:\.|$))[^.]+")
_SAVED_WHOLE = re.compile(r"\.modules_to_save\.[^.]+(?=\.)")
_VECTOR_WEIGHT = re.compile(r"\.(lora_magnitude_vector)\.weight$")


def bare(name: str) -> str:
    """Strip from a name what PEFT, wrappers and the adapter's own name add to it."""
    name = ".".join(part for part in name.split(".") if part not in _WRAPPERS)
    while name.startswith(PEFT_PREFIX):
        name = name.removeprefix(PEFT_PREFIX)
    name = _SAVED_WHOLE.sub("", _ADAPTER_NAME.sub(r".\1", name))
    return _VECTOR_WEIGHT.sub(r".\1", name)


@dataclass(frozen=True)
class Spelling:
    """One naming scheme for the modules of a family.

    Args:
        prefix: what comes before every name, with its dot.
        renamed: pairs of a module's name in the loaded model and here, the most special first.
    """

    prefix: str = ""
    renamed: tuple[tuple[str, str], ...] = ()

    @property
    def ours(self) -> bool:
        """Whether this is the loaded model's own scheme."""
        return not self.prefix and not self.renamed

    def read(self, name: str) -> str:
        """Translate a name in this spelling into the loaded model's."""
        name = name.removeprefix(self.prefix)
        for ours, theirs in sorted(self.renamed, key=lambda pair: -len(pair[1])):
            if name == theirs or name.startswith(f"{theirs}."):
                return ours + name[len(theirs) :]
        return name

    def write(self, name: str) -> str:
        """Translate a name of the loaded model into this spelling."""
        for ours, theirs in self.renamed:
            if name == ours or name.startswith(f"{ours}."):
                return self.prefix + theirs + name[len(ours) :]
        return self.prefix + name


def spellings(family: Family) -> Iterator[Spelling]:
    """Yield the spellings in which adapters of a family are written, the loaded model's own first."""
    for prefix in ("", f"{family.whole}.") if family.whole else ("",):
        yield Spelling(prefix)
        if family.older:
            yield Spelling(prefix, tuple(family.older.items()))


def spelling_of(names: Iterable[str], family: Family, modules: set[str]) -> Spelling:
    """Return the spelling in which most of ``names`` (bare) lead to one of ``modules``."""
    known = list(names)
    return max(spellings(family), key=lambda way: sum(module_of(way.read(name)) in modules for name in known))


def module_of(name: str) -> str:
    """Return the module that a weight of an adapter belongs to."""
    module = re.split(r"\.(?:base_layer\.)*lora_", name)[0]
    return module if module != name else name.rpartition(".")[0]
