"""Several processes or machines at one thing: eight at one build, eight at one cache of clips, two machines."""

from __future__ import annotations

import filecmp
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clips import make_clips
from metering import Command

from scaling.measured import Growth, Use, starting, use
from scaling.texts import texts

_ENCODE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[4])
from metering import own_peak
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import load_model
folder, cache, first = Path(sys.argv[1]), MediaCache(Path(sys.argv[2])), int(sys.argv[3])
model = load_model("tiny:qwen2_5_omni")
encoder = Encoder(model.processor, model.family, model.model.config, Budget(), {"made": folder}, cache)
names = sorted(path.name for path in folder.iterdir())
print("ready", flush=True)
sys.stdin.readline()
for name in names[first:] + names[:first]:
    part = {"type": "video", "sound": True, "corpus": "made", "path": name}
    assert isinstance(encoder.encode([{"role": "user", "content": [part]}]), Encoded), name
print(json.dumps({"memory": own_peak(), "refused": cache.refused}))
"""
_MACHINE = """
import os, sys
from datatrove.executor import LocalPipelineExecutor
from affectllm.corpus.datatrove_steps import BuildShards
root, out, rank, tasks = sys.argv[1:]
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[int(rank) % len(os.sched_getaffinity(0))]})
LocalPipelineExecutor(
    [BuildShards("generic", root, out)], tasks=int(tasks), local_tasks=1, local_rank_offset=int(rank),
    workers=1, logging_dir=out + "/logs",
).run()
"""
_MERGE = """
import sys
from datatrove.executor import LocalPipelineExecutor
from affectllm.corpus.datatrove_steps import MergeShards
LocalPipelineExecutor([MergeShards("generic", sys.argv[1])], tasks=1, logging_dir=sys.argv[1] + "/logs/merge").run()
"""


def workers(folder: Path, less: int) -> Iterator[Growth]:
    """Build with one process, and with eight into the same folder."""
    count = 200_000 // less
    root, start = texts(folder, count), starting()
    runs = []
    for number in (1, 8):
        words = ["build", "generic", "--root", f"generic={root}", "--out", str(folder / f"by{number}")]
        runs.append(use(count, [*words, "--workers", str(number)]))
    yield Growth(
        "build by 1 process (few), and with `--workers 8`, of which one a core is started (many)",
        runs[0],
        runs[1],
        start,
    )


def cache(folder: Path, less: int) -> Iterator[Growth]:
    """Open clips by one process, and by eight at once with one empty cache; what lies in it must be the same."""
    clips = make_clips(folder / "clips", [3.0] * max(8, 48 // less))
    alone, shared = (_encoded(folder / "clips", folder / f"cache{number}", number, len(clips)) for number in (1, 8))
    entries = [sorted(path.relative_to(place) for path in place.rglob("*.safetensors"))
               for place in (folder / "cache1", folder / "cache8")]  # fmt: skip
    _, differing, absent = filecmp.cmpfiles(folder / "cache1", folder / "cache8", entries[0], shallow=False)
    if entries[0] != entries[1] or differing or absent:
        raise RuntimeError(f"eight processes left another cache than one: {differing or absent or 'other names'}")
    yield Growth("open clips of 3 s through one empty cache, 1 process (few) and 8 at once (many)", alone, shared, 0.0)


def _encoded(clips: Path, place: Path, processes: int, count: int) -> Use:
    """Let processes open all clips, each beginning elsewhere; from when all are ready to when the last has ended."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command, here = [sys.executable, "-c", _ENCODE, str(clips), str(place)], str(Path(__file__).parents[1])
    started = [
        subprocess.Popen([*command, str(number * count // processes), here], env=environment, **pipes)
        for number in range(processes)
    ]
    for one in started:
        assert one.stdin is not None and one.stdout is not None
        one.stdout.readline()  # imports and the model are not measured
    begun = time.perf_counter()
    for one in started:
        one.stdin.write("go\n")
        one.stdin.flush()
    said = [one.communicate()[0] for one in started]
    seconds = time.perf_counter() - begun
    if any(one.returncode for one in started):
        raise RuntimeError(f"a process that opened clips ended with {[one.returncode for one in started]}")
    return Use(count * processes, seconds, max(json.loads(line)["memory"] for line in said))


def hosts(folder: Path, less: int) -> Iterator[Growth]:
    """Build by one machine of one core, by two, and the part of one machine among a hundred."""
    count = 1_000_000 // less
    root = texts(folder, count)
    runs = {}
    for machines, working in ((1, 1), (2, 2), (100, 1)):
        out, begun = folder / f"machines{machines}", time.perf_counter()
        places = [root, out]
        started = [
            Command(_words(_MACHINE, *places, rank, machines), stderr=subprocess.DEVNULL) for rank in range(working)
        ]
        memory = max(_waited(one) for one in started)
        if working == machines:
            memory = max(memory, _waited(Command(_words(_MERGE, out), stderr=subprocess.DEVNULL)))
        runs[machines] = Use(count, time.perf_counter() - begun, memory)
    yield Growth("build by 1 machine of one core (few) and by 2 (many)", runs[1], runs[2], 0.0)
    yield Growth(
        "the same by 1 machine (few); the part of one among 100, which puts nothing together (many)",
        runs[1],
        runs[100],
        0.0,
    )


def _words(code: str, *words: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, words)]


def _waited(machine: Command) -> float:
    """Wait for a machine; return the MiB of its peak."""
    took = machine.wait()
    if took.status:
        raise RuntimeError(f"a machine ended with {took.status}")
    return took.memory
