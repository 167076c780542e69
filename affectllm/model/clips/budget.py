"""Media budgets: the limits on length, rate and size of a clip, and the span and frame size that result."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from affectllm.model.clips.fence import Unusable

SAMPLING_RATE = 16_000
_LONGEST_SIDES = 200  # sides further apart are refused by the processors of the Qwen families
# What may be missing of a stream at its end, in seconds or as a share: indices round, and last frames get lost.
_MISSING_SECONDS, _MISSING_SHARE = 0.5, 0.1


@dataclass(frozen=True)
class Budget:
    """Limits on the part of a clip that a model gets. A field of a recipe; content parts may override it.

    Args:
        fps: frames per second to take.
        max_frames: at most this many frames; a longer clip is sampled more thinly.
        max_pixels: at most height × width per frame after resizing, whatever its shape.
        min_pixels: smaller frames are enlarged to this.
        max_seconds: longest clip; a family that hears less sets a lower bound of its own.
        long: what happens to a longer one: ``reject`` (counted as ``too_long``) or ``trim`` (its beginning is used,
            and the clip is counted as trimmed).
    """

    fps: float = 2.0
    max_frames: int = 32
    max_pixels: int = 256 * 28 * 28
    min_pixels: int = 4 * 28 * 28
    max_seconds: float = 60.0
    long: Literal["reject", "trim"] = "reject"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Span:
    """The part of a clip that is used, in seconds from its beginning.

    Args:
        start, end: of what is used.
        trimmed: seconds that were asked for and are left out after ``end``.
    """

    start: float
    end: float
    trimmed: float = 0.0


def asked_span(start: float | None, end: float | None) -> tuple[float, float]:
    """Return beginning and end in seconds, those of the file for None; a negative beginning becomes 0.

    Raises:
        Unusable: ``too_short``, when nothing lies between them, or one is no number.
    """
    begin, until = start or 0.0, math.inf if end is None else end
    begin = 0.0 if begin < 0 else begin
    if not begin < until:  # written so that NaN is caught
        raise Unusable("too_short", f"nothing lies between {begin:g} s and {until:g} s")
    return begin, until


def span_of(duration: float, start: float, end: float, budget: Budget) -> Span:
    """Return the requested part of a clip of ``duration`` seconds, within the budget.

    Raises:
        Unusable: ``too_long``, when that is more than the budget and the budget rejects.
    """
    seconds = max(0.0, min(duration, end) - start)
    if seconds <= budget.max_seconds + 0.5 / SAMPLING_RATE:
        return Span(start, start + seconds)
    if budget.long == "reject":
        raise Unusable("too_long", f"{seconds:.1f} s; at most {budget.max_seconds:g} s are used")
    return Span(start, start + budget.max_seconds, seconds - budget.max_seconds)


def missing(promised: float, reached: float, span: Span) -> float:
    """Return the seconds missing at the end of the span of what ``promised`` says; 0 within the tolerance."""
    end = min(span.end, promised)
    short = end - reached
    return short if short > max(_MISSING_SECONDS, _MISSING_SHARE * (end - span.start)) else 0.0


def check_end(kind: str, promised: float, reached: float, span: Span) -> None:
    """Raise ``truncated`` when more than the tolerance of what ``promised`` says is missing at the end of the span."""
    if lost := missing(promised, reached, span):
        raise Unusable("truncated", f"the last {lost:.1f} s of the {kind} are missing")


def frame_size(height: int, width: int, budget: Budget, factor: int) -> tuple[int, int]:
    """Return height and width: multiples of ``factor`` within the pixel budget, close to the aspect ratio.

    The rule of Qwen2-VL's ``smart_resize`` (arXiv:2409.12191, §2.1). A strip too thin for it is made wider than it is:
    its long side ends where the budget does, and at 200 times the short one.
    """
    fit_height = max(factor, round(height / factor) * factor)
    fit_width = max(factor, round(width / factor) * factor)
    if fit_height * fit_width > budget.max_pixels:
        scale = math.sqrt(height * width / budget.max_pixels)
        fit_height = max(factor, math.floor(height / scale / factor) * factor)
        fit_width = max(factor, math.floor(width / scale / factor) * factor)
    elif fit_height * fit_width < budget.min_pixels:
        scale = math.sqrt(budget.min_pixels / (height * width))
        fit_height = math.ceil(height * scale / factor) * factor
        fit_width = math.ceil(width * scale / factor) * factor
    return _clamped(fit_height, fit_width, budget, factor), _clamped(fit_width, fit_height, budget, factor)


def _clamped(side: int, other: int, budget: Budget, factor: int) -> int:
    if side < other:
        return side
    most = min(budget.max_pixels // (other * factor), _LONGEST_SIDES * other // factor)
    return max(factor, min(side, most * factor))
