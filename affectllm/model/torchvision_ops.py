"""Make torchvision importable where its compiled extension cannot load.

PyPI's torchvision wheel is built for CUDA. Beside a CPU build of torch its extension does not load, and importing
torchvision fails because two operators have no schema; with it fails much of transformers. transformers needs
torchvision only for transforms written in Python, so declaring the two schemas is enough. Where the extension loads,
nothing is declared.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library = None


class _BeforeTorchvision(MetaPathFinder):
    """Import hook that declares the schemas when torchvision is first imported; it finds no module itself."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            ensure_torchvision()
        return None


def install() -> None:
    """Arrange for ``ensure_torchvision`` to run when torchvision is first imported; loads nothing by itself."""
    if "torchvision" not in sys.modules and not any(isinstance(f, _BeforeTorchvision) for f in sys.meta_path):
        sys.meta_path.insert(0, _BeforeTorchvision())


def ensure_torchvision() -> None:
    """Declare ``torchvision::nms`` and ``torchvision::qnms`` when, and only when, the extension cannot load."""
    global _library
    if "torchvision" in sys.modules:
        return
    spec = importlib.util.find_spec("torchvision")  # which calls this function, where the hook is installed
    if _library is not None or spec is None or spec.origin is None:
        return
    import torch

    if any(_loads(path) for path in Path(spec.origin).parent.glob("_C*.so")):
        return
    library = torch.library.Library("torchvision", "DEF")
    library.define(f"nms{_SCHEMA}")
    library.define(f"qnms{_SCHEMA}")
    _library = library  # schemas live as long as their library object


def _loads(path: Path) -> bool:
    import torch

    try:
        torch.ops.load_library(path)
    except OSError:
        return False
    return True
