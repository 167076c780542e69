"""Data-parallel scoring: each process answers its share, by global rank, under ``accelerate launch`` or ``torchrun``.

lm-eval's own model takes the rank within the machine, which repeats the first machine's share on every other one.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError

if TYPE_CHECKING:
    import torch

# Shares differ in length and nothing is exchanged while they are answered; the default of minutes is too short.
_PATIENCE = timedelta(hours=24)


class Processes:
    """The processes of this launch; a single one needs no initialisation.

    Raises:
        AffectError: when the processes that were started do not find each other.
    """

    def __init__(self) -> None:
        self.rank, self.world_size, self.device = 0, 1, None
        launched = int(os.environ.get("WORLD_SIZE", "1"))
        if launched > 1:
            import torch
            from accelerate import PartialState

            # Without an accelerator and without this flag, accelerate takes every process for the only one.
            state = PartialState(cpu=not torch.accelerator.is_available(), timeout=_PATIENCE)
            self.rank, self.world_size, self.device = state.process_index, state.num_processes, state.device
            if self.world_size != launched:
                raise AffectError(
                    f"{launched} processes were started, but accelerate sees {self.world_size}",
                    do="check the launcher's options and the accelerate configuration",
                )

    def all_gather(self, tensor: torch.Tensor) -> torch.Tensor:
        """Concatenate the tensors of all ranks."""
        if self.world_size == 1:
            return tensor
        from accelerate.utils import gather

        gathered: torch.Tensor = gather(tensor)
        return gathered

    def gather_object(self, value: Any, destination: int) -> list[Any] | None:
        """Return the values of all ranks on rank ``destination``, None on the others."""
        if self.world_size == 1:
            return [value]
        import torch.distributed

        values: list[Any] = [None] * self.world_size
        torch.distributed.all_gather_object(values, value)
        return values if self.rank == destination else None

    def barrier(self) -> None:
        """Wait for all ranks."""
        if self.world_size > 1:
            import torch.distributed

            torch.distributed.barrier()
