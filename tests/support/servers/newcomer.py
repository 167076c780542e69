"""Somebody who has just come: an environment without settings, what a server hears, and lines that are not ours."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any


def mood(body: dict[str, Any]) -> str:
    """What a server answers that hears: one of three moods, by everything that it is sent."""
    return ("calm", "tense", "glad")[hashlib.sha256(json.dumps(body["messages"]).encode()).digest()[0] % 3]


_FOREIGN = re.compile(
    r"\b(?:WARNING|INFO|DEBUG)\b|\w+Warning:|deprecat|site-packages|it/s\b|\bit/s\]|Traceback|accelerator to|^fatal:",
    re.MULTILINE,
)


def foreign(text: str) -> list[str]:
    """The lines in which a library speaks, and not affectllm."""
    return [line for line in re.split(r"[\r\n]+", text) if _FOREIGN.search(line)]


def of_newcomer(folder: Path) -> dict[str, str]:
    """The environment of somebody with a home of their own in a folder, no settings, and our commands at hand."""
    home = folder / "home"
    home.mkdir()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "AFFECTLLM"))}
    environment |= {"HOME": str(home), "HF_HUB_OFFLINE": "1", "AFFECTLLM_CACHE": str(folder / "cache")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    if corpora := os.environ.get("AFFECTLLM_CORPORA"):
        (home / "data").symlink_to(corpora)
        environment["AFFECTLLM_LINKS"] = corpora
    return environment
