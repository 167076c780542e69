"""Judges that give numbers, heads that we train, and scores by the view from which a face is seen."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaging import RATE, write
from stand_in_server import MODEL, StandIn
from tuning import page_of

from affectllm.cli import main
from affectllm.train.stage import train


def table(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def judged(folder: Path, judge: str, *lines: str) -> dict[str, Any]:
    page = ["table: made.csv", *lines, "judges:", f"  - {{name: one, {judge}}}"]
    (folder / "page.yaml").write_text("\n".join(page) + "\n")
    assert main(["fidelity", str(folder / "page.yaml"), "--out", str(folder / "run")]) == 0
    result: dict[str, Any] = json.loads((folder / "run/fidelity.json").read_text())["judges"]["one"]
    return result


@pytest.mark.parametrize("meant", ["asked", "of the reference"])
def test_valence_and_arousal_are_compared_with_what_was_asked_or_with_the_reference(tmp_path: Path, meant: str) -> None:
    """The judge hears (0.5, 0.25) in a short clip and (-0.5, 0) in a long one."""
    for name, seconds in (("short", 0.5), ("long", 2.0)):
        write(tmp_path / f"{name}.wav", np.sin(np.arange(round(RATE * seconds)) / 9).astype(np.float32) / 3)
    if meant == "asked":  # off by 0.25 and 0.25 from one view, and right from the other
        rows = [["short.wav", 0.75, 0.0, "front"], ["long.wav", -0.5, 0.0, "profile"]]
        table(tmp_path / "made.csv", ["clip", "valence", "arousal", "view"], rows)
    else:
        rows = [["short.wav", "long.wav", "front"], ["long.wav", "long.wav", "profile"]]
        table(tmp_path / "made.csv", ["clip", "reference", "view"], rows)
    with StandIn(answer=heard) as server:
        where = f"base_url={server.url},model={MODEL},selftest=false"
        judge = judged(tmp_path, f"model: affectllm-api, template: dimension_scores, model_args: '{where}'")
    (system,) = judge["systems"].values()
    error = {"asked": 0.25, "of the reference": 0.625}[meant]
    assert system["metrics"]["vad_error"]["value"] == pytest.approx(error / 2)
    views = {name: its["vad_error"]["value"] for name, its in system["by"]["view"].items()}
    assert views == {"front": pytest.approx(error), "profile": pytest.approx(0)}


def heard(body: dict[str, Any]) -> str:
    long = len(str(body["messages"])) > 50_000
    return json.dumps({"valence": -0.5, "arousal": 0.0} if long else {"valence": 0.5, "arousal": 0.25})


@pytest.mark.slow
@pytest.mark.thorough
def test_a_trained_head_judges_and_tells_its_own_accuracy(small_demo: Path, tmp_path: Path) -> None:
    train(
        str(page_of("head", tmp_path, trainer={"max_steps": 2})), [], [f"demo_affect={small_demo}"], tmp_path / "head"
    )
    clips = sorted(small_demo.rglob("*.mp4"))[:6]
    table(tmp_path / "made.csv", ["clip", "target", "reference"], [[clip, "anger", clip] for clip in clips])
    table(tmp_path / "real.csv", ["clip", "label"], [[clip, "anger"] for clip in clips])
    judge = judged(tmp_path, f"model: '{tmp_path / 'head/train/final'}', real: {{table: real.csv}}")
    (system,) = judge["systems"].values()
    assert system["metrics"]["emotion_preservation"]["value"] == 1
    # The same clips twice: the score is exactly the judge's ceiling.
    assert system["metrics"]["target_emotion_accuracy"]["value"] == judge["real"]["accuracy"]["value"]
    lines = [json.loads(line) for line in (tmp_path / "run/judgements.jsonl").read_text().splitlines()]
    assert all(sum(line["after"]["shares"].values()) == pytest.approx(1, abs=1e-3) for line in lines)
