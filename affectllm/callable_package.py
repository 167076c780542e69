"""Packages that can be called: ``affectllm.evaluate`` and ``affectllm.score`` are rooms and functions of one name.

Python sets a package as an attribute of its parent when it is first imported, whatever stood there. So
``from affectllm import score`` may give either, and both must do the same.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def make_callable(package: str, target: str) -> None:
    """Let a call of ``package`` call ``target``, a dotted name, which is imported then."""
    module, _, name = target.rpartition(".")

    class Callable(ModuleType):
        def __call__(self, *args: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*args, **options)

    Callable.__name__ = "module"
    sys.modules[package].__class__ = Callable
