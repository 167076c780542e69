"""Libraries that an extra of ours installs, and the error that says which one where such a library is missing."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator, Mapping

from affectllm.errors import AffectError

EXTRAS: Mapping[str, str] = {
    **dict.fromkeys(("accelerate", "peft", "sentence_transformers", "torch", "torchvision", "transformers"), "models"),
    **dict.fromkeys(("bitsandbytes", "deepspeed", "trl"), "train"),
    **{"gradio": "demo", "datatrove": "datatrove", "opensmile": "prosody", "parselmouth": "prosody"},
    **dict.fromkeys(("tensorboard", "trackio", "wandb"), "trackers"),
}
"""Package as it is imported → the extra of affectllm that installs it; what is not here is always installed."""
_WORD = re.compile(r"\w+")


def require(package: str) -> None:
    """Raise the error that says which extra installs ``package``, unless it is installed; nothing is imported."""
    if not is_installed(package):
        raise missing(package)


def missing(package: str) -> AffectError:
    """Return the error for a library that is not installed, with the command that installs it."""
    return AffectError(
        f"this needs {package}, which is not installed", do=f"pip install 'affectllm[{EXTRAS[package]}]'"
    )


def explained_import(error: ImportError) -> AffectError | None:
    """Convert a failed import into the error of ``missing``; None where no library of an extra is missing."""
    return next((missing(package) for package in _named(error) if not is_installed(package)), None)


def _named(error: ImportError) -> Iterator[str]:
    """Yield the libraries of extras that a failed import names, in its message too."""
    words = [(error.name or "").partition(".")[0], *_WORD.findall(str(error).lower())]  # "the Torchvision library"
    yield from (word for word in dict.fromkeys(words) if word in EXTRAS)


def is_installed(package: str) -> bool:
    """Return whether a package can be imported; nothing is imported."""
    return importlib.util.find_spec(package) is not None
