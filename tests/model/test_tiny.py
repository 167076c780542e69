"""Tiny models are whole, whichever process of a launch builds them, and the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from affectllm import registry
from affectllm.model.family import find_family
from affectllm.model.tiny import tiny_folder, tiny_whole_folder

SCRIPT = """
import torch.distributed
torch.distributed.init_process_group("gloo")
if torch.distributed.get_rank() == 1:
    from affectllm.model.tiny import tiny_folder
    print(tiny_folder("qwen2"))
torch.distributed.barrier()
torch.distributed.destroy_process_group()
"""


@pytest.mark.slow
@pytest.mark.thorough
def test_a_tiny_model_built_by_the_second_process_of_a_launch_is_whole(tmp_path: Path) -> None:
    from transformers import AutoConfig

    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script)]
    environment = {**os.environ, "AFFECTLLM_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(launch, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    (folder,) = (tmp_path / "cache" / "tiny").iterdir()
    assert AutoConfig.from_pretrained(folder).model_type == "qwen2" and (folder / "model.safetensors").is_file()


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(registry.names("families")))
def test_no_weight_is_what_the_memory_happened_to_be(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch fills memory that nobody has written with NaN, where it is told to."""
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path))
    makers = [tiny_folder, *([tiny_whole_folder] if find_family(name).talker else [])]
    torch.use_deterministic_algorithms(True)
    try:
        folders = [make(name) for make in makers]
    finally:
        torch.use_deterministic_algorithms(False)
    for path in (path for folder in folders for path in folder.glob("*.safetensors")):
        with safe_open(path, "pt") as weights:
            assert not [key for key in weights.keys() if weights.get_tensor(key).isnan().any()]  # noqa: SIM118
