"""Memory that a training needs at its peak, told before its first step.

Weights, gradients and the optimiser's state follow from what is trained and how it is shared. Activations differ most
between models, so they are measured: one conversation goes forward, what autograd keeps of it is counted, and a batch
of the longest conversations keeps as much for each of its tokens.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from affectllm.model.doctoring.machine import usable_memory
from affectllm.model.heads.network import FEATURES
from affectllm.model.media_dtypes import converted, media_dtypes
from affectllm.train.data import LENGTH
from affectllm.train.head import answered_positions_only
from affectllm.voice import tell

if TYPE_CHECKING:
    import torch
    from datasets import Dataset

_GIB = 2**30
TOKENS, _PIECES, _VECTORS = "tokens", "pieces of clips", "vectors"
_IDS = "input_ids"
_TIGHT = 0.9  # share of the device beyond which fragments and workspaces of kernels decide
_STATES = (  # beginning of the optimiser's name → numbers of which size it keeps of a weight; None: of the weight's
    ("adamw_bnb_8bit", (1, 1)),
    ("adamw_8bit", (1, 1)),
    ("paged_adamw_8bit", (1, 1)),
    ("lion_8bit", (1,)),
    ("sgd", ()),
    ("adafactor", ()),  # a row and a column of each matrix
    ("lion", (None,)),
)


@dataclass(frozen=True)
class Memory:
    """An estimate for one device, in bytes.

    Args:
        weights, gradients, optimizer: of what the device holds of them.
        activations: of a batch of the longest rows, with the logits of the loss.
        tokens: of that batch; of clips that a plain encoder takes, their pieces.
        device: memory of the device.
        counted: what ``tokens`` counts.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    tokens: int
    device: int
    counted: str = TOKENS

    @property
    def total(self) -> int:
        """The sum of all parts."""
        return self.weights + self.gradients + self.optimizer + self.activations

    @property
    def tight(self) -> bool:
        """Whether the device is likely to be too small."""
        return self.total > _TIGHT * self.device

    def __str__(self) -> str:
        parts = {"weights": self.weights, "gradients": self.gradients, "optimiser": self.optimizer}
        listed = ", ".join(f"{name} {size / _GIB:.2f}" for name, size in parts.items())
        return (
            f"memory: about {self.total / _GIB:.2f} of {self.device / _GIB:.1f} GiB: {listed}, "
            f"activations {self.activations / _GIB:.2f} (a batch of {self.tokens:,} {self.counted})"
        )


@dataclass(frozen=True)
class Sharing:
    """How a launch divides what a training holds.

    Args:
        processes: that divide it.
        stage: of ZeRO; 3 under FSDP, 0 where each process has everything.
        optimizer_away, weights_away: they rest in the host's memory.
        master: the engine keeps the trained weights once more in 32 bits.
    """

    processes: int = 1
    stage: int = 0
    optimizer_away: bool = False
    weights_away: bool = False
    master: bool = False


def estimate(
    model: Any,
    args: Any,
    kept: tuple[int, int],
    tokens: int,
    sharing: Sharing,
    device: int,
    reference: Any = None,
    counted: str = TOKENS,
) -> Memory:
    """Estimate the memory of a training.

    Args:
        model: with its adapter, as it is trained.
        args: configuration of the trainer: its optimiser and gradient checkpointing.
        kept: bytes that a forward pass keeps, and the tokens of it, from ``kept_of``.
        tokens: of the largest batch.
        sharing: between processes.
        device: bytes of the device.
        reference: a second model that is only asked, or None.
        counted: what ``tokens`` counts.
    """
    weights = sum(_size(one) for each in (model, reference) if each is not None for one in each.parameters())
    trained = [one for one in model.parameters() if one.requires_grad]
    gradients = sum(_size(one) for one in trained)
    optimizer = sum(_state(one, str(getattr(args.optim, "value", args.optim))) for one in trained)
    optimizer += sum(4 * _numel(one) for one in trained) if sharing.master else 0
    share = [sharing.processes if sharing.stage >= stage else 1 for stage in (3, 2, 1)]
    activations = kept[0] * tokens // kept[1]
    if args.gradient_checkpointing and counted == TOKENS:  # of pieces, the tokens of a layer's input are not known
        activations = _checkpointed(model, activations, tokens)
    return Memory(
        0 if sharing.weights_away else weights // share[0],
        gradients // share[1],
        0 if sharing.optimizer_away else optimizer // share[2],
        activations,
        tokens,
        device,
        counted,
    )


def kept_of(
    model: Any, batch: Mapping[str, Any], formats: Mapping[str, torch.dtype] | None = None, length: int = 1
) -> tuple[int, int]:
    """Count the bytes that autograd keeps of a forward pass beside the weights, and the tokens of the batch.

    Args:
        formats: of media tensors, where they are not those of the batch.
        length: of a batch that has no tokens.

    The model is as in evaluation meanwhile: neither random numbers nor running statistics change.
    """
    import torch

    own = {one.untyped_storage().data_ptr() for one in [*model.parameters(), *model.buffers()] if one.numel()}
    sizes: dict[int, int] = {}
    held: list[torch.Tensor] = []  # so that no storage is given away and counted once for two

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
            held.append(tensor.detach())
        return tensor

    device = next(model.parameters()).device
    inputs = {name: value.to(device) for name, value in batch.items() if hasattr(value, "to")}
    inputs = converted(inputs, formats or {})
    training = model.training
    model.eval()
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), answered_positions_only():
            model(**inputs)
    finally:
        model.train(training)
    return sum(sizes.values()), int(batch[_IDS].numel()) if _IDS in batch else length


def of_training(
    trainer: Any,
    collate: Callable[[Sequence[Any]], Mapping[str, Any]],
    rows: Dataset,
    conversations: int,
    packed: int | None = None,
    beside: Any = None,
) -> Memory | None:
    """Estimate the memory of a trainer that is ready to start; None where its weights are sharded already (ZeRO-3).

    Args:
        collate: makes a batch of rows, as the model takes it.
        rows: of the training, with their ``length``.
        conversations: of each row.
        packed: tokens of a row that several share, or None.
        beside: a model that the trainer does not have, and that stays on the device.
    """
    args, sharing = trainer.args, _sharing(trainer)
    if sharing.stage == 3 and args.deepspeed_plugin is not None:
        return None
    longest = max(range(len(rows)), key=rows[LENGTH].__getitem__)
    batch, length = collate([rows[longest]]), int(rows[longest][LENGTH])
    kept = kept_of(trainer.model, batch, media_dtypes(trainer.model, trainer.towers.family), length)
    counted = TOKENS if _IDS in batch else _VECTORS if FEATURES in batch else _PIECES
    if counted == TOKENS:
        length = packed or conversations * (length + int(getattr(args, "max_completion_length", 0) or 0))
    tokens = args.per_device_train_batch_size * length
    reference = beside or getattr(trainer, "ref_model", None) or getattr(trainer, "teacher_model", None)
    return estimate(trainer.model, args, kept, tokens, sharing, _device_bytes(trainer), reference, counted)


def _sharing(trainer: Any) -> Sharing:
    state, plugin = trainer.accelerator.state, trainer.accelerator.state.deepspeed_plugin
    if plugin is not None:
        config = plugin.deepspeed_config["zero_optimization"]
        optimizer, weights = (
            config.get(f"offload_{kind}", {}).get("device", "none") != "none" for kind in ("optimizer", "param")
        )
        dtypes = (one.dtype for one in trainer.model.parameters() if one.is_floating_point())  # a head has no dtype
        master = next(dtypes).itemsize < 4
        return Sharing(state.num_processes, int(plugin.zero_stage), optimizer, weights, master)
    whole = str(state.distributed_type).endswith("FSDP")
    return Sharing(state.num_processes, 3) if whole else Sharing()


def _device_bytes(trainer: Any) -> int:
    """Return the memory of the device; of the machine divided among its processes where they run on a CPU."""
    import torch

    device = trainer.accelerator.device
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return usable_memory() // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def _checkpointed(model: Any, activations: int, tokens: int) -> int:
    """Return what is left where each layer keeps its input alone: the inputs, and all that one layer keeps."""
    layers = [one for one in model.modules() if type(one).__name__.endswith(("DecoderLayer", "EncoderLayer", "Block"))]
    if not layers:
        return activations
    config = model.config.get_text_config()
    itemsize = next(model.parameters()).element_size()
    return activations // len(layers) + len(layers) * tokens * int(config.hidden_size) * itemsize


def _numel(weight: torch.nn.Parameter) -> int:
    return int(getattr(weight, "ds_numel", weight.numel()))


def _size(weight: torch.nn.Parameter) -> int:
    return _numel(weight) * weight.element_size()


def _state(weight: torch.nn.Parameter, optimizer: str) -> int:
    """Return the bytes that an optimiser keeps of a weight; Adam's for one that is not known."""
    kinds = next((kinds for name, kinds in _STATES if optimizer.startswith(name)), (None, None))
    return sum(_numel(weight) * (kind or weight.element_size()) for kind in kinds)


def advice(memory: Memory, args: Any, *, adapted: bool, quantised: bool) -> str:
    """Say which key of the page makes the largest part smaller."""
    largest = max(("activations", "weights", "optimizer", "gradients"), key=lambda part: asdict(memory)[part])
    if largest == "activations":
        if not args.gradient_checkpointing:
            return "set trainer.gradient_checkpointing: true"
        if args.per_device_train_batch_size > 1:
            return "lower trainer.per_device_train_batch_size and raise trainer.gradient_accumulation_steps as much"
        return "lower model.budget (frames, pixels, seconds) or model.max_text_tokens"
    if largest == "weights":
        if adapted and not quantised:
            return "add quantization: {load_in_4bit: true}, or set launch: zero3_offload"
        return "set launch: zero3_offload, or take a smaller model"
    return "add peft and model.adapt, set trainer.optim: adamw_bnb_8bit, or launch: zero2 on several devices"


def say(memory: Memory, args: Any, *, adapted: bool, quantised: bool) -> None:
    """Print the estimate, and what to change where it will hardly fit."""
    tell(str(memory))
    if memory.tight:
        print(
            f"warning: this may not fit; {advice(memory, args, adapted=adapted, quantised=quantised)}", file=sys.stderr
        )
