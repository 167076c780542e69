"""Broken clips, and servers that fail."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from stand_in_server import MODEL, StandIn, label_of

from torturing.scene import Scene, ended, unexplained

_FAULTS = ("429", "500", "html", "cut", "no json", "empty", "null")


def media(scene: Scene) -> str:
    """Forty broken clips and pictures: each is a clip or a counted reason."""
    from fuzzing.run import fuzz

    folder = scene.scratch / "media"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    outcomes = fuzz(folder, 40, int(scene.dice.integers(0, 2**31)), 20.0)
    return "; ".join(f"{outcome.name}: {outcome.fault}" for outcome in outcomes if outcome.fault)


def endpoint(scene: Scene) -> str:
    """A server fails at random, and the command is killed at random: the answers are those of a server that works."""
    texts = [f"line {number}" for number in range(20)]
    table = scene.scratch / "texts.csv"
    table.write_text("text\n" + "\n".join(texts) + "\n", encoding="utf-8")
    kept = scene.scratch / "answers"
    shutil.rmtree(kept, ignore_errors=True)
    faults = ["" if scene.dice.random() < 0.5 else str(scene.dice.choice(_FAULTS)) for _ in range(40)]
    with StandIn(answer=_answer, faults=faults, retry_after="0.01", seconds=0.01) as server:
        arguments = f"base_url={server.url},model={MODEL},backoff=0.01,retries=40,selftest=false,concurrency=4"
        line = ["predict", str(table), "--model", "affectllm-api", "--model_args", arguments]
        line += ["--answers", str(kept), "--json"]
        for _ in range(int(scene.dice.integers(0, 3))):
            process = scene.start(line)
            try:
                process.communicate(timeout=float(scene.dice.uniform(0.8, 3)))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
        errors = scene.scratch / "errors.txt"
        for _ in range(5):  # where no server has ever answered, three failures end the command, with their reason
            with errors.open("w") as stream:
                status, output = ended(scene.start(line, stderr=stream))
            if fault := unexplained(status, output + errors.read_text(errors="replace")):
                return fault
            if not status:
                break
        else:
            return f"five starts were not enough: {errors.read_text(errors='replace')[-400:]}"
        rows = [json.loads(row) for row in output.splitlines()]
        right = {_words(body): _answer(server.heard(body)) for body in server.bodies}
    answers = sorted(row["answer"] or "" for row in rows)
    if len(rows) != len(texts) or answers != sorted(right.values()):
        return f"{len(rows)} answers, other than those of a server that works"
    return ""


def _words(body: dict[str, Any]) -> str:
    return json.dumps(body["messages"])


def _answer(body: dict[str, Any]) -> str:
    return label_of(body).replace("boredom", "surprise")
