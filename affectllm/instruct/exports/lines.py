"""Write JSON Lines whose types ``datasets.load_dataset("json", …)`` infers right, however many rows there are.

It takes the types of a column from its first ten megabytes. A list of clips that is empty there gets no type, and the
first clip after them is an error; so the first row that fills a column goes to the top of the file.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from affectllm.errors import explained


class Lines:
    """Writes rows; as a context manager it leaves a whole file, or none where there was no row.

    Args:
        path: of the file.
        filled: columns (or, for content parts, kinds) that must occur at the top.
    """

    def __init__(self, path: Path, filled: Iterable[str] = ()) -> None:
        self.path, self.rows = path, 0
        self._waiting, self._top = set(filled), list[str]()
        self._scratch = path.with_name(f".{path.name}.part")
        self._body: IO[str] | None = None

    def __enter__(self) -> Lines:
        with explained(self.path):
            self._body = self._scratch.open("w", encoding="utf-8")
        return self

    def write(self, row: Mapping[str, Any], fills: Iterable[str] = ()) -> None:
        """Add a row that fills the columns ``fills``."""
        assert self._body is not None
        self.rows += 1
        line = json.dumps(row, ensure_ascii=False) + "\n"
        if new := self._waiting.intersection(fills):
            self._waiting -= new
            self._top.append(line)
            return
        with explained(self.path):
            self._body.write(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._body is not None
        with explained(self.path):
            self._body.close()
            if kind is None and self.rows:
                self._finish()
        self._scratch.unlink(missing_ok=True)

    def _finish(self) -> None:
        if not self._top:
            self._scratch.replace(self.path)
            return
        with self.path.open("wb") as whole, self._scratch.open("rb") as body:
            whole.write("".join(self._top).encode())
            shutil.copyfileobj(body, whole)
