"""What the processes of a launch share, and FSDP among processes without a GPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

Shared = Literal["", "gradients", "weights"]


def shared_by(args: Any) -> Shared:
    """Return what the processes of a launch share, so that all of them must run the same parts of a model.

    Under ZeRO-1 and 2 each has the whole model and a part of the gradients, under ZeRO-3 and FSDP a part of the weights
    as well. DDP shares sums that it can do without.

    Args:
        args: ``transformers.TrainingArguments``, also before there is a trainer, when accelerate does not know of FSDP.
    """
    from accelerate import PartialState

    if PartialState().num_processes == 1:
        return ""
    if shards_weights(args):
        return "weights"
    return "" if args.deepspeed_plugin is None else "gradients"


def shards_weights(args: Any) -> bool:
    """Return whether no process holds the whole model by itself, be it of one process: ZeRO-3 and FSDP."""
    if args.deepspeed_plugin is not None:
        return bool(args.deepspeed_plugin.zero_stage == 3)
    return args.fsdp_plugin_args is not None or _launched_by_fsdp()


def shards_without_gpu() -> bool:
    """Join a launch under FSDP on a machine without a GPU, and say whether this process is of one.

    torch shards over gloo as over NCCL, but accelerate turns to FSDP only where it has counted processes of an
    accelerator: those of a CPU would each hold the whole model, without a word. So its state is made before the trainer
    does, who takes it over where ``use_configured_state`` is set, and counts them as such.
    """
    if not _launched_by_fsdp() or "WORLD_SIZE" not in os.environ:
        return False
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    PartialState(cpu=True, backend="gloo").distributed_type = DistributedType.MULTI_GPU
    return True


def reduce_head(network: Any) -> None:
    """Let FSDP gather the head of a model, so that it also averages the head's gradient over the processes.

    TRL computes the loss from the head's weight and never calls the head. Where the head is sharded by itself, since
    accelerate finds no norm before it, TRL gathers that weight on its own, and each process would keep its shard of the
    gradient of its own rows alone.
    """
    from torch.distributed.fsdp import FSDPModule

    base = network.get_base_model() if hasattr(network, "get_base_model") else network
    head = base.get_output_embeddings()

    def gather(*_: Any) -> None:
        if isinstance(head, FSDPModule):
            head.unshard()

    base.base_model.register_forward_hook(gather)


@contextmanager
def without_state_of_unused() -> Iterator[None]:
    """Let FSDP's optimizer be loaded where a trained weight has no state, since no batch had a gradient for it.

    Such are weights that only a part of the model which is not trained reads, and towers without clips. torch refuses
    a checkpoint without their state unless it is told otherwise, and accelerate has no way to say so.
    """
    from accelerate.utils import fsdp_utils

    theirs = fsdp_utils._prepare_sd_options
    fsdp_utils._prepare_sd_options = lambda plugin: replace(theirs(plugin), strict=False)
    try:
        yield
    finally:
        fsdp_utils._prepare_sd_options = theirs


def _launched_by_fsdp() -> bool:
    return os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true"
