"""Find clips of equal content under different names, across corpora. Files are compared as bytes, never decoded.

Sizes are compared first: only a file whose size another file has is read and hashed (SHA-256), once. The span belongs
to a clip, so two moments of one film are two clips. A copy that was encoded again is another content to this module.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from affectllm.corpus.sample import MediaRef, Sample
from affectllm.errors import AffectError, MissingCorpus


class Clip(NamedTuple):
    """A clip of a sample and the file that it lies in."""

    corpus: str
    ref: MediaRef
    file: str

    @property
    def name(self) -> str:
        """``corpus/path``, with the span where there is one."""
        return f"{self.corpus}/{self.ref.path}{span(self.ref)}"


def span(ref: MediaRef) -> str:
    """Return ``@start-end`` in seconds, "" for a whole file."""
    return "" if ref.start is None and ref.end is None else f"@{ref.start}-{ref.end}"


def clips(sample: Sample, roots: Mapping[str, Path]) -> Iterator[Clip]:
    """Yield the clips of a sample.

    Raises:
        MissingCorpus: when ``roots`` has no folder of its corpus.
    """
    if sample.media and sample.corpus not in roots:
        raise MissingCorpus(
            f"the clips of {sample.corpus} cannot be compared without its folder", do=f"pass --root {sample.corpus}=DIR"
        )
    for ref in sample.media:
        yield Clip(sample.corpus, ref, os.path.join(roots[sample.corpus], ref.path))


class Contents:
    """Sizes and hashes of files, remembered for the run by path, size and time of the last change (150 bytes each)."""

    def __init__(self) -> None:
        self._digests: dict[tuple[str, int, int], bytes] = {}
        self.hashed = 0  # bytes read, for whoever wants to tell the costs

    def size(self, file: str) -> int | None:
        """Return the size in bytes; None for what is missing, empty or not a file. Links are followed."""
        status = _stat(file)
        return status.st_size if status else None

    def digest(self, file: str) -> bytes | None:
        """Return the SHA-256 digest; None as for ``size``.

        Raises:
            AffectError: when the file is there and cannot be read.
        """
        status = _stat(file)
        if status is None:
            return None
        key = (file, status.st_size, status.st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = _sha256(file)
            self.hashed += status.st_size
        return self._digests[key]


def _stat(file: str) -> os.stat_result | None:
    try:
        status = os.stat(file)
    except (OSError, ValueError):  # missing, a broken or circular link, a forbidden folder, a NUL in the name
        return None
    return status if stat.S_ISREG(status.st_mode) and status.st_size else None


def _sha256(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError as error:
        raise AffectError(
            f"a clip that may be a copy of another cannot be read: {error.strerror}",
            where=file,
            do="check its permissions and the disk, or take it out of the corpus",
        ) from error


def media_duplicates(
    samples: Iterable[Sample], roots: Mapping[str, Path], contents: Contents | None = None
) -> dict[str, str]:
    """Return ``corpus/id`` of each sample whose clips an earlier one has under other names → ``corpus/id`` of that.

    Clips are the same when content, modality, sound and span are. Samples that share the very files with the kept one
    are not duplicates but several questions about one clip; samples with a missing clip, or none, are left alone.

    Memory: about 0.5 KiB for each sample with clips, held until the end, since any later file may have its size.

    Args:
        samples: of any number of corpora, in a stable order: the first is kept.
        roots: folder of each corpus.
        contents: what is known of files already.

    Raises:
        MissingCorpus: when ``roots`` lacks the folder of a corpus with clips.
        AffectError: when a file that must be hashed cannot be read.
    """
    contents = contents or Contents()
    samples_with_clips = [(f"{s.corpus}/{s.id}", tuple(clips(s, roots))) for s in samples if s.media]
    sizes = {clip.file: contents.size(clip.file) for _, own_clips in samples_with_clips for clip in own_clips}
    crowded = {size for size, files in Counter(sizes.values()).items() if files > 1}
    firsts: dict[tuple[object, ...], tuple[str, tuple[str, ...]]] = {}
    dropped = {}
    for key, own_clips in samples_with_clips:
        if any(sizes[clip.file] is None for clip in own_clips):
            continue
        same = tuple(_identity(clip, contents if sizes[clip.file] in crowded else None) for clip in own_clips)
        names = tuple(clip.name for clip in own_clips)
        first, first_names = firsts.setdefault(same, (key, names))
        if first_names != names:
            dropped[key] = first
    return dropped


def _identity(clip: Clip, contents: Contents | None) -> tuple[object, ...]:
    """Return the key by which clips are equal; a file whose size no other has is identified by its name."""
    ref = clip.ref
    content = clip.file if contents is None else contents.digest(clip.file)
    return content, ref.modality, ref.sound, ref.start, ref.end
