"""A composite of encoders and a language model that sees; made by ``affectllm compose``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from affectllm.model.composite.families import composite, tiny_composite
from affectllm.model.family import Tiny

FAMILY = composite("Vision", {"video", "image"})


def tiny(make_tokenizer: Callable[..., Any]) -> Tiny:
    return tiny_composite(make_tokenizer, FAMILY)
