"""Scripts go on in the environment that scripts/setup makes, whichever interpreter they were started with."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def enter() -> None:
    """Start this script again with .venv's interpreter, made where there is none, unless this one has affectllm."""
    if importlib.util.find_spec("affectllm") is not None:
        return
    python = ROOT / ".venv" / "bin" / "python"
    if not python.is_file():
        subprocess.run([str(ROOT / "scripts" / "setup")], check=True)
    os.execv(python, [str(python), *sys.argv])
