"""Launch a training: accelerate's launcher with the recipe's configuration, adapted to the machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from affectllm.errors import AffectError
from affectllm.processes import call
from affectllm.train.recipe import Recipe, launch_file

# What each configuration is on a machine without a GPU; ZeRO and DDP run there over gloo.
_ON_CPU = {"single_gpu": "cpu", "fsdp2": "cpu"}


def launch(recipe: Recipe, arguments: Sequence[str], *, processes: int | None = None) -> None:
    """Run ``accelerate launch -m affectllm.train`` with ``arguments`` and wait for it.

    Args:
        recipe: names the launch configuration.
        arguments: of ``affectllm.train``.
        processes: number of processes; None for the configuration's own, or one per GPU.

    Raises:
        AffectError: when the run fails; its own message has been printed.
    """
    name = recipe.launch if _has_gpu() else _ON_CPU.get(recipe.launch, recipe.launch)
    if name != recipe.launch:
        print(f"no GPU here: launching with {name} instead of {recipe.launch}", file=sys.stderr)
    file = launch_file(name)
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(file), "--quiet"]
    if processes is not None:
        command += ["--num_processes", str(processes)]
    command += ["-m", "affectllm.train", *arguments]
    status = call(command, _environment(file))
    if status:
        raise AffectError(
            f"training stopped with status {status}", do="see the message above; the same command resumes the run"
        )


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
