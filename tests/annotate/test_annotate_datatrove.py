"""Shards of an annotation by datatrove's executors, of this machine and of Ray, end as the run at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stand_in_server import MODEL, StandIn

from affectllm.cli import main

datatrove = pytest.importorskip("datatrove")


def samples(out: Path) -> bytes:
    return (out / "samples/made/train.parquet").read_bytes()


def local(steps: list[Any], tasks: int, logs: Path) -> Any:
    from datatrove.executor import LocalPipelineExecutor

    return LocalPipelineExecutor(steps, tasks=tasks, workers=1, logging_dir=str(logs))


def on_ray(steps: list[Any], tasks: int, logs: Path) -> Any:
    ray = pytest.importorskip("ray")
    from datatrove.executor import RayPipelineExecutor

    if not ray.is_initialized():
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    return RayPipelineExecutor(steps, tasks=tasks, mem_per_cpu_gb=0.1, logging_dir=str(logs))


@pytest.mark.parametrize("executor", [local, pytest.param(on_ray, marks=pytest.mark.thorough)])
def test_tasks_of_a_pipeline_ask_each_their_part(tmp_path: Path, executor: Callable[..., Any]) -> None:
    from affectllm.annotate.datatrove_steps import AnnotateShard, MergeShards

    (tmp_path / "table.csv").write_text("id,text\n" + "".join(f"r{n},day {n}\n" for n in range(5)))
    with StandIn(answer=lambda body: f"It is {str(body['messages'])[-8:-3]}.") as server:
        options = f"{{base_url: '{server.url}', model: {MODEL}, selftest: false}}"
        (tmp_path / "page.yaml").write_text(
            f"name: made\nfiles: [table.csv]\nmodels:\n  scribe: {{model: affectllm-api, options: {options}}}\n"
            "steps:\n  - {step: describe, model: scribe, see: [text]}\n"
        )
        where = {"page": tmp_path / "page.yaml", "out": tmp_path / "out", "answers": tmp_path / "answers"}
        executor([AnnotateShard(**where)], 2, tmp_path / "shards").run()
        assert len(server.bodies) == 5 and not (tmp_path / "out").exists()
        executor([MergeShards(**where)], 1, tmp_path / "merge").run()
        assert len(server.bodies) == 5
        words = ["annotate", str(tmp_path / "page.yaml"), "--answers", str(tmp_path / "fresh")]
        assert main([*words, "--out", str(tmp_path / "whole")]) == 0
    assert samples(tmp_path / "out") == samples(tmp_path / "whole")
