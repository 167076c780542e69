"""Where peers are installed: ``scripts/readers DIR`` makes an environment for each, ``$AFFECTLLM_READERS`` is DIR."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

# Lets trainers be imported beside the CPU build of torch.
SHIMS = Path(__file__).resolve().parents[2] / "tests" / "support" / "readers"


class Missing(Exception):
    """A peer that is not installed here."""


def python_of(name: str) -> Path:
    """Return the interpreter of a peer's environment.

    Raises:
        Missing: there is none.
    """
    python = Path(os.environ.get("AFFECTLLM_READERS", "")) / name / "bin" / "python"
    if "AFFECTLLM_READERS" not in os.environ or not python.is_file():
        raise Missing(f"{name} is not installed: scripts/readers DIR, then AFFECTLLM_READERS=DIR scripts/peers")
    return python


def version_in(python: Path, package: str) -> str:
    """Return the version of a package in an environment."""
    code = "import sys; from importlib.metadata import version; print(version(sys.argv[1]))"
    done = subprocess.run([str(python), "-c", code, package], capture_output=True, text=True, check=True)
    return done.stdout.strip()
