"""Makes torchvision importable where its compiled extension cannot load.

PyPI's torchvision wheel is built for CUDA. Beside a CPU build of torch its extension does not load, and importing
torchvision fails because two operators have no schema. transformers needs torchvision only for transforms written in
Python, so declaring the two schemas is enough. Where the extension loads, nothing is declared.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_library = None


def ensure_torchvision() -> None:
    """Declare ``torchvision::nms`` and ``torchvision::qnms`` when, and only when, the extension cannot load."""
    global _library
    spec = importlib.util.find_spec("torchvision")
    if _library is not None or "torchvision" in sys.modules or spec is None or spec.origin is None:
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
