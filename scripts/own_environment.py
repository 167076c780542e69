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


def have(module: str) -> None:
    """Install the extra ``release``, which brings ``module``, into this environment where it is not there yet."""
    if importlib.util.find_spec(module) is not None:
        return
    print(f"installing {module} and the other tools of the extra `release`", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    wanted = ["--constraint", "constraints.txt", "--editable", ".[release]"]
    done = subprocess.run([*command, *wanted], cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:  # else setuptools has only said at length that folders of data are no packages
        sys.exit(f"{done.stderr}\n{module} could not be installed")
    importlib.invalidate_caches()
