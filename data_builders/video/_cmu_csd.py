"""Read the labels of CMU-MOSI and CMU-MOSEI from computational sequences: HDF5 files that CMU-MultimodalSDK downloads.

Not a corpus. ``CMU_MOSI_Opinion_Labels.csd`` and ``CMU_MOSEI_Labels.csd`` hold one group (``Opinion Segment Labels``,
``All Labels``), in it ``data/{video}/features`` (a row of means a segment), ``data/{video}/intervals`` (where it starts
and ends, in seconds) and ``metadata/dimension names`` (the names of the columns, as JSON). Segments have no numbers and
no words there, so a row is given to a clip of the transcript:

- by its times, where the transcript has times (MOSEI);
- by its place, where the transcript has numbers only and exactly as many clips as there are rows (MOSI);
- to none, where the video has no transcript at all: the moment is called ``{video}[{row}]`` and has no words.
"""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from affectllm.data_builders.video._cmu_raw import Raw
from affectllm.data_builders.video._mmsa import Segment, is_own

from affectllm.corpus import Rejection
from affectllm.corpus.reading import folders_below, is_lfs_pointer, list_media, relative
from affectllm.corpus.tables import number, plain_name
from affectllm.errors import Malformed
from affectllm.labels import LabelSpace

TOLERANCE = 0.1
"""Seconds by which the times of a row and of a transcript may differ."""
_OVERLAP = 0.5  # of the longer of the two, where the times differ by more
_DOCUMENTED = ("sentiment", "happy", "sad", "anger", "surprise", "disgust", "fear")
_NAMES = {"mosi": r"(cmumosi.*|opinion(segment)?)labels", "mosei": r"(cmumosei.*|all)labels"}
_DAMAGED = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    SyntaxError,
)  # what h5py raises for files that are cut or overwritten
_Span = tuple[float, float]
_Table = tuple[list[list[Any]], list[list[Any]]]  # features and intervals
_Column = tuple[LabelSpace, str]


def has_csd(folder: Path, own: str) -> bool:
    """Whether the labels of ``own`` lie in a folder, or in its ``labels/`` or ``cmumosei_labels/`` (the SDK's name)."""
    if not (folder.is_dir() and is_own(folder, own)):
        return False
    named = re.compile(rf"((cmu)?{own})?labels?")
    inside = [place for place in sorted(folder.iterdir()) if named.fullmatch(plain_name(place.name)) and place.is_dir()]
    return any(_is_labels(path, own) for place in (folder, *inside) for path in list_media(place, (".csd",)))


def _is_labels(path: Path, own: str) -> bool:
    return bool(re.fullmatch(_NAMES[own], plain_name(path.stem)))


def read(base: Path, root: Path, own: str, spaces: Sequence[LabelSpace], raw: Raw) -> Iterator[Rejection]:
    """Add the means of the nearest label file below ``base`` to ``raw``, which has the transcripts already.

    Raises:
        Malformed: when the file is damaged, or one of its columns is no label of ``spaces``.
    """
    paths = (path for folder in folders_below(base, 5) for path in list_media(folder, (".csd",)))
    path = next((path for path in paths if _is_labels(path, own)), None)
    if path is None:
        return
    raw.sequence = relative(path, root)
    stated, videos = _opened(path, raw.sequence)
    columns = _columns(stated, spaces, raw.sequence)
    clips: defaultdict[str, list[Segment]] = defaultdict(list)
    for segment in raw.segments.values():
        clips[segment.video].append(segment)
    for video, table in videos.items():
        if table is None or len(table[0]) != len(table[1]):
            yield Rejection(video, "broken_row", raw.sequence, "no features and intervals with a row a segment")
        else:
            yield from _video(video, table, columns, clips[video], raw)


def _opened(path: Path, where: str) -> tuple[Any, dict[str, _Table | None]]:
    """Return the names of the columns as the file states them, and the tables by video; None for what is no table."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            top: Any = next((group for group in file.values() if isinstance(group, h5py.Group)), {})
            data = top.get("data")
            if isinstance(data, h5py.Group):
                return _stated(top), {video: _table(data[video]) for video in sorted(data)}
    except _DAMAGED as error:
        todo = "run `git lfs pull`" if is_lfs_pointer(path) else "fetch the file again"
        raise Malformed(f"not a readable computational sequence ({error})", where=where, do=todo) from error
    raise Malformed("no computational sequence: it has no group data", where=where, do="fetch the file again")


def _table(video: Any) -> _Table | None:
    parts: list[Any] = [video.get(name) if hasattr(video, "get") else None for name in ("features", "intervals")]
    if any(part is None or len(getattr(part, "shape", ())) != 2 for part in parts):
        return None
    features, intervals = (part[()].tolist() for part in parts)
    return features, intervals


def _stated(top: Any) -> Any:
    """Return the content of ``metadata/dimension names``; None where it is empty."""
    stored = top.get("metadata/dimension names")
    if stored is None:
        return None
    text = stored[0] if stored.shape else stored[()]
    names = text.decode() if isinstance(text, bytes) else str(text)
    # The SDK writes JSON, other writers str() of the list; both are literals of Python.
    return None if names in ("", "null", "None") else ast.literal_eval(names)


def _columns(stated: Any, spaces: Sequence[LabelSpace], where: str) -> list[_Column]:
    """Return the space and the label of every column, by their stated names or in the order that the SDK documents."""
    names = stated if isinstance(stated, (list, tuple)) else [stated]
    if stated is None or len(spaces) == 1 == len(names):  # one column is the opinion, whatever it is called
        names = _DOCUMENTED if len(spaces) > 1 else _DOCUMENTED[:1]
    columns: list[_Column] = []
    for word in names:
        owner = next((space for space in spaces if space.resolve(str(word))), None)
        if owner is None:
            message = f"the column {word!r} is none of {', '.join(name for space in spaces for name in space.names)}"
            raise Malformed(message, where=where, do="take the label file of CMU-MultimodalSDK, not a file of features")
        columns.append((owner, str(owner.resolve(str(word)))))
    return columns


def _video(
    video: str, table: _Table, columns: Sequence[_Column], clips: Sequence[Segment], raw: Raw
) -> Iterator[Rejection]:
    timed = [(clip, clip.span) for clip in clips if clip.span]
    numbered = sorted(clips, key=lambda clip: int(clip.clip) if clip.clip.isdecimal() else math.inf)
    for place, (values, times) in enumerate(zip(*table, strict=True)):
        name = f"{video}[{place}]"
        span = _span(times)
        if span is None or len(values) != len(columns):
            detail = f"{len(values)} values for {len(columns)} labels, from {times} s"
            yield Rejection(name, "broken_row", raw.sequence, detail)
            continue
        if not clips:
            clip: Segment | None = Segment(video, str(place), "", raw.sequence, id=name)
        elif timed:
            clip = _by_time(span, timed)
        else:
            clip = numbered[place] if len(clips) == len(table[0]) else None
        when = f"{span[0]:.2f} to {span[1]:.2f} s"
        if clip is None:
            yield Rejection(name, "text_missing", raw.sequence, f"{when}: no clip of the transcript is then")
        elif clip.name in raw.means:
            yield Rejection(name, "duplicate_id", raw.sequence, f"{when}: {clip.name} has another row")
        else:
            clip.span = clip.span or span
            raw.segments.setdefault(clip.name, clip)
            raw.means[clip.name] = {}
            yield from _means(name, values, columns, raw.means[clip.name], raw.sequence)


def _means(
    name: str, values: Sequence[Any], columns: Sequence[_Column], means: dict[str, float], where: str
) -> Iterator[Rejection]:
    for value, (space, label) in zip(values, columns, strict=True):
        mean = number(value, *space.bounds or ())
        if mean is None:
            yield Rejection(name, "out_of_range", where, f"{label}: {value}")
        else:
            means[label] = round(mean, 6)


def _span(times: Sequence[Any]) -> _Span | None:
    if len(times) != 2:
        return None
    start, end = number(times[0]), number(times[1])
    # Some segments begin a moment before their video does.
    return (max(0.0, start), end) if start is not None and end is not None and end > max(0.0, start) else None


def _by_time(span: _Span, timed: Sequence[tuple[Segment, _Span]]) -> Segment | None:
    """Return the clip of a transcript with these times; None where there is none."""
    near = [(clip, _distance(times, span)) for clip, times in timed if _distance(times, span) <= TOLERANCE]
    if near:
        return min(near, key=lambda pair: pair[1])[0]
    clip, times = max(timed, key=lambda pair: _overlap(pair[1], span))
    return clip if _overlap(times, span) > _OVERLAP else None


def _distance(one: _Span, other: _Span) -> float:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1]))


def _overlap(one: _Span, other: _Span) -> float:
    """Return the overlap of two spans as a share of the longer one."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared / max(one[1] - one[0], other[1] - other[0])
