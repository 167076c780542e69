"""What was found in each clip, kept for later runs: a line of JSON a clip, known by the clip's bytes and span."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from affectllm.corpus import MediaRef
from affectllm.errors import explained
from affectllm.run import digest, file_digest


class Kept:
    """Results by clip of one version of one tool; a process that is killed loses at most the clip at hand.

    Args:
        folder: where the file lies.
        version: all that decides the results.
    """

    def __init__(self, folder: Path, version: Any) -> None:
        self.path = folder / f"{digest(version)}.jsonl"
        self.computed = 0
        with explained(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            self._known = dict(_lines(self.path))

    def of(self, root: Path, ref: MediaRef, compute: Callable[[], Any]) -> Any:
        """Return what ``compute`` gave for this clip, now or in an earlier run; a JSON value."""
        key = self._key(root / ref.path, ref)
        if key not in self._known:
            self._known[key] = compute()
            self.computed += 1
            with explained(self.path), self.path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps([key, self._known[key]], ensure_ascii=False) + "\n")
        return self._known[key]

    @staticmethod
    def _key(path: Path, ref: MediaRef) -> str:
        content = file_digest(path) if path.is_file() else "missing"
        return digest([content, ref.start, ref.end])


def _lines(path: Path) -> list[tuple[str, Any]]:
    """Return the whole lines of a file, and cut off one that a kill has left unfinished."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    return [tuple(json.loads(line)) for line in whole.decode("utf-8").splitlines()]  # type: ignore[misc]
