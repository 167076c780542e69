"""What the processes of a launch do when they end: a teardown that would abort each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

# Python runs this module at the start of every interpreter that finds it.
_HOOK = """
import atexit, os, pathlib, sys

class Abort:
    def __del__(self, abort=os.abort):
        abort()

LAUNCHED = {{"affectllm.train", "affectllm.evaluate", "affectllm.evaluate.launched"}}
if "RANK" in os.environ and LAUNCHED & {{*sys.orig_argv}}:
    os.environ_keeper = Abort()
    atexit.register(pathlib.Path({folder!r}, os.environ["RANK"]).touch)
"""


class Parting:
    """The interpreters of the launches to come abort if they are taken down; exit functions of theirs are noted."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "left"
        self.folder.mkdir()
        (folder / "sitecustomize.py").write_text(_HOOK.format(folder=str(self.folder)))
        monkeypatch.setenv("PYTHONPATH", str(folder))

    def ranks(self) -> list[str]:
        """Ranks whose exit functions ran."""
        return sorted(path.name for path in self.folder.iterdir())
