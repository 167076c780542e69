"""The scripts for several machines: two of them on this one, a process each, train as one process does."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tuning import affectllm, command, losses, succeed, write_page

from affectllm.commands.parts.launch import lasting
from affectllm.run import cache_folder
from affectllm.train.launching.machines import Machines, launchers, script
from affectllm.train.recipe import launch_file, load_recipe

_TWO = ("--machines", "2", "--main")


def _page(folder: Path, launch: str) -> Path:
    return write_page(folder, launch=launch, trainer={"max_steps": 2, "save_strategy": "no"})


def _printed(launcher: str, launch: str, root: Path, folder: Path, port: int) -> str:
    words = ["--root", f"demo_affect={root}", "--out", str(folder / "run"), *_TWO, f"127.0.0.1:{port}"]
    return succeed("launch", str(_page(folder, launch)), *words, "--with", launcher, "--print")


def test_a_folder_of_this_machines_cache_is_in_no_script() -> None:
    own, made = Path("/data/meld"), cache_folder() / "generated" / "demo_affect-1-0"
    assert lasting({"meld": own, "demo_affect": made}) == {"meld": own}


@pytest.mark.parametrize(
    "launcher",
    [pytest.param(one, marks=[] if one == "slurm" else [pytest.mark.thorough]) for one in sorted(launchers())],
)
def test_the_script_of_every_launcher_is_a_shell_script(launcher: str, small_demo: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "it's a $(folder)"
    hostile.mkdir()
    text = _printed(launcher, "zero2", small_demo, hostile, 29555)
    file = tmp_path / "train.sh"
    file.write_text(text, encoding="utf-8")
    assert subprocess.run(["sh", "-n", str(file)], check=False).returncode == 0
    assert "{{" not in text and "29555" in text
    assert shlex.quote(str(hostile / "run")) in text


@pytest.mark.parametrize(
    ("launcher", "counted"),
    [
        ("accelerate", "--num_machines 4 --num_processes 32"),
        ("slurm", "--gpus-per-node=8"),
        ("torchrun", "--nnodes 4 --nproc-per-node 8"),
        ("deepspeed", "machine3 slots=8"),
    ],
)
def test_processes_are_counted_for_each_machine(launcher: str, counted: str, tmp_path: Path) -> None:
    recipe = load_recipe(str(_page(tmp_path, "zero2")))
    assert counted in script(recipe, [recipe.name], Machines(4, 8, "node0"), launcher)


def _start_two(script: Path, environment: dict[str, str]) -> list[tuple[int, str]]:
    """Start the script as machines 0 and 1 would, and return the status and messages of both."""
    machines = [
        subprocess.Popen(
            ["sh", str(script), number], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for number in "01"
    ]
    outputs = [machine.communicate(timeout=600)[0] for machine in machines]
    return [(machine.returncode, output[-4000:]) for machine, output in zip(machines, outputs, strict=True)]


def _environment(launch: str) -> dict[str, str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    if "DEEPSPEED" not in launch_file(launch).read_text(encoding="utf-8"):
        environment["ACCELERATE_USE_CPU"] = "true"  # as on a cluster of CPUs
    return environment


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "launch"),
    [
        pytest.param("torchrun", "zero2", marks=pytest.mark.thorough),
        pytest.param("accelerate", "zero2", marks=pytest.mark.thorough),
        pytest.param("accelerate", "ddp", marks=pytest.mark.thorough),
        pytest.param("torchrun", "ddp", marks=pytest.mark.thorough),
        pytest.param("accelerate", "fsdp2", marks=pytest.mark.thorough),
        pytest.param("torchrun", "fsdp2", marks=pytest.mark.thorough),
        pytest.param("deepspeed", "zero2", marks=pytest.mark.thorough),
        pytest.param("deepspeed", "zero3_offload", marks=pytest.mark.thorough),
    ],
)
def test_two_machines_train_as_one_process_does(launcher: str, launch: str, small_demo: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    port = 29600 + sorted(launchers()).index(launcher)
    script.write_text(_printed(launcher, launch, small_demo, tmp_path, port), encoding="utf-8")
    for status, output in _start_two(script, _environment(launch)):
        assert status == 0, output
    alone = write_page(
        tmp_path, trainer={"max_steps": 2, "save_strategy": "no", "per_device_train_batch_size": 4}, launch="cpu"
    )
    succeed("train", str(alone), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "alone"))
    assert losses(tmp_path / "run") == pytest.approx(losses(tmp_path / "alone"), rel=2e-3)


_SRUN = """#!/bin/sh
SLURM_NODEID=0 "$@" & first=$!
SLURM_NODEID=1 "$@" & second=$!
wait $first && wait $second
"""


@pytest.mark.slow
@pytest.mark.thorough
def test_a_slurm_job_builds_and_starts_one_launcher_a_machine(small_demo: Path, tmp_path: Path) -> None:
    script, tools = tmp_path / "job.sh", tmp_path / "tools"
    script.write_text(_printed("slurm", "ddp", small_demo, tmp_path, 29610), encoding="utf-8")
    tools.mkdir()
    for name, text in {"srun": _SRUN, "scontrol": "#!/bin/sh\necho 127.0.0.1\necho other\n"}.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    environment = _environment("ddp") | {"SLURM_JOB_NODELIST": "node[0-1]"}
    environment["PATH"] = f"{tools}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", str(script)], env=environment, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(losses(tmp_path / "run")) == 2


@pytest.mark.thorough
def test_what_no_script_can_start_is_refused(small_demo: Path, tmp_path: Path) -> None:
    refused = affectllm("launch", str(_page(tmp_path, "cpu")), "--root", f"demo_affect={small_demo}", "--with", "ssh")
    assert refused.returncode == 2 and "accelerate, deepspeed, slurm, torchrun" in refused.stderr
    words = ["--root", f"demo_affect={small_demo}", "--print"]
    for more, message in (
        (["--main", "localhost:port"], "'localhost:port' is no machine"),
        (["--machines", "2"], "cpu is the launch page of one process, and 2 are asked for"),
        (["--out", f"{tmp_path}/a\nrm -r b"], "has a line break"),
        (["--machines", "0"], "0 machines"),
    ):
        assert message in affectllm("launch", str(_page(tmp_path, "cpu")), *words, *more).stderr


@pytest.mark.slow
@pytest.mark.thorough
def test_one_machine_is_started_here(small_demo: Path, tmp_path: Path) -> None:
    words = ["--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"), "--main", "localhost:29620"]
    page = write_page(tmp_path, trainer={"max_steps": 1, "save_strategy": "no"})
    done = subprocess.run(
        command("launch", str(page), *words), env=_environment("cpu"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(losses(tmp_path / "run")) == 1


def test_settings_of_a_page_are_taken_under_another_launcher_only() -> None:
    code = (
        "import os; from affectllm.train.launching.settings import take_settings; take_settings('zero2');"
        "print(os.environ.get('ACCELERATE_DEEPSPEED_ZERO_STAGE'))"
    )
    under = {**os.environ, "WORLD_SIZE": "2"}
    for extra, expected in (({}, "2"), ({"ACCELERATE_MIXED_PRECISION": "no"}, "None")):
        done = subprocess.run(
            [sys.executable, "-c", code], env=under | extra, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
