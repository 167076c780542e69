"""Make a package callable: ``affectllm.evaluate`` and ``affectllm.score`` are both packages and functions.

Python sets a package as an attribute of its parent when it is first imported, whatever stood there. So
``from affectllm import score`` may give either, and both must do the same.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any


def make_callable(package: str, target: str) -> None:
    """Let calls of ``package`` call ``target``, a dotted name that is imported at the first call."""
    module, _, name = target.rpartition(".")

    class Callable(ModuleType):
        def __call__(self, *args: Any, **options: Any) -> Any:
            return getattr(importlib.import_module(module), name)(*args, **options)

    Callable.__name__ = "module"
    sys.modules[package].__class__ = Callable
