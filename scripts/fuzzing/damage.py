"""Damage bytes as disks, downloads, converters and people do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Dice = np.random.Generator
_EXTREMES = (b"\x00", b"\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x01")
_HEADER = 600  # bytes in which most formats say what they are


def flipped(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Flip a few bits."""
    out = bytearray(data)
    for place in dice.integers(0, len(out), int(dice.integers(1, 60))):
        out[place] ^= 1 << int(dice.integers(0, 8))
    return bytes(out)


def cut_off(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Truncate the data, as an interrupted download does."""
    return data[: int(dice.integers(1, 1 + len(data)))]


def spliced(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Replace the rest by that of another file."""
    other = others[int(dice.integers(0, len(others)))]
    return data[: int(dice.integers(1, 1 + len(data)))] + other[int(dice.integers(0, len(other))) :]


def header_changed(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Set bytes of the header to extreme values: sizes, counts and kinds."""
    out = bytearray(data)
    for place in dice.integers(0, min(_HEADER, len(out)), int(dice.integers(1, 6))):
        extreme = _EXTREMES[int(dice.integers(0, len(_EXTREMES)))]
        out[place : place + len(extreme)] = extreme
    return bytes(out)


def zeroed(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Zero a run of bytes, as if never written."""
    begin = int(dice.integers(0, len(data)))
    length = int(dice.integers(1, 2 + len(data) // 2))
    return data[:begin] + bytes(min(length, len(data) - begin)) + data[begin + length :]


def scrambled(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Replace a run of bytes by random ones."""
    begin = int(dice.integers(0, len(data)))
    length = min(int(dice.integers(1, 2_000)), len(data) - begin)
    return data[:begin] + dice.bytes(length) + data[begin + length :]


def shortened(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Remove a run in the middle."""
    begin = int(dice.integers(0, len(data)))
    return data[:begin] + data[begin + int(dice.integers(1, 2 + len(data) // 3)) :]


def repeated(data: bytes, dice: Dice, others: Sequence[bytes]) -> bytes:
    """Repeat a run of bytes."""
    begin = int(dice.integers(0, len(data)))
    end = begin + int(dice.integers(1, 2 + len(data) // 3))
    return data[:end] + data[begin:]


DAMAGE: tuple[Callable[[bytes, Dice, Sequence[bytes]], bytes], ...] = (
    *(flipped, cut_off, spliced, header_changed, header_changed),
    *(zeroed, scrambled, shortened, repeated),
)
