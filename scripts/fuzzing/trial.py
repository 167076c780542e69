"""Open one file, in a process that may hang or die, and return its reason or the fault of the result."""

from __future__ import annotations

import resource
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

_MEMORY = 6 * 2**30  # bytes of address space; a bomb shows as MemoryError
_FACTOR = 28
ASKS: tuple[dict[str, Any], ...] = (
    {"frames": True, "sound": True},
    {"frames": False, "sound": True},
    {"frames": True, "sound": False},
    {"frames": True, "sound": True, "start": 0.3, "end": 0.7},
    {"frames": False, "sound": True, "start": 0.5},
    {"cut": "sound"},
    {"cut": "video", "start": 0.2, "end": 0.8, "sound": True},
    {"cut": "silent"},
    {},  # as a picture
)


class Outcome(NamedTuple):
    """The outcome of opening one file.

    Args:
        reason: ``opened``, or a reason of ``MediaError``.
        detail: what the decoder said.
        fault: what must not happen; "" where nothing did.
        name: of the file.
        ask: what was asked of it.
    """

    reason: str
    detail: str = ""
    fault: str = ""
    name: str = ""
    ask: int = 0


def serve(pipe: Connection) -> None:
    """Open what comes through ``pipe`` until None comes."""
    from affectllm.model.clips.media import Budget

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    budget = Budget(fps=4.0, max_frames=8, max_pixels=112 * 112, min_pixels=56 * 56, max_seconds=20.0)
    trimming = Budget(**{**budget.to_json(), "long": "trim"})
    while (job := pipe.recv()) is not None:
        path, ask, trims = job
        pipe.send(trial(path, ask, trimming if trims else budget))


def trial(path: Path, ask: int, budget: Any) -> Outcome:
    """Open ``path`` as ``ASKS[ask]`` says."""
    from affectllm.model.clips.media import MediaError, open_clip, open_image

    try:
        kind = dict(ASKS[ask])
        if "cut" in kind:
            return _cut(path, ask, kind)
        opened = open_clip(path, budget, factor=_FACTOR, **kind) if kind else open_image(path, budget, _FACTOR)
        if isinstance(opened, MediaError):
            return Outcome(opened.reason, opened.detail, "", path.name, ask)
        return Outcome("opened", "", _wrong(opened, budget), path.name, ask)
    except BaseException as error:
        return Outcome("raised", "", f"{type(error).__name__}: {error}", path.name, ask)


def _cut(path: Path, ask: int, kind: dict[str, Any]) -> Outcome:
    from affectllm.instruct.exports.media import Cut
    from affectllm.model.clips.cut import cut

    target = path.with_name(f"cut{path.suffix}")
    refused = cut(path, target, Cut(kind.pop("cut"), **kind))
    left = refused is not None and target.exists()
    target.unlink(missing_ok=True)
    if refused is None:
        return Outcome("cut", "", "", path.name, ask)
    return Outcome(refused.reason, refused.detail, "a refused cut leaves a file" if left else "", path.name, ask)


def _wrong(opened: Any, budget: Any) -> str:
    """Return what is wrong with a clip or picture; "" where nothing is."""
    import numpy as np

    frames = opened[None] if isinstance(opened, np.ndarray) else opened.frames
    if frames is not None and (frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3):
        return f"frames of {frames.dtype} {frames.shape}"
    if frames is not None and frames.shape[1] * frames.shape[2] > budget.max_pixels:
        return f"frames of {frames.shape}, beyond the budget"
    sound = getattr(opened, "sound", None)
    if sound is None:
        return ""
    if not np.isfinite(sound).all() or np.abs(sound).max() > 1.0:
        return "samples that are not finite or beyond full scale"
    return "" if len(sound) <= (budget.max_seconds + 0.1) * 16_000 else f"{len(sound)} samples, beyond the budget"
