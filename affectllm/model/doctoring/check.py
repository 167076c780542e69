"""One finding of the doctor, and what its checks share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]
GIB = 1024**3


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Args:
        name: what was looked at.
        status: ``ok``; ``warn`` where something optional is missing; ``fail`` where affectllm cannot work.
        finding: what was found, in one line.
        do: what to do about it; empty where nothing needs doing.
    """

    name: str
    status: Status
    finding: str
    do: str = ""


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what libraries log while they are imported: the finding says what matters."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
