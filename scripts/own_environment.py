"""Scripts go on in the environment that scripts/setup makes, whichever interpreter they were started with."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def enter() -> None:
    """Start this script again with .venv's interpreter, which is installed first where there is none."""
    python = ROOT / ".venv" / "bin" / "python"
    if Path(sys.prefix).resolve() == python.parents[1].resolve():
        return
    if not python.is_file():
        subprocess.run([str(ROOT / "scripts" / "setup")], check=True)
    os.execv(python, [str(python), *sys.argv])
