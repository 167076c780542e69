"""Shards of an annotation by datatrove's executor of this machine end as the run at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from stand_in_server import MODEL, StandIn

from affectllm.cli import main

datatrove = pytest.importorskip("datatrove")


def samples(out: Path) -> bytes:
    return (out / "samples/made/train.parquet").read_bytes()


def test_tasks_of_a_pipeline_ask_each_their_part(tmp_path: Path) -> None:
    from datatrove.executor import LocalPipelineExecutor

    from affectllm.annotate.datatrove_steps import AnnotateShard, MergeShards

    (tmp_path / "table.csv").write_text("id,text\n" + "".join(f"r{n},day {n}\n" for n in range(5)))
    with StandIn(answer=lambda body: f"It is {str(body['messages'])[-8:-3]}.") as server:
        options = f"{{base_url: '{server.url}', model: {MODEL}, selftest: false}}"
        (tmp_path / "page.yaml").write_text(
            f"name: made\nfiles: [table.csv]\nmodels:\n  scribe: {{model: affectllm-api, options: {options}}}\n"
            "steps:\n  - {step: describe, model: scribe, see: [text]}\n"
        )
        where = {"page": tmp_path / "page.yaml", "out": tmp_path / "out", "answers": tmp_path / "answers"}
        logs = str(tmp_path / "logs")
        LocalPipelineExecutor([AnnotateShard(**where)], tasks=2, workers=1, logging_dir=f"{logs}/shards").run()
        assert len(server.bodies) == 5 and not (tmp_path / "out").exists()
        LocalPipelineExecutor([MergeShards(**where)], tasks=1, logging_dir=f"{logs}/merge").run()
        assert len(server.bodies) == 5
        words = ["annotate", str(tmp_path / "page.yaml"), "--answers", str(tmp_path / "fresh")]
        assert main([*words, "--out", str(tmp_path / "whole")]) == 0
    assert samples(tmp_path / "out") == samples(tmp_path / "whole")
