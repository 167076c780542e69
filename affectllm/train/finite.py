"""Stop training at the first number that is not finite, on every process at once; nothing of it is saved."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import NotFinite

if TYPE_CHECKING:
    import torch

ROWS = "rows"  # of a batch: the ids of its rows
_MOST_NAMED = 20


class FiniteOnly:
    """Mixin of ``transformers.Trainer`` that checks every loss, gradient and weight before it is used or saved.

    Batches carry the ids of their rows under ``ROWS``. Under fp16 a gradient that overflows is not looked at: its
    scaler passes over such steps by design.

    Raises:
        NotFinite: with the step and the rows, on all processes of a launch.
    """

    _rows: list[str]  # of the optimiser step that is going on

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        self._rows = []
        return super().get_batch_samples(*args, **kwargs)  # type: ignore[misc]

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        rows = list(inputs.pop(ROWS))
        if model.training:
            self._rows += rows
        result = super().compute_loss(model, inputs, *args, **kwargs)  # type: ignore[misc]
        loss = float((result[0] if isinstance(result, tuple) else result).detach())
        kind = "loss" if model.training else "validation loss"
        self._stop_together(not math.isfinite(loss), f"the {kind} is not finite", rows)
        return result

    def _get_grad_norm(self, model: Any, grad_norm: Any = None) -> Any:
        norm = super()._get_grad_norm(model, grad_norm=grad_norm)  # type: ignore[misc]
        if not self.args.fp16:  # type: ignore[attr-defined]
            # Of large but finite gradients the norm may be infinite; clipping by it leaves zeros.
            wrong = norm is not None and not math.isfinite(float(norm)) and not _finite_gradients(model)
            self._stop_together(wrong, "the gradient is not finite", self._rows)
        return norm

    def save_model(self, *args: Any, **kwargs: Any) -> None:
        from affectllm.model.weights.weight_files import first_not_finite

        name = first_not_finite(_own_weights(self.model))  # type: ignore[attr-defined]
        self._stop_together(bool(name), "a weight is not finite", [name])
        super().save_model(*args, **kwargs)  # type: ignore[misc]

    def _stop_together(self, wrong: bool, problem: str, names: list[str]) -> None:
        import torch
        from accelerate.utils import gather_object

        accelerator: Any = self.accelerator  # type: ignore[attr-defined]
        count = torch.tensor(float(wrong), device=accelerator.device)
        if not float(accelerator.reduce(count, reduction="sum")):
            return
        named = sorted(set(gather_object(names if wrong else [])))
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        helps = "look at what is named; a smaller trainer.learning_rate may help"
        step = self.state.global_step + 1  # type: ignore[attr-defined]
        raise NotFinite(
            f"{problem} (NaN or infinite) at step {step}",
            where=", ".join(named[:_MOST_NAMED]) + more,
            do=f"{helps}; nothing of it was saved{self._saved()}",
        )

    def _saved(self) -> str:
        states = Path(self.args.output_dir).glob("checkpoint-*/trainer_state.json")  # type: ignore[attr-defined]
        steps = sorted(int(path.parent.name.rpartition("-")[2]) for path in states)
        return f", and the same command goes on from checkpoint-{steps[-1]}" if steps else ""


def _finite_gradients(model: Any) -> bool:
    from affectllm.model.weights.weight_files import is_finite

    # DeepSpeed keeps gradients to itself, and what it says of them is all there is.
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return bool(gradients) and all(is_finite(_here(gradient)) for gradient in gradients)


def _own_weights(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the local shards of the trained weights and of the buffers."""
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            yield name, _here(getattr(weight, "ds_tensor", weight))
    for name, buffer in model.named_buffers():
        yield name, buffer[~buffer.isinf()]  # a bound may be infinite


def _here(tensor: Any) -> torch.Tensor:
    """Return the local shard of a distributed tensor."""
    part: torch.Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part
