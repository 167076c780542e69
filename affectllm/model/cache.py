"""Disk cache of prepared media: a processor's tensors of one clip, keyed by content, span, budget and processor.

Safe under several workers and processes: entries are written under another name and renamed, and readers tolerate
an entry that another process has just evicted. The least recently read entries go first when the limit is reached.
It only saves time: where the disk is full, or the folder is somebody else's, clips are prepared anew.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.run import cache_folder, digest

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_LIMIT = 20 * 2**30
_CHECK_EVERY = 64  # writes between two looks at the total size
_READ_WHOLE = 1 << 20  # bytes up to which reading is quicker than mapping: sounds, but no pictures


class MediaCache:
    """Prepared media on disk.

    Args:
        folder: where entries lie; ``None`` means ``media/`` below the cache folder.
        limit: total size in bytes above which the least recently read entries are removed.

    Attributes:
        hits, misses: counted in this process.
        refused: how often the file system refused to read or write an entry.
    """

    def __init__(self, folder: Path | None = None, limit: int = DEFAULT_LIMIT) -> None:
        self.folder = folder or cache_folder() / "media"
        self.limit = limit
        self.hits = self.misses = self.refused = self._writes = 0
        self._contents: dict[tuple[str, int, int], str] = {}

    def key(self, path: Path, request: Mapping[str, Any]) -> str:
        """Return the key of ``path``'s content under ``request`` (span, budget, processor, …).

        The content's digest is remembered per (path, size, modification time), in this process and on disk.
        """
        return digest({**request, "content": self._content(path)})

    def get(self, key: str) -> dict[str, Tensor] | None:
        """Return the tensors stored under ``key``, or None. Large ones are memory-mapped: copy them to keep them.

        An entry is never changed in place, and one that is evicted meanwhile stays readable to who has mapped it.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load, load_file

        path = f"{self.folder}/{key[:2]}/{key}.safetensors"  # as a text: a Path costs a tenth of the reading
        try:
            if os.path.getsize(path) > _READ_WHOLE:
                tensors = load_file(path)
            else:
                with open(path, "rb") as stream:
                    tensors = load(stream.read())
        except PermissionError as error:
            self.misses += 1
            self._tell(error)
            return None
        except FileNotFoundError:
            self.misses += 1
            return None
        except SafetensorError:  # a disk that filled up or a copied cache; the clip is prepared again
            Path(path).unlink(missing_ok=True)
            self.misses += 1
            return None
        except RuntimeError as error:  # safetensors opens the name twice; between the two it was evicted
            if os.strerror(errno.ENOENT) not in str(error):
                raise
            self.misses += 1
            return None
        self.hits += 1
        with suppress(OSError):  # of somebody else's entry the time stays; an evicted one has none
            os.utime(path)
        return tensors

    def put(self, key: str, tensors: Mapping[str, Tensor]) -> None:
        """Store ``tensors``; where the file system refuses, the cache stays as it was."""
        from safetensors.torch import save

        self._write(self._entry(key), save({name: tensor.contiguous() for name, tensor in tensors.items()}))
        self._writes += 1
        if self._writes % _CHECK_EVERY == 0:
            self.trim()

    def trim(self) -> int:
        """Remove least recently read entries until the total is at most 90 % of the limit; return how many."""
        entries = [(stat.st_mtime_ns, stat.st_size, path) for path, stat in self._entries()]
        total = sum(size for _, size, _ in entries)
        removed = 0
        if total <= self.limit:
            return removed
        for _, size, path in sorted(entries):
            path.unlink(missing_ok=True)
            total, removed = total - size, removed + 1
            if total <= 0.9 * self.limit:
                break
        return removed

    def _entries(self) -> list[tuple[Path, os.stat_result]]:
        entries = []
        for path in self.folder.glob("??/*.safetensors"):
            try:
                entries.append((path, path.stat()))
            except FileNotFoundError:  # evicted by another process meanwhile
                continue
        return entries

    def _entry(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.safetensors"

    def _content(self, path: Path) -> str:
        stat = path.stat()
        identity = (str(path), stat.st_size, stat.st_mtime_ns)
        if identity not in self._contents:
            self._contents[identity] = self._remembered(identity, path)
        return self._contents[identity]

    def _remembered(self, identity: tuple[str, int, int], path: Path) -> str:
        name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
        note = self.folder / "contents" / name[:2] / name
        try:
            return note.read_text(encoding="ascii")
        except (FileNotFoundError, PermissionError):
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            self._write(note, content.encode("ascii"))
            return content

    def _write(self, path: Path, data: bytes) -> None:
        scratch = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=".")
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            os.replace(scratch, path)
        except OSError as error:
            self._tell(error)
            if scratch is not None:
                Path(scratch).unlink(missing_ok=True)

    def _tell(self, error: OSError) -> None:
        """Count a refusal; the first one is told."""
        self.refused += 1
        if self.refused == 1:
            where = f"{self.folder}: the file system refused an entry of prepared clips: {error.strerror or error}"
            do = "set AFFECTLLM_CACHE to a folder of your own with space; until then clips are prepared anew each time"
            print(f"{where}\n  → {do}", file=sys.stderr)
