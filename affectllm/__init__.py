"""affectllm: instruction tuning and evaluation of multimodal LLMs on affect.

Importing this package is cheap: it loads no torch, no transformers and no datasets, and changes no environment. Its
public names are those of ``affectllm.api``, which is imported when the first of them is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from affectllm.api import ask, evaluate, load_corpus, load_model, load_template, read, score

__version__ = "0.1.0"
__all__ = ["ask", "evaluate", "load_corpus", "load_model", "load_template", "read", "score"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module("affectllm.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
