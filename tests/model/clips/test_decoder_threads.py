"""Decoders have threads of their own, which no clip may wait for in vain."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from clip_making import scene, write

_OPENS = """
import av.logging, sys
from pathlib import Path
from affectllm.instruct.exports.media import Cut
from affectllm.model.clips.cut import cut
from affectllm.model.clips.media import Budget, open_clip
path, kind = Path(sys.argv[1]), sys.argv[2]
av.logging.set_level(av.logging.ERROR)  # as torchvision 0.23 does when it is imported
for number in range(60):
    start = number % 6 / 4
    if kind == "open":
        open_clip(path, Budget(fps=20.0), factor=28, frames=True, sound=False, start=start, end=start + 0.4)
    else:
        cut(path, path.with_name("cut.mp4"), Cut(kind, start, start + 0.4))
print("done")
"""


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film whose decoder has much to say."""
    path = write(tmp_path_factory.mktemp("damaged") / "whole.mp4", ("libx264", ""), scene(2.0, 112, 112), None)
    data, dice = bytearray(path.read_bytes()), random.Random(0)
    for _ in range(60):
        data[dice.randrange(data.index(b"mdat") + 200, len(data) - 2_000)] ^= 0xFF
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["open", "video", "silent"])
def test_a_decoder_that_says_something_keeps_nobody_waiting(damaged: Path, kind: str) -> None:
    threads = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-c", _OPENS, str(damaged), kind]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=threads)
    assert done.stdout == "done\n", done.stderr[-2000:]
