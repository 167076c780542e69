"""What a family's whole checkpoint has beside the thinker: the talker and the vocoder that speak its replies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLING_RATE = 24_000
"""Samples a second of what the vocoders of both Qwen-Omni families make."""


@dataclass(frozen=True)
class Talker:
    """How the whole model of a family speaks.

    Args:
        whole_class: returns the class of the whole model; its ``generate`` answers and speaks.
        voices: the whole model and its folder or Hub id → the names of its voices, the usual one first; they are made
            ready where they lie in files of their own.
        ends: the configuration of the whole model → the codes with which its talker ends.
        codes_per_second: how many codes of the talker are a second of sound.
        tiny: configuration of the tiny thinker and its tokenizer → configuration of the tiny whole.
        files: what a checkpoint has beside its configuration and weights that decides how a voice sounds.
        finish: writes these files into the folder where the tiny whole will be saved.
    """

    whole_class: Callable[[], Any]
    voices: Callable[[Any, str], Sequence[str]]
    ends: Callable[[Any], Sequence[int]]
    codes_per_second: float
    tiny: Callable[[Any, Any], Any]
    files: tuple[str, ...] = ()
    finish: Callable[[Any, Path], None] = lambda whole, folder: None
