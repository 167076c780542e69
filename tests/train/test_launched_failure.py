"""A launched process that fails: its own line is what people see, and the launcher's table is in the log."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from affectllm.train.recipe import launch_file


@pytest.mark.slow
def test_only_the_processes_speak_on_the_terminal(tmp_path: Path) -> None:
    # In one write, between which the other process cannot write.
    (tmp_path / "failing.py").write_text("import os, sys; os.write(2, b'error: no such clip\\n'); sys.exit(2)\n")
    log = tmp_path / "log.txt"
    command = [sys.executable, "-m", "affectllm.train.launching.quietly", "--config_file", str(launch_file("ddp"))]
    command += ["--num_cpu_threads_per_process", "1", "--num_processes", "2", "-m", "failing"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "ACCELERATE_USE_CPU": "true"}
    environment["AFFECTLLM_LOG_FILE"] = str(log)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and set(done.stderr.splitlines()) == {"error: no such clip"} and not done.stdout
    assert "ChildFailedError" in log.read_text(encoding="utf-8")
