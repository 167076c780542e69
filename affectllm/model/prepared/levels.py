"""Pixels as the 256 levels that a decoder gave, and back into the numbers that a processor makes of them.

A processor's number is a level less the mean of its channel, divided by the channel's deviation. Kept as levels, a clip
takes a quarter of the room: on disk, on the way from a loader's workers to the trainer, and on the way to the device.
Whether the numbers are found again is seen at every clip. Where they are not, as with a processor that keeps fractions
of levels, the clip stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from affectllm.model.family import Family

CLOSE = 2**-20
"""How closely numbers of about 1 must be found again: what float32 rounds away in a few operations."""

_BLOCK = 1 << 18  # numbers looked at together: few enough to stay in the processor's own memory


@dataclass(frozen=True)
class Levels:
    """How a processor makes numbers of the levels 0 to 255.

    Args:
        factor: by which it multiplies a level.
        mean, std: of each channel, in units of the product; empty where it takes nothing away and divides by nothing.
    """

    factor: float
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def numbers(self, levels: Tensor) -> Tensor:
        """Return the numbers of levels: float32, of the same shape, on the same device."""
        import torch

        numbers = levels.to(torch.float32)
        self._made(self._by_channel(numbers))
        return numbers

    def levels(self, numbers: Tensor) -> Tensor | None:
        """Return the levels, uint8, that the numbers were made of; None where they are not found again from them."""
        import torch

        if not (numbers.is_floating_point() and numbers.numel() and self._fits(numbers)):
            return None
        numbers = numbers.to(torch.float32).contiguous()
        levels = torch.empty(numbers.shape, dtype=torch.uint8)
        given, kept = self._by_channel(numbers), self._by_channel(levels)
        rows = max(1, _BLOCK // given[0].numel())
        for begin in range(0, len(given), rows):
            block = given[begin : begin + rows]
            kept[begin : begin + rows] = self._undone(block.clone()).round_().clamp_(0, 255)
            again = self._made(kept[begin : begin + rows].to(torch.float32))
            if not float(again.sub_(block).abs_().max()) <= CLOSE:  # written so that NaN is none
                return None
        return levels

    def _made(self, levels: Tensor) -> Tensor:
        if not self.mean:
            return levels.mul_(self.factor)
        mean, std = self._in_levels(levels)
        return levels.sub_(mean).div_(std)  # in the order in which torchvision rounds

    def _undone(self, numbers: Tensor) -> Tensor:
        if not self.mean:
            return numbers.div_(self.factor)
        mean, std = self._in_levels(numbers)
        return numbers.mul_(std).add_(mean)

    def _in_levels(self, like: Tensor) -> tuple[Tensor, Tensor]:
        import torch

        mean, std = (torch.tensor(values) * (1.0 / self.factor) for values in (self.mean, self.std))
        return mean[:, None].to(like.device), std[:, None].to(like.device)

    def _fits(self, numbers: Tensor) -> bool:
        channels = len(self.mean) or 1
        if numbers.ndim > 3 and self.mean:
            return numbers.shape[-3] == channels
        return numbers.shape[-1] % channels == 0

    def _by_channel(self, tensor: Tensor) -> Tensor:
        """View pictures ``[…, channels, height, width]``, or patches with one channel after the other, by channel."""
        channels = len(self.mean) or 1
        pixels = tensor.shape[-2] * tensor.shape[-1] if tensor.ndim > 3 else tensor.shape[-1] // channels
        return tensor.view(-1, channels, pixels)


def levels_of(processor: Any, family: Family) -> dict[str, Levels]:
    """Return for each tensor of pixels how its numbers are made of levels; nothing for what no processor says."""
    of_kind = {}
    for kind, own, other in (("video", "video_processor", "image_processor"), ("image", "image_processor", "")):
        part = getattr(processor, own, None) or getattr(processor, other or own, None)
        if kind in family.modalities and part is not None and (levels := _of(part)) is not None:
            of_kind[family.tensors[kind]] = levels
    return of_kind


def _of(part: Any) -> Levels | None:
    """Return the levels of a processor of pictures or videos; None where it does not make 0 to 1 of 0 to 255."""
    factor = getattr(part, "rescale_factor", None)
    if not getattr(part, "do_rescale", False) or not factor:
        return None
    if not getattr(part, "do_normalize", False):
        return Levels(factor)
    mean, std = part.image_mean, part.image_std
    if not isinstance(mean, (list, tuple)) or not isinstance(std, (list, tuple)) or not all(std):
        return None
    return Levels(factor, tuple(mean), tuple(std))


def as_levels(entry: Mapping[str, Tensor], by_name: Mapping[str, Levels]) -> dict[str, Tensor]:
    """Return a clip's tensors with pixels as levels, where their numbers are found again from them."""
    return {
        name: tensor if name not in by_name or (kept := by_name[name].levels(tensor)) is None else kept
        for name, tensor in entry.items()
    }


def as_numbers(batch: Mapping[str, Any], by_name: Mapping[str, Levels]) -> dict[str, Any]:
    """Return a batch with levels as the numbers that a model takes; what are numbers already, stays as it is."""
    return {
        name: by_name[name].numbers(value) if is_levels(value, name, by_name) else value
        for name, value in batch.items()
    }


def is_levels(value: Any, name: str, by_name: Mapping[str, Levels]) -> bool:
    """Return whether a tensor of this name holds levels."""
    import torch

    return name in by_name and isinstance(value, torch.Tensor) and value.dtype == torch.uint8
