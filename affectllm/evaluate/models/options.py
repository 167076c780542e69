"""Parse the arguments of the lm-eval model from command-line strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.evaluate.models.parallel import Processes
from affectllm.model.clips.media import Budget

if TYPE_CHECKING:
    import torch


def budget_of(changes: Mapping[str, Any]) -> Budget:
    """Return the default media budget with some of its fields changed.

    Raises:
        AffectError: when a name is none of its fields.
    """
    fields = Budget().to_json()
    if strange := sorted(set(changes) - set(fields)):
        raise AffectError(f"the model affectllm takes no argument {strange[0]!r}", do=f"budget: {', '.join(fields)}")
    return Budget(**changes)


def device_of(name: str | None, processes: Processes) -> torch.device:
    """Return the device of this process: its own among several processes, else the one called ``name`` if it exists."""
    import torch

    if processes.device is not None:
        return torch.device(processes.device)
    # lm-eval asks for cuda:0 by default, also where there is none.
    if name is None or (name.startswith("cuda") and not torch.cuda.is_available()):
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)
