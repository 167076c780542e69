"""A disk that is full or read-only, files that are damaged between two stages, and clocks that go back and forth."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

from killing import tree

from torturing.scene import Scene, difference, ended, unexplained

_YEARS = 10 * 365 * 86_400
_SPACE = """
set -e
mount -t tmpfs -o size=$SIZE none "$PLACE"
set +e
"$@"
echo "status $?"
mount -o remount,size=1g,$MODE "$PLACE"
"$@"
echo "status $?"
mount -o remount,size=1g,rw "$PLACE"
"$@"
echo "status $?"
cp -r "$PLACE/." "$COPY"
"""


def full_disk(scene: Scene) -> str:
    """The command meets a disk that is too small, then one that cannot be written, then enough space."""
    if shutil.which("unshare") is None:
        return ""
    scene.undisturbed(False)
    scene.fresh()
    copy = scene.scratch / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    size = int(scene.dice.integers(1, 60)) * 4096
    command = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", _SPACE, "bash"]
    command += [sys.executable, "-m", "affectllm.cli", *scene.words(False)]
    more = {"SIZE": str(size), "PLACE": str(scene.place.folder.parent), "COPY": str(copy)}
    mode = ("ro", "rw")[int(scene.dice.integers(0, 2))]
    process = subprocess.Popen(
        command,
        env={**scene.environment, **more, "MODE": mode},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    status, output = ended(process)
    parts = output.split("status ")
    if status or len(parts) != 4:
        return "" if "unshare" in output or "mount:" in output else f"ended with {status}: {output[-300:]}"
    ends = [(int(after.split()[0]), before) for before, after in pairwise(parts)]
    faults = [f"{size} bytes, {mode}: {fault}" for code, words in ends if (fault := unexplained(code, words))]
    if ends[-1][0]:
        faults.append(f"with enough space it ended with {ends[-1][0]}: {ends[-1][1][-300:]}")
    return "; ".join(faults) or difference(tree(copy / scene.place.folder.name), scene.expected["False"])


def damage(scene: Scene) -> str:
    """A file that a stage has left is cut, changed, emptied or lost; the command makes it again or names it."""
    heavy = bool(scene.dice.random() < 0.5)
    scene.undisturbed(heavy)
    if not scene.place.folder.is_dir() or difference(tree(scene.place.folder), scene.expected[str(heavy)]):
        scene.fresh()
        ended(scene.start(scene.words(heavy)))
    files = sorted(path for path in scene.place.folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    victim = files[int(scene.dice.integers(0, len(files)))]
    how = _damaged(victim, scene)
    name = victim.relative_to(scene.place.folder)
    status, output = ended(scene.start(scene.words(heavy)))
    if fault := unexplained(status, output):
        return f"{name} {how}: {fault}"
    if status == 0:
        left = difference(tree(scene.place.folder), scene.expected[str(heavy)])
        # What no stage reads again may stay as somebody left it, but scores and weights may not.
        return f"{name} {how}: {left}" if any(word in left for word in ("scores.json", "safetensors")) else ""
    if victim.name not in output and not any(part in output for part in name.parts):
        return f"{name} {how}: the error does not name it: {output[-300:]}"
    shutil.rmtree(scene.place.folder)
    return ""


def _damaged(path: Path, scene: Scene) -> str:
    data, dice = path.read_bytes(), scene.dice
    kind = ("cut", "changed", "emptied", "lost")[int(dice.integers(0, 4))]
    if kind == "lost" or not data:
        path.unlink()
        return "lost"
    if kind == "cut":
        path.write_bytes(data[: int(dice.integers(0, len(data)))])
    elif kind == "emptied":
        path.write_bytes(b"")
    else:
        place = int(dice.integers(0, len(data)))
        path.write_bytes(data[:place] + bytes([data[place] ^ (1 << int(dice.integers(0, 8)))]) + data[place + 1 :])
    return kind


def clock(scene: Scene) -> str:
    """The clock was wrong while stages ran: their files are years older or newer than they should be."""
    heavy = bool(scene.dice.random() < 0.25)
    scene.undisturbed(heavy)
    if not scene.place.folder.is_dir() or difference(tree(scene.place.folder), scene.expected[str(heavy)]):
        scene.fresh()
        ended(scene.start(scene.words(heavy)))
    for path in scene.place.folder.rglob("*"):
        moment = time.time() + float(scene.dice.uniform(-_YEARS, _YEARS))
        os.utime(path, (moment, moment))
    return scene.again(heavy)
