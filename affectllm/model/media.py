"""Public names for opening clips and pictures; the work is done in ``affectllm.model.clips``."""

from __future__ import annotations

from affectllm.model.clips.budget import SAMPLING_RATE, Budget
from affectllm.model.clips.media import Clip, MediaError, open_clip, open_image

__all__ = ["SAMPLING_RATE", "Budget", "Clip", "MediaError", "open_clip", "open_image"]
