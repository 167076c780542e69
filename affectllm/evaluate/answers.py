"""Append-only store of model answers, so that a run killed at any instant resumes where it was.

One folder of JSON lines, ``{"key": …, "answer": …}``; each process appends to a file of its own and reads all files at
the start, so the number of processes may change in between. Keys are digests of everything that decides an answer: the
model's weights and adapter, the template with its version, the messages, the bytes of the clips, the settings of the
generation and the media budget. (lm-eval's own cache, ``--use_cache``, leaves out the model and the media.)
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from affectllm.errors import Malformed
from affectllm.evaluate.shared import shared


class Answers:
    """A growing mapping key → answer (a string, or a list of [log-likelihood, is greedy]).

    Args:
        folder: where the files lie; None keeps nothing.

    Raises:
        Malformed: when a file holds a broken line that is not its last one.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._stream: TextIO | None = None
        self._known: dict[str, Any] = {}
        if folder is not None and folder.is_dir():
            for path in sorted(folder.glob("*.jsonl")):
                self._known.update(_shared(_read(path)))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: str) -> Any | None:
        """Return the answer, or None when there is none yet."""
        return self._known.get(key)

    def add(self, answers: Mapping[str, Any]) -> None:
        """Store answers; they are flushed to the operating system on return, and survive the end of the process."""
        self._known.update(_shared(answers))
        if self._folder is None or not answers:
            return
        if self._stream is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._stream = (self._folder / f"{uuid.uuid4().hex}.jsonl").open("w", encoding="utf-8")
        for key, answer in answers.items():
            self._stream.write(json.dumps({"key": key, "answer": answer}, ensure_ascii=False) + "\n")
        self._stream.flush()


def _shared(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers such that equal replies, of which there may be a million, are one string."""
    return {key: shared(answer) if isinstance(answer, str) else answer for key, answer in answers.items()}


def _read(path: Path) -> dict[str, Any]:
    lines = path.read_bytes().split(b"\n")
    # A process that was killed while writing leaves its last line without an end; that answer is asked for again.
    whole, answers = lines[:-1], {}
    for number, line in enumerate(whole, 1):
        try:
            row = json.loads(line)
            answers[row["key"]] = row["answer"]
        except (ValueError, KeyError, TypeError) as error:
            raise Malformed("a kept answer cannot be read", where=f"{path}:{number}", do="delete this file") from error
    return answers
