"""Apply the language model's head to the labelled positions alone, also where there is no Triton.

TRL's fused head projects only the positions that have a label on CUDA, and every position elsewhere, because some
compilers would build the graph anew for each number of positions. Eager PyTorch on a CPU does not: with a clip of a
thousand tokens and an answer of three, scoring all of them is most of the step.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def answered_positions_only() -> Iterator[None]:
    """Make TRL's fused head treat the CPU like CUDA while the block runs; loss and gradients are the same sums."""
    from trl.trainer import utils

    theirs = utils._use_triton
    utils._use_triton = _compact(theirs)
    try:
        yield
    finally:
        utils._use_triton = theirs


def _compact(theirs: Any) -> Any:
    # This name decides in the trainer which positions are scored; the kernels ask their own for what runs them.
    return lambda device: device.type == "cpu" or theirs(device)
