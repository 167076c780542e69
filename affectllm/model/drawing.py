"""Sampling in which every row has a random generator of its own, so that a reply does not depend on its batch.

transformers draws all rows of a batch with one generator: the same question gets another reply when it is asked beside
others, as it is in a run that goes on after it was killed. Adding Gumbel noise to the logits and taking the highest is
drawing from their softmax, and the noise of a row comes from that row's seed alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from affectllm.errors import AffectError

if TYPE_CHECKING:
    import torch

    Processor = Callable[[torch.LongTensor, torch.FloatTensor], torch.Tensor]

_DRAWN = ("temperature", "top_k", "top_p", "min_p")
_SEARCHES = ("num_beams", "num_return_sequences")


def seeded(defaults: Any, options: dict[str, Any], seeds: Sequence[int]) -> tuple[dict[str, Any], list[Processor]]:
    """Return what makes greedy search draw: the options that remain, and the processors of logits.

    Args:
        defaults: ``GenerationConfig`` of the model, for what the options leave open.
        options: fields of ``GenerationConfig``.
        seeds: of each row of the batch.

    Raises:
        AffectError: when the options ask for several rows a reply.
    """
    if strange := next((name for name in _SEARCHES if (options.get(name) or 1) > 1), None):
        raise AffectError(f"replies that are drawn with a seed take no {strange}", do="leave it out")
    drawn = {name: getattr(defaults, name, None) for name in _DRAWN}
    drawn |= {name: value for name, value in options.items() if name in _DRAWN}
    others = {name: value for name, value in options.items() if name not in (*_DRAWN, "do_sample")}
    return {**others, "do_sample": False, "temperature": None}, [*_warpers(drawn), _Noise(seeds)]


def _warpers(drawn: dict[str, Any]) -> list[Processor]:
    """Return transformers' own processors of the settings, in its own order."""
    from transformers.generation import logits_process

    warpers: list[Processor] = []
    if (temperature := drawn["temperature"]) not in (None, 1.0):
        warpers.append(logits_process.TemperatureLogitsWarper(float(temperature)))
    if drawn["top_k"]:
        warpers.append(logits_process.TopKLogitsWarper(int(drawn["top_k"])))
    if drawn["top_p"] is not None and drawn["top_p"] < 1.0:
        warpers.append(logits_process.TopPLogitsWarper(float(drawn["top_p"])))
    if drawn["min_p"] is not None:
        warpers.append(logits_process.MinPLogitsWarper(float(drawn["min_p"])))
    return warpers


class _Noise:
    """Adds to each row's logits ``[rows, vocabulary]`` Gumbel noise of its own generator."""

    def __init__(self, seeds: Sequence[int]) -> None:
        import torch

        # On the CPU, whose numbers are the same on every machine.
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, _: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        import torch

        rows = [torch.empty(logits.shape[-1]).exponential_(generator=one) for one in self._generators]
        return logits.float() - torch.stack(rows).log().to(logits.device)
