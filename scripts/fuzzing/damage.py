"""Ways in which files break: disks, downloads, converters and people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Dice = np.random.Generator
_EXTREMES = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01")
_HEADER = 600  # bytes in which most formats say what they are


def flipped(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """A few bits are wrong."""
    out = bytearray(data)
    for place in dice.integers(0, len(out), int(dice.integers(1, 60))):
        out[place] ^= 1 << int(dice.integers(0, 8))
    return bytes(out)


def cut_off(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """The download was interrupted."""
    return data[: int(dice.integers(1, 1 + len(data)))]


def spliced(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """The rest is that of another file."""
    other = others[int(dice.integers(0, len(others)))]
    return data[: int(dice.integers(1, 1 + len(data)))] + other[int(dice.integers(0, len(other))) :]


def header_changed(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Sizes, counts and kinds at the beginning are extreme."""
    out = bytearray(data)
    for place in dice.integers(0, min(_HEADER, len(out)), int(dice.integers(1, 6))):
        extreme = _EXTREMES[int(dice.integers(0, len(_EXTREMES)))]
        out[place : place + len(extreme)] = extreme
    return bytes(out)


def zeroed(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """A run of the file was never written."""
    begin = int(dice.integers(0, len(data)))
    length = int(dice.integers(1, 2 + len(data) // 2))
    return data[:begin] + bytes(min(length, len(data) - begin)) + data[begin + length :]


def scrambled(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """A run of the file is something else."""
    begin = int(dice.integers(0, len(data)))
    length = min(int(dice.integers(1, 2_000)), len(data) - begin)
    return data[:begin] + dice.bytes(length) + data[begin + length :]


def shortened(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """A run in the middle is gone."""
    begin = int(dice.integers(0, len(data)))
    return data[:begin] + data[begin + int(dice.integers(1, 2 + len(data) // 3)) :]


def repeated(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """A run is there twice."""
    begin = int(dice.integers(0, len(data)))
    end = begin + int(dice.integers(1, 2 + len(data) // 3))
    return data[:end] + data[begin:]


DAMAGE: tuple[Callable[[bytes, Dice, Sequence[bytes]], bytes], ...] = (
    *(flipped, cut_off, spliced, header_changed, header_changed),
    *(zeroed, scrambled, shortened, repeated),
)
