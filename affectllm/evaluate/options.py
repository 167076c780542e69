"""Arguments of the lm-eval model, from the strings of a command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError
from affectllm.evaluate.parallel import Processes
from affectllm.model.clips.media import Budget

if TYPE_CHECKING:
    import torch


def batch_size_of(given: int | str) -> int:
    """A positive number.

    Raises:
        AffectError: for anything else, ``auto`` included: how much fits depends on the clips of each batch.
    """
    if not str(given).isdigit() or int(given) < 1:
        raise AffectError(f"the batch size {given!r} is no number", do="pass --batch_size 8, for example")
    return int(given)


def budget_of(given: Mapping[str, Any]) -> Budget:
    """The media budget with some of its fields changed.

    Raises:
        AffectError: when a name is none of its fields.
    """
    known = Budget().to_json()
    if strange := sorted(set(given) - set(known)):
        raise AffectError(f"the model affectllm takes no argument {strange[0]!r}", do=f"budget: {', '.join(known)}")
    return Budget(**given)


def device_of(wanted: str | None, processes: Processes) -> torch.device:
    """Where this process computes: its own device among several processes, else ``wanted`` where that exists."""
    import torch

    if processes.device is not None:
        return torch.device(processes.device)
    # lm-eval asks for cuda:0 by default, also where there is none.
    if wanted is None or (wanted.startswith("cuda") and not torch.cuda.is_available()):
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wanted)
