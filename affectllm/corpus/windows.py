"""Cut recordings with a continuous trace into windows of equal length, each with the mean of its part of the trace.

A trace is an annotation in an open space: numbers with blanks between them, so many a second. A window is a sample of
its own, whose clips are that part of the recording's; ``recording`` is the id of the whole, ``window`` the number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from affectllm.corpus.sample import MediaRef, Rejection, Sample
from affectllm.labels import Annotation, LabelSpace

TOO_SHORT = "short_window"


@dataclass(frozen=True)
class Windows:
    """How recordings are cut.

    Args:
        curve: label space of the trace.
        seconds: length of a window; what is left at the end counts from half of that on.
        rate: numbers of the trace in a second.
    """

    curve: str
    seconds: float
    rate: float


def windowed(
    items: Iterable[Sample | Rejection], windows: Windows, space: LabelSpace, rater: str
) -> Iterator[Sample | Rejection]:
    """Yield the windows of every recording, with the mean of the trace as what ``rater`` says in ``space``.

    A rest that is too short becomes a rejection, ``short_window``; a recording without a trace stays whole and loses
    its annotation in ``space``, since the question is about windows.

    Args:
        space: of one dimension.
    """
    for item in items:
        if isinstance(item, Rejection):
            yield item
            continue
        annotation = item.annotation(windows.curve, rater)
        if annotation is None:
            yield replace(item, annotations=tuple(one for one in item.annotations if one.space != space.name))
        else:
            yield from _windows(item, [float(one) for one in str(annotation.value).split()], windows, space, rater)


def _windows(
    sample: Sample, trace: list[float], windows: Windows, space: LabelSpace, rater: str
) -> Iterator[Sample | Rejection]:
    size = max(1, round(windows.seconds * windows.rate))
    for number, first in enumerate(range(0, len(trace), size), 1):
        part, name = trace[first : first + size], f"{sample.id}@{number}"
        if 2 * len(part) < size:
            yield Rejection(name, TOO_SHORT, sample.source, f"{len(part)} of {size} numbers")
            continue
        mean = round(math.fsum(part) / len(part), 6)
        start, end = first / windows.rate, (first + len(part)) / windows.rate
        yield replace(
            sample,
            id=name,
            annotations=(Annotation(space.name, rater, {space.names[0]: mean}),),
            media=tuple(_cut(one, start, end) for one in sample.media),
            attributes={**sample.attributes, "recording": sample.id, "window": str(number)},
        )


def _cut(clip: MediaRef, start: float, end: float) -> MediaRef:
    before = clip.start or 0.0
    return replace(clip, start=round(before + start, 3), end=round(before + end, 3))
