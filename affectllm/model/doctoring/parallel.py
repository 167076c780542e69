"""Whether two processes of this machine reach each other, as those of a training on several devices must."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from affectllm import extras
from affectllm.model.doctoring.check import Check

_PATIENCE = 60.0  # seconds
_PROGRAM = """
import sys, torch, torch.distributed as group
rank, place, backend = int(sys.argv[1]), sys.argv[2], sys.argv[3]
device = torch.device("cuda", rank) if backend == "nccl" else torch.device("cpu")
group.init_process_group(backend, init_method=f"file://{place}", rank=rank, world_size=2)
one = torch.ones(1, device=device)
group.all_reduce(one)
assert one.item() == 2
group.destroy_process_group()
"""


def check_processes() -> Check:
    """Let two processes add a number each: with NCCL where there are two GPUs, else with gloo."""
    if not extras.is_installed("torch"):
        return Check("Processes", "warn", "unknown without torch", "repair torch first")
    backend = "nccl" if _gpus() > 1 else "gloo"
    with tempfile.TemporaryDirectory() as folder:
        message = _try(Path(folder), backend)
    if message:
        text = f"two processes do not reach each other by {backend}: {message}"
        do = "training on one device works; name the network's interface (GLOO_SOCKET_IFNAME, NCCL_SOCKET_IFNAME)"
        return Check("Processes", "warn", text, do)
    return Check("Processes", "ok", f"two reach each other by {backend}")


def _gpus() -> int:
    try:
        import torch
    except (ImportError, OSError):
        return 0
    return torch.cuda.device_count()


def _try(folder: Path, backend: str) -> str:
    """Return what went wrong, or the empty string."""
    words = [str(folder / "meet"), backend]
    logs = [folder / f"{rank}.txt" for rank in (0, 1)]
    running = []
    for rank, log in enumerate(logs):
        with log.open("wb") as stream:
            command = [sys.executable, "-c", _PROGRAM, str(rank), *words]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            running.append(subprocess.Popen(command, stdout=stream, stderr=stream, env=environment))
    try:
        statuses = [process.wait(_PATIENCE) for process in running]
    except subprocess.TimeoutExpired:
        return f"no answer within {_PATIENCE:.0f} s"
    finally:
        for process in running:
            process.kill()
            process.wait()
    if any(statuses):
        lines = logs[0 if statuses[0] else 1].read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else f"status {statuses}"
    return ""
