"""Content parts that a sample contributes under a choice of modalities (the Hugging Face content-part form)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from affectllm.corpus import MediaRef, Sample

Part = dict[str, Any]


def clip_parts(sample: Sample, modalities: Iterable[str]) -> list[Part]:
    """Return content parts for the media of ``sample`` under ``modalities``; keys that say nothing are absent.

    One clip that both shows and sounds becomes one ``video`` part with ``sound``; without ``video`` among the
    modalities its sound track alone becomes an ``audio`` part; without ``audio`` it is shown silently.
    """
    if not sample.media:
        return []
    chosen = set(modalities)
    parts = [_part(sample, ref, "image") for ref in sample.media if ref.modality == "image" and "image" in chosen]
    videos = [ref for ref in sample.media if ref.modality == "video"]
    if "video" in chosen and videos:
        video_parts = [_part(sample, ref, "video", sound=ref.sound and "audio" in chosen) for ref in videos]
        parts += video_parts
        if "audio" in chosen and not any(part.get("sound") for part in video_parts):
            parts += _sounds(sample)
    elif "audio" in chosen:
        parts += _sounds(sample)
    return parts


def missing_modality(sample: Sample, modalities: Iterable[str]) -> str | None:
    """Return ``no_<modality>`` for the first wanted modality that the sample lacks, or None when it has them all."""
    for modality in modalities:
        if not _has(sample, modality):
            return f"no_{modality}"
    return None


def _has(sample: Sample, modality: str) -> bool:
    if modality == "text":
        return bool(sample.text)
    if modality == "audio" and any(ref.sound for ref in sample.media):
        return True
    return any(ref.modality == modality for ref in sample.media)


def _sounds(sample: Sample) -> list[Part]:
    files = [ref for ref in sample.media if ref.modality == "audio"]
    tracks = [ref for ref in sample.media if ref.modality == "video" and ref.sound]
    return [_part(sample, ref, "audio") for ref in files or tracks]


def box_of(sample: Sample) -> list[float] | None:
    """Return the box of the person whom a sample is about (left, top, right, bottom in pixels), or None."""
    words = sample.attributes.get("box", "").split(",")
    try:
        box = [float(word) for word in words]
    except ValueError:
        return None
    return box if len(box) == 4 and all(map(math.isfinite, box)) else None


def with_person(messages: Sequence[Mapping[str, Any]], sample: Sample, *, beside: bool) -> list[dict[str, Any]]:
    """Return messages in which each picture is followed by the person in the sample's box, or is cut to the box."""
    box = box_of(sample)
    shown = []
    for message in messages:
        parts: list[Part] = []
        for part in message["content"]:
            is_cut = part["type"] == "image" and box is not None
            parts += [dict(part)] if beside or not is_cut else []
            parts += [{**part, "box": box}] if is_cut else []
        shown.append({**message, "content": parts})
    return shown


def _part(sample: Sample, ref: MediaRef, kind: str, *, sound: bool = False) -> Part:
    part: Part = {"type": kind, "corpus": sample.corpus, "path": ref.path}
    if sound:
        part["sound"] = True
    if ref.start is not None:
        part["start"] = ref.start
    if ref.end is not None:
        part["end"] = ref.end
    return part
