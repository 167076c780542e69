"""Who made a deprecated call: a warning that a library gives in its own name is laid at the door of its caller.

pytest's filters go by the module that a warning names, and most libraries name themselves. Only direct calls count:
what one library does with another, and what happens while one is imported, is theirs.
"""

from __future__ import annotations

import sys
import warnings
from types import FrameType
from typing import Any

OURS = ("affectllm", "test_", "conftest")
"""Beginnings of the names of our modules; pyproject.toml makes their deprecations errors."""
_DEPRECATIONS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
_PLUMBING = ("functools", "contextlib", "typing_extensions", "warnings")
"""Modules that decorators of libraries run in; they call nothing of their own accord."""
_warn = warnings.warn


def install() -> None:
    """Let every deprecation of this process name who called the library that warns."""
    warnings.warn = _by_caller  # type: ignore[assignment]


def _by_caller(
    message: Warning | str, category: type[Warning] | None = None, stacklevel: int = 1, source: Any = None, **more: Any
) -> None:
    kind = type(message) if isinstance(message, Warning) else category or UserWarning
    if isinstance(kind, type) and issubclass(kind, _DEPRECATIONS):
        caller = _caller(sys._getframe(1))
        if caller is not None and _named(caller).startswith(OURS):
            place = (caller.f_code.co_filename, caller.f_lineno, _named(caller))
            warnings.warn_explicit(message, kind, *place, registry={}, source=source)
            return
    _warn(message, category, stacklevel + 1, source, **more)


def _caller(frame: FrameType) -> FrameType | None:
    """Return the frame that called the library whose code ``frame`` runs."""
    library, outer = "", frame
    while outer is not None:
        root = _named(outer).partition(".")[0]
        if root not in _PLUMBING:
            library = library or root
            if root != library:
                return outer
        outer = outer.f_back  # type: ignore[assignment]
    return None


def _named(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
