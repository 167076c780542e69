"""Launch several processes: accelerate's launcher with a launch configuration, adapted to the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from affectllm.errors import AffectError
from affectllm.processes import call
from affectllm.train.recipe import LAUNCH, launch_file
from affectllm.voice import tell
from affectllm.yaml_page import read_page

# What each configuration is on a machine without a GPU; ZeRO and DDP run there over gloo.
_ON_CPU = {"single_gpu": "cpu"}


def launch(
    configuration: str, module: str, arguments: Sequence[str], *, processes: int | None = None, what: str = "training"
) -> None:
    """Run ``accelerate launch -m module`` with ``arguments`` and wait for it.

    Args:
        configuration: name of a file in ``recipes/launch/``.
        processes: number of processes; None for the configuration's own, or one per GPU.
        what: is launched, for the error.

    Raises:
        AffectError: when a process fails; its own message has been printed.
    """
    name = _here(configuration)
    if name != configuration:
        tell(f"no GPU here: launching with {name} instead of {configuration}")
    file = launch_file(name)
    command = [sys.executable, "-m", "affectllm.train.launching.quietly", "--config_file", str(file), "--quiet"]
    command += ["--num_cpu_threads_per_process", str(_threads(processes or processes_of(configuration)))]
    if processes is not None:
        command += ["--num_processes", str(processes)]
    command += ["-m", module, *arguments]
    status = call(command, _environment(file))
    if status:
        raise AffectError(
            f"{what} stopped with status {status}", do="see the message above; the same command resumes the run"
        )


def processes_of(configuration: str) -> int:
    """Return how many processes a launch configuration starts on this machine."""
    page = read_page(launch_file(_here(configuration)), LAUNCH)
    return int(page.value["num_processes"])


def _here(configuration: str) -> str:
    return configuration if _has_gpu() else _ON_CPU.get(configuration, configuration)


def _threads(processes: int) -> int:
    """Return the threads of a process, by accelerate's own rule, which it explains at length where it is not told."""
    if given := os.environ.get("OMP_NUM_THREADS", ""):
        return int(given)
    return 1 if _has_gpu() else max(1, (psutil.cpu_count(logical=False) or 1) // processes)


def _environment(file: Path) -> dict[str, str]:
    environment = {"TOKENIZERS_PARALLELISM": "false", **os.environ}
    if _has_gpu():
        return environment
    text = file.read_text(encoding="utf-8")
    if "DEEPSPEED" not in text:
        # accelerate starts one process under --cpu whatever number is asked for, and several under this variable;
        # under DeepSpeed the same variable would silently turn ZeRO into plain data parallelism.
        environment["ACCELERATE_USE_CPU"] = "true"
    return environment


def _has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())
