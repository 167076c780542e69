"""Samplers of rows: batches of like length, in an order determined by seed and epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import torch
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import BatchRebalanceSampler, get_length_grouped_indices


def _generator(seed: int, epoch: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed * 100_003 + epoch)


class LengthGroups(Sampler[int]):
    """Samples batches of like length in an order determined by seed and epoch.

    The library's own sampler draws from the global generator, whose state after a resume is not what it was.

    Args:
        lengths: tokens per row.
        group: rows per optimiser step over all processes.
        seed: of the order.
    """

    def __init__(self, lengths: list[int], group: int, seed: int) -> None:
        self.lengths, self.group, self.seed, self.epoch = list(lengths), group, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        return iter(get_length_grouped_indices(self.lengths, self.group, generator=_generator(self.seed, self.epoch)))


class TokenBatches(BatchRebalanceSampler):  # type: ignore[misc]
    """Samples batches of unlike numbers of rows of like length, each of at most so many tokens with its padding.

    Every row comes once an epoch. All epochs have as many batches, and all processes the same number of them: where
    they do not come out even, the largest are halved, and rows come again only where each has a batch of its own. The
    trainer takes whatever is of the library's class for batches that know their process already.

    Args:
        lengths: tokens per row.
        most: tokens of a batch, padding included; a longer row has a batch of its own.
        seed: of the order.
        processes: that share the batches.
        rank: of this one among them.
    """

    def __init__(self, lengths: Sequence[int], most: int, seed: int, processes: int = 1, rank: int = 0) -> None:
        self.lengths, self.most, self.seed, self.epoch = list(lengths), most, seed, 0
        self.processes, self.rank = processes, rank
        self.sizes = _even(_sizes(sorted(self.lengths), most), processes)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.sizes) // self.processes)

    def __iter__(self) -> Iterator[list[int]]:
        batches = self.batches()
        return iter(batches[self.rank :: self.processes])

    def batches(self) -> list[list[int]]:
        """Return the rows of all batches of this epoch; of those that follow each other, each process takes one.

        They are of like length, so that no process waits for another. The longest come first, so that a device that is
        too small says so at once.
        """
        generator = _generator(self.seed, self.epoch)
        # Rows of one length change places from epoch to epoch.
        drawn = torch.randperm(len(self.lengths), generator=generator).tolist()
        rows = sorted(drawn, key=self.lengths.__getitem__)
        begins = [0]
        for size in self.sizes:
            begins.append(begins[-1] + size)
        batches = [rows[begin:end] for begin, end in pairwise(begins)]
        batches += [[rows[number % len(rows)]] for number in range(-len(batches) % self.processes)]
        steps = [batches[at : at + self.processes] for at in range(0, len(batches), self.processes)]
        order = torch.randperm(len(steps) - 1, generator=generator).tolist()
        return [batch for step in (len(steps) - 1, *order) for batch in steps[step]]

    def __str__(self) -> str:
        filled = sum(self.lengths) / (self.most * max(len(self.sizes), 1))
        numbers = f"{len(self.lengths):,} conversations in {len(self.sizes):,} batches of at most {self.most:,} tokens"
        return f"batches: {numbers}, filled to {filled:.0%}"


def _sizes(lengths: Sequence[int], most: int) -> list[int]:
    """Return how many rows, in order of their lengths, share each batch."""
    sizes: list[int] = []
    for length in lengths:
        if sizes and (sizes[-1] + 1) * length <= most:
            sizes[-1] += 1
        else:
            sizes.append(1)
    return sizes


def _even(sizes: list[int], processes: int) -> list[int]:
    """Return sizes whose number the processes divide, where rows that share a batch allow it.

    The largest batches are halved, which keeps the order of rows.
    """
    sizes = list(sizes)
    while len(sizes) % processes and max(sizes) > 1:
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        half = sizes[largest] // 2
        sizes[largest : largest + 1] = [half, sizes[largest] - half]
    return sizes
