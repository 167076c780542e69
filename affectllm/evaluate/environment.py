"""Settings of an evaluation as environment variables, which launchers pass on to every process.

lm-eval builds tasks in each process of ``torchrun`` or ``accelerate launch`` by itself, and its own channel for task
settings (``--metadata``) would copy the folders of this machine into the published results.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from affectllm.corpus.roots import ENVIRONMENT as ROOTS
from affectllm.corpus.roots import roots_of_environment
from affectllm.errors import AffectError
from affectllm.evaluate.protocol import Protocol
from affectllm.metrics.wheels import WHEELS

MODALITIES = "AFFECTLLM_MODALITIES"
HELD_OUT = "AFFECTLLM_HELD_OUT"
PROTOCOL = "AFFECTLLM_PROTOCOL"
HUMAN = "AFFECTLLM_HUMAN"
_KNOWN = ("video", "audio", "image", "text")


def modalities() -> tuple[str, ...] | None:
    """Return the modalities that may be shown, or None for all that a task has; ``$AFFECTLLM_MODALITIES``."""
    text = os.environ.get(MODALITIES, "")
    return parse_modalities(text) if text else None


def held_out() -> bool:
    """Return whether every task asks its held-out paraphrases: ``$AFFECTLLM_HELD_OUT`` is 1."""
    return os.environ.get(HELD_OUT) == "1"


def human() -> bool:
    """Return whether the raters of a corpus are scored, each against the others: ``$AFFECTLLM_HUMAN`` is 1."""
    return os.environ.get(HUMAN) == "1"


def protocol() -> Protocol:
    """Return how tasks are asked beyond their pages: ``$AFFECTLLM_PROTOCOL``, a JSON object."""
    return Protocol.from_json(os.environ.get(PROTOCOL) or "{}")


def parse_modalities(text: str) -> tuple[str, ...]:
    """Parse ``"video+audio"`` or ``"video,audio"`` into ``("video", "audio")``.

    Raises:
        AffectError: when a name is no modality.
    """
    names = tuple(name.strip() for name in text.replace("+", ",").split(",") if name.strip())
    if strange := [name for name in names if name not in _KNOWN]:
        raise AffectError(f"{strange[0]!r} is no modality", do=f"choose among {', '.join(_KNOWN)}")
    if not names:
        raise AffectError(f"{text!r} names no modality", do=f"choose among {', '.join(_KNOWN)}")
    return names


@contextmanager
def settings(
    roots: Mapping[str, Path],
    allowed: Sequence[str] | None,
    held_out: bool = False,
    protocol: Protocol | None = None,
    wheels: Path | None = None,
    human: bool = False,
) -> Iterator[None]:
    """Set the variables for this process and its children while the block runs, and restore them afterwards."""
    changed = protocol.to_json() if protocol else {}
    merged = {**roots_of_environment(), **roots}
    variables = {
        ROOTS: json.dumps({name: str(folder) for name, folder in merged.items()}) if merged else None,
        MODALITIES: ",".join(allowed) if allowed else os.environ.get(MODALITIES),
        HUMAN: "1" if human else os.environ.get(HUMAN),
        HELD_OUT: "1" if held_out else os.environ.get(HELD_OUT),
        PROTOCOL: json.dumps(changed) if changed else os.environ.get(PROTOCOL),
        WHEELS: str(wheels.resolve()) if wheels else os.environ.get(WHEELS),
    }
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
