"""Several machines at one build: each has its own copy of the corpus elsewhere, all write into one shared folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from killing import tree
from scaling.texts import texts

from torturing.scene import Scene, difference, ended

_ROWS = 100_000  # five shards
_TASKS = 4  # two of each machine, by turns
_BUILD = """
import sys
from datatrove.executor import LocalPipelineExecutor
from affectllm.corpus.datatrove_steps import BuildShards
root, out, logs, first = sys.argv[1:]
build = [BuildShards("generic", root, out)]
LocalPipelineExecutor(
    build, tasks=4, workers=1, local_tasks=2, local_rank_offset=int(first), logging_dir=logs + "/shards"
).run()
"""
_MERGE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from affectllm.corpus.datatrove_steps import MergeShards
root, out, logs, first = sys.argv[1:]
LocalPipelineExecutor([MergeShards("generic", out)], tasks=1, workers=1, logging_dir=logs + "/merge").run()
"""


def hosts(scene: Scene) -> str:
    """Two machines build half of the shards each; one loses its power, comes back, and perhaps so while merging."""
    roots, expected, seconds = _corpora(scene)
    scene.fresh()
    running = [_host(scene, _BUILD, roots, number) for number in range(2)]
    victim = int(scene.dice.integers(0, 2))
    time.sleep(float(scene.dice.uniform(0, seconds)))
    _switch_off(running[victim])
    running[victim] = _host(scene, _BUILD, roots, victim)
    for process in running:
        status, output = ended(process)
        if status:
            return f"a machine ended with {status}: {output[-400:]}"
    if scene.dice.random() < 0.5:
        merging = _host(scene, _MERGE, roots, 0)
        time.sleep(float(scene.dice.uniform(0, seconds)))
        _switch_off(merging)
    status, output = ended(_host(scene, _MERGE, roots, 0))
    if status:
        return f"putting the shards together ended with {status}: {output[-400:]}"
    return difference(tree(scene.place.folder), expected)


def _corpora(scene: Scene) -> tuple[list[Path], Mapping[str, bytes], float]:
    """The corpus as each machine has it, and what one machine alone builds of it with the command, and how long."""
    roots = [scene.scratch / place for place in ("first/corpora/texts", "second/mnt/data")]
    if "hosts" not in scene.expected:
        for root in roots:
            shutil.copytree(texts(scene.scratch, _ROWS), root)
        out, started = scene.scratch / "alone", time.monotonic()
        status, output = ended(scene.start(["build", "generic", "--root", f"generic={roots[0]}", "--out", str(out)]))
        if status:
            raise AssertionError(f"the command itself does not work: {output[-1000:]}")
        scene.seconds["hosts"] = time.monotonic() - started
        scene.expected["hosts"] = {
            name: content
            for name, content in tree(out / "generic").items()
            if name.startswith("samples/") or name == "rejected.jsonl"
        }
    return roots, scene.expected["hosts"], scene.seconds["hosts"]


def _host(scene: Scene, code: str, roots: list[Path], number: int) -> subprocess.Popen[str]:
    """Start a machine: its own root, its own tasks, and the folders of all."""
    words = [roots[number], scene.place.folder, scene.place.folder.with_name("logs"), 2 * number]
    command = [sys.executable, "-c", code, *map(str, words)]
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    return subprocess.Popen(command, env=scene.environment, start_new_session=True, **output)


def _switch_off(machine: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(machine.pid, signal.SIGKILL)
    machine.communicate()
