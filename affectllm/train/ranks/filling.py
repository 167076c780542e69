"""Give every process of a launch the same kinds of clips in each batch, where unlike ones would stop them.

Under ZeRO and FSDP all processes take part in every gradient and in every gathering of weights. A process whose batch
has no picture never runs the tower that sees, and the others wait for it, or fail. So a batch that lacks a kind gets
one more row with a small clip of it, of which nothing is asked: losses stay what they are, and every tower runs
everywhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import render
from affectllm.errors import BadRecipe
from affectllm.folders import made_once
from affectllm.instruct.conversation import media_parts
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.run import cache_folder

FILLED = "filled"
"""Of a batch: names of the tensors that only rows without labels brought."""
_ROOT = "affectllm_filling"
_FILES = {"video": "silent.mp4", "audio": "tone.wav", "image": "grey.png"}
_SECONDS, _FPS, _SIDE, _RATE = 1.0, 4, 64, 16_000


def check_alike(rows: Iterable[Mapping[str, Any]], method: str) -> None:
    """Raise ``BadRecipe`` for rows with unlike kinds of clips, for methods whose batches are not filled up.

    Args:
        rows: conversations, with ``id`` and ``messages``.
    """
    kinds: dict[frozenset[str], str] = {}
    for row in rows:
        kinds.setdefault(frozenset(part["type"] for part in media_parts(row["messages"])), row["id"])
    if len(kinds) > 1:
        (one, first), (other, second), *_ = kinds.items()
        raise BadRecipe(
            f"{first} has {_listed(one)} and {second} has {_listed(other)}: under ZeRO and FSDP a process whose batch "
            f"lacks a kind of clip would stop the others, and batches of {method} cannot be filled up",
            do="set launch: ddp, or show the same modalities in all parts of the mixture",
        )


def _listed(kinds: Collection[str]) -> str:
    return " and ".join(sorted(kinds)) or "no clip"


class Filling:
    """Rows that bring the kinds of clips which a batch lacks.

    Args:
        encoder: of the model; gets a folder of small clips of ours.
        kinds: modalities of the training rows: ``video``, ``audio``, ``image``.

    Raises:
        WriteFailed: when the cache folder cannot be written.
    """

    def __init__(self, encoder: Encoder, kinds: Collection[str]) -> None:
        encoder.roots[_ROOT] = _clips()
        wanted = [kind for kind in _FILES if kind in kinds and kind in encoder.family.modalities]
        self._rows = [_encoded(encoder, kind) for kind in wanted]

    def rows_for(self, batch: Sequence[Encoded]) -> list[Encoded]:
        """Return the rows without labels that a batch needs to have every kind of clip."""
        present = set(_names(batch))
        rows = []
        for row in self._rows:
            if not present.issuperset(row.media):
                rows.append(row)
                present |= set(row.media)
        return rows


def _names(batch: Iterable[Encoded]) -> Iterable[str]:
    return (name for item in batch for name in item.media)


def _encoded(encoder: Encoder, kind: str) -> Encoded:
    part = {"type": kind, "corpus": _ROOT, "path": _FILES[kind]}
    content: list[dict[str, Any]] = [part, {"type": "text", "text": "."}]
    item = encoder.encode([{"role": "user", "content": content}])
    assert not isinstance(item, MediaError), item  # it is a clip that we made
    return item


def _clips() -> Path:
    """Return the folder with a second of film, a tone and a picture, made where it is not there."""
    return made_once(cache_folder() / "filling", _write)


def _write(folder: Path) -> None:
    import numpy as np
    from PIL import Image

    frames = np.full((round(_SECONDS * _FPS), _SIDE, _SIDE, 3), 128, np.uint8)
    render.write_clip(folder / _FILES["video"], frames, _FPS, None, _RATE)
    tone = [0.1 * math.sin(2 * math.pi * 220 * step / _RATE) for step in range(round(_SECONDS * _RATE))]
    render.write_sound(folder / _FILES["audio"], tone, _RATE)
    Image.new("RGB", (_SIDE, _SIDE), (128, 128, 128)).save(folder / _FILES["image"])
