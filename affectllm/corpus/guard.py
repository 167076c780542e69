"""Check every item that a builder yields; no builder can leave the check out.

No clip may lie outside the corpus, however a folder of it is linked; no text may hold what no file can hold; a clip
whose name differs from that on the disk in nothing that a reader sees is found. An exception within a builder cannot be
fenced in row by row, because it ends the generator: it is reported with the place at which it happened.
"""

from __future__ import annotations

import functools
import os
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from affectllm.corpus.files.links import LEAVES, VARIABLE, Links
from affectllm.corpus.files.names import find_equivalent
from affectllm.corpus.records.lines import is_lfs_pointer
from affectllm.corpus.sample import MediaRef, Rejection, Sample
from affectllm.errors import AffectError, Malformed

Samples = Callable[[Path], Iterator[Sample | Rejection]]
OTHER_NAME = "other_name"
"""The reason under which clips are counted that have another name on the disk than in the tables, and are used."""
MANY = 4
"""From so many goals on, links that all lead out are most likely the user's own; some may be traps in an archive."""
_MARK = "_affectllm_guarded"


def guarded(samples: Samples) -> Samples:
    """Wrap ``samples`` so that every item is checked.

    A clip that a link leads out of the root is rejected as ``unsafe_path``, a link to nothing as ``media_missing``, a
    sample with half a character as ``bad_encoding``. What is guarded already is returned as it is.

    Raises (while samples are taken):
        Malformed: when a folder of clips is a link that leaves the root; when there are such links to ``MANY`` files
            or more, and no clip besides; when the builder fails in a way that is no error of ours.
    """
    if hasattr(samples, _MARK):
        return samples

    @functools.wraps(samples)
    def inside_only(root: Path) -> Iterator[Sample | Rejection]:
        fence = _Fence(Path(root))
        for item in _explained(samples, Path(root)):
            yield from fence.checked(item)
        fence.finish()

    setattr(inside_only, _MARK, True)
    return inside_only


def _explained(samples: Samples, root: Path) -> Iterator[Sample | Rejection]:
    """Yield the samples; any other exception becomes ``Malformed`` with the last item and the line of code."""
    last = ""
    try:
        for item in samples(root):
            last = item.source if isinstance(item, Sample) else item.where or item.item
            yield item
    except (AffectError, GeneratorExit):
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        after = f"after {_plain(last)}" if last else "before the first row"
        message = f"the builder failed {after}: {type(error).__name__}: {str(error)[:200]}"
        do = f"look at that file; if it is in order, report this ({Path(frame.filename).name}:{frame.lineno})"
        raise Malformed(message, where=str(root), do=do) from error


class _Fence:
    """Checks items one by one, and remembers where refused links lead."""

    def __init__(self, root: Path) -> None:
        self._root, self._links = root, Links(root)
        self._kept = 0
        self._goals: set[str] = set()

    def checked(self, item: Sample | Rejection) -> Iterator[Sample | Rejection]:
        if isinstance(item, Rejection):
            self._count(item)
            yield item if _is_whole(item.item, item.where, item.detail) else _printable(item)
            return
        if not _can_be_written(item):
            detail = "half a character (a lone surrogate) in a text or name"
            yield Rejection(_plain(item.id), "bad_encoding", _plain(item.source), detail)
            return
        if not item.media:
            yield item
            return
        checked_media = [self._medium(ref, item.source) for ref in item.media]
        for _, rejection in checked_media:
            if rejection is not None:
                self._count(rejection)
                yield rejection
        media = tuple(ref for ref, _ in checked_media if ref is not None)
        self._kept += len(media)
        yield item if media == item.media else replace(item, media=media)

    def _medium(self, ref: MediaRef, source: str) -> tuple[MediaRef | None, Rejection | None]:
        """Return the clip that may be used, and the rejection to be counted for it."""
        if refused := self._links(ref.path):
            return None, Rejection(ref.path, "unsafe_path", source, refused)
        full = self._root / ref.path
        if not os.path.lexists(full):
            spelt = find_equivalent(self._root, ref.path)
            if spelt is None:
                return ref, None  # the audit tells what is absent, and so does whoever opens it
            other = replace(ref, path=spelt.relative_to(self._root).as_posix())
            if refused := self._links(other.path):
                return None, Rejection(ref.path, "unsafe_path", source, refused)
            if is_lfs_pointer(spelt):
                return None, Rejection(ref.path, "lfs_pointer", other.path, "run `git lfs pull`")
            return other, Rejection(ref.path, OTHER_NAME, source, f"{other.path} is used")
        if os.path.islink(full) and not os.path.exists(full):
            return None, Rejection(ref.path, "media_missing", source, "a link to nothing")
        return ref, None

    def _count(self, rejection: Rejection) -> None:
        if len(self._goals) < MANY and rejection.reason == "unsafe_path" and rejection.detail.startswith(LEAVES):
            self._goals.add(rejection.detail)

    def finish(self) -> None:
        """Refuse a corpus of which no clip is left because of links: a text-only corpus is not what was asked for."""
        if len(self._goals) >= MANY and not self._kept:
            message = f"every clip is {min(self._goals).partition(';')[0]} and so on"
            do = f"if you made these links, set {VARIABLE} to the folder of their goals; else copy the files there"
            raise Malformed(message, where=str(self._root), do=do)


def _can_be_written(item: Sample) -> bool:
    texts = [item.id, item.source, item.text or "", item.speaker or "", item.dialogue or "", *item.attributes.values()]
    texts += [ref.path for ref in item.media]
    texts += [part for turn in item.context[-1:] for part in (turn.speaker, turn.text)]
    texts += [answer.value for answer in item.annotations if isinstance(answer.value, str)]
    return _is_whole(*texts)


def _is_whole(*texts: str) -> bool:
    for text in texts:
        if not text.isascii():
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                return False
    return True


def _plain(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _printable(item: Rejection) -> Rejection:
    return Rejection(_plain(item.item), item.reason, _plain(item.where), _plain(item.detail))
