"""What the tests of model families share: clips of their own making, conversations about them, and loaded models."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus.miniature import Clip, Tone, materialise
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.family import Family, families
from affectllm.model.load import Model, load_model

BUDGET = Budget(fps=2, max_frames=4, max_pixels=112 * 112, min_pixels=28 * 28, max_seconds=10)
NAMES = sorted(families())
SEEN = {"type": "video", "corpus": "made", "path": "seen.mp4"}
LONGER = {"type": "video", "corpus": "made", "path": "both.mp4"}
HEARD = {"type": "audio", "corpus": "made", "path": "tone.wav"}
TRACK = {"type": "audio", "corpus": "made", "path": "both.mp4"}
PICTURE = {"type": "image", "corpus": "made", "path": "picture.png"}
STRIP = {"type": "image", "corpus": "made", "path": "strip.png"}
SEEN_AND_HEARD = {"type": "video", "corpus": "made", "path": "both.mp4", "sound": True}
Parts = tuple[dict[str, Any], ...]


def make_clips(folder: Path) -> Path:
    """A silent and a sounding video, a sound of another rate, and pictures of two shapes."""
    from PIL import Image

    files = {"both.mp4": Clip(2.0, size=84), "seen.mp4": Clip(1.0, sound=False), "tone.wav": Tone(0.9, rate=22_050)}
    materialise(files, folder)
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(folder / "picture.png")
    Image.radial_gradient("L").resize((40, 200)).convert("RGB").save(folder / "strip.png")
    return folder


def clips_for(family: Family) -> list[dict[str, Any]]:
    """One part of every kind that a family takes."""
    clips = []
    if "video" in family.modalities:
        clips += [SEEN, SEEN_AND_HEARD if family.sound else LONGER]
    if "audio" in family.modalities:
        clips += [HEARD, TRACK]
    if "image" in family.modalities:
        clips += [PICTURE, STRIP]
    return clips


def mixes_for(family: Family) -> list[Parts]:
    """No clip, every clip alone, and two conversations with several."""
    clips = clips_for(family)
    several = [tuple(clips[1:]), (clips[-1], clips[0])] if len(clips) > 1 else []
    return [(), *((clip,) for clip in clips), *several, ()]


def talk(*parts: dict[str, Any], question: str = "Which emotion?", answer: str = "happiness") -> list[dict[str, Any]]:
    """A question about clips, and its answer."""
    return [
        {"role": "user", "content": [*parts, {"type": "text", "text": question}]},
        {"role": "assistant", "content": [{"type": "text", "text": answer}]},
    ]


def talks_for(family: Family) -> list[list[dict[str, Any]]]:
    """A conversation for each mix, of different lengths."""
    words = "Which emotion is shown here by the person"
    return [talk(*parts, question=words[: 14 + 3 * row] + "?") for row, parts in enumerate(mixes_for(family))]


@functools.cache
def tiny_model(name: str) -> Model:
    """The tiny model of a family, loaded once for tests that leave it as it is."""
    loaded = load_model(f"tiny:{name}", dtype="float32")
    loaded.model.eval()
    return loaded


def encoder_of(model: Model, root: Path, cache: MediaCache | None = None, budget: Budget = BUDGET) -> Encoder:
    """An encoder of the clips in ``root``."""
    return Encoder(model.processor, model.family, model.model.config, budget, {"made": root}, cache)


def encoded(encoder: Encoder, messages: Sequence[Any], **options: Any) -> Encoded:
    """The conversation, which must be usable."""
    result = encoder.encode(messages, **options)
    assert isinstance(result, Encoded), result
    return result
