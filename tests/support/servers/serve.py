"""``transformers serve``, with pictures decoded by Pillow where this machine's torchvision cannot decode them.

PyPI's torchvision is built for CUDA, and beside a CPU build of torch its decoders of pictures do not load.
"""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import torch
import torchvision
from PIL import Image, ImageOps
from transformers.cli.transformers import main


def decoded(data: torch.Tensor, mode: Any = None, apply_exif_orientation: bool = True) -> torch.Tensor:
    """``[3, height, width]``, as torchvision gives it."""
    picture = ImageOps.exif_transpose(Image.open(io.BytesIO(data.numpy().tobytes()))).convert("RGB")
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


if __name__ == "__main__":
    try:
        torchvision.io.encode_png(torch.zeros(3, 1, 1, dtype=torch.uint8))
    except RuntimeError:
        torchvision.io.decode_image = decoded
    sys.exit(main())
