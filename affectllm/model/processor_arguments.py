"""Processor arguments for clips that our media code has already sampled and resized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from affectllm.model.clips.budget import SAMPLING_RATE

if TYPE_CHECKING:
    import numpy as np

    from affectllm.model.clips.media import Clip


def plain_video(clip: Clip) -> dict[str, Any]:
    """Arguments for a video: take every frame at its timestamp; the processor may resize it."""
    assert clip.frames is not None
    count, height, width = clip.frames.shape[:3]
    metadata = {"total_num_frames": count, "fps": clip.fps, "height": height, "width": width}
    # Without it processors guess 24 frames a second, or 1, and write moments into the prompt that are wrong.
    return {"do_sample_frames": False, "video_metadata": [{**metadata, "frames_indices": list(range(count))}]}


def video_of_its_size(**more: Any) -> Callable[[Clip], dict[str, Any]]:
    """Arguments for a video whose frames keep their size."""
    return lambda clip: {**plain_video(clip), "do_resize": False, **more}


def video_at_a_rate(**more: Any) -> Callable[[Clip], dict[str, Any]]:
    """Arguments for a video whose frames keep their size, for processors that take the frame rate alone."""
    return lambda clip: {"do_sample_frames": False, "fps": clip.fps, "do_resize": False, **more}


def with_frames(clip: Clip, count: int) -> Clip:
    """The clip with exactly ``count`` frames, which repeat its own evenly; it has no more of them."""
    import numpy as np

    if clip.frames is None or len(clip.frames) == count:
        return clip
    own = len(clip.frames)
    chosen = (np.arange(count) * own) // count
    return replace(clip, frames=clip.frames[chosen], fps=clip.fps * count / own)


def plain_image(picture: np.ndarray) -> dict[str, Any]:
    """Arguments for an image that the processor resizes to what its tower takes."""
    return {}


def image_of_its_size(picture: np.ndarray) -> dict[str, Any]:
    """Arguments for an image that keeps its size: the processor would enlarge small ones, and refuse strips."""
    return {"do_resize": False}


def plain_sound(processor: Any, clip: Clip) -> dict[str, Any]:
    """Arguments for sound: the sampling rate alone; the processor pads as its tower needs."""
    return {"sampling_rate": SAMPLING_RATE}
