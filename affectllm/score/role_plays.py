"""Take the role plays out of a runs file of EQ-Bench 3: one row for each scenario of each round of each run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus.records.rows import Record
from affectllm.errors import Malformed

TASKS = "scenario_tasks"


def role_plays(path: Path, runs: Sequence[Record]) -> dict[str, list[Any]]:
    """Return the columns ``id``, ``run``, ``model``, ``scenario``, ``status`` and ``role_play`` of a runs file.

    Raises:
        Malformed: when it holds no role play, or a run is no object of rounds of scenarios.
    """
    rows = [row for run in runs for row in _of_run(path, run)]
    if not rows:
        raise Malformed("there is no role play in it", where=str(path), do="check that the file is complete")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _of_run(path: Path, run: Record) -> Iterator[dict[str, Any]]:
    name = str(run.fields.get("run_key") or run.fields.get("id") or "")
    model = run.fields.get("model_name") or run.fields.get("test_model")
    judge = run.fields.get("rubric_judge_model") or run.fields.get("judge_model")
    for number, scenarios in _items(run.fields.get(TASKS) or {}, path, name):
        for scenario, task in _items(scenarios, path, f"{name}/{number}"):
            where = f"{name}/{number}/{scenario}"
            if not isinstance(task, Mapping):
                raise Malformed(f"{where} is no role play", where=str(path), do="check that the file is complete")
            play = {"run": name, "model": model, "judge": judge if judge != "N/A" else None}
            play |= {"scores": task.get("rubric_scores"), "turns": task.get("parsed_responses")}
            facts = {"id": where, "run": name, "model": model, "scenario": str(scenario), "status": task.get("status")}
            yield {**facts, "role_play": play}


def _items(value: Any, path: Path, where: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise Malformed(f"{where} is no object", where=str(path), do="check that the file is complete")
    yield from ((str(key), one) for key, one in value.items())
