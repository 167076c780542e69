"""An annotation that is killed at any moment ends with the same bytes, and asks nothing whose answer it had."""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from killing import Worker, worker
from stand_in_server import MODEL, StandIn

IMPORTS = ("affectllm.annotate.command", "affectllm.predict.models", "openai", "tqdm.auto")
WORDS = ("glad", "sad", "furious", "calm")
AT_ONCE = 3


class Lethal(StandIn):
    """A scribe that answers by what it is asked, and kills its client a moment after a request."""

    def __init__(self, client: Worker | None) -> None:
        super().__init__(answer=self.written, seconds=0.0)
        self._client, self.left = client, 0

    def written(self, body: dict[str, Any]) -> str:
        with self.lock:
            self.left -= 1
            due = self.left == 0
        if due and self._client is not None:
            threading.Timer(random.Random(len(self.bodies)).uniform(0, 0.01), self._client.kill).start()
        return reply_to(str(body["messages"][0]["content"]))


def reply_to(asked: str) -> str:
    word = next((word for word in WORDS if word in asked), "calm")
    if "Which emotions" in asked:
        return f"{word}, tired"
    return "yes" if "Does this description fit" in asked else f"Somebody seems {word}: {mark_of(asked)}."


def mark_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def page(folder: Path, rows: int, url: str) -> Path:
    table = "".join(f"r{n},I was {WORDS[n % 4]} on day {n}\n" for n in range(rows))
    (folder / "table.csv").write_text("id,text\n" + table)
    options = f"{{base_url: '{url}', model: {MODEL}, selftest: false, backoff: 0.01, concurrency: {AT_ONCE}}}"
    (folder / "page.yaml").write_text(f"""\
name: killed
files: [table.csv]
models:
  scribe: {{model: affectllm-api, options: {options}}}
steps:
  - {{step: describe, name: worded, model: scribe, see: [text]}}
  - {{step: extract, name: labels, models: [scribe], of: worded}}
  - {{step: vote, name: voted, of: labels, least: 1}}
  - {{step: self_review, name: reviewed, model: scribe, of: worded, see: [text]}}
""")
    return folder / "page.yaml"


def outputs(out: Path) -> dict[str, bytes]:
    paths = [
        path for path in out.rglob("*") if path.is_file() and path.name not in ("manifest.json", ".lock", "log.txt")
    ]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(paths)}


def kept(answers: Path) -> list[str]:
    lines = [line for path in answers.glob("*.jsonl") for line in path.read_text().splitlines(keepends=True)]
    return [json.loads(line)["key"] for line in lines if line.endswith("\n")]


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("worker"), IMPORTS) as process:
        yield process


def check(one: Worker, folder: Path, rows: int, kills: int, changes: tuple[int, ...]) -> None:
    with Lethal(one) as server:
        words = ["annotate", str(page(folder, rows, server.url)), "--out", str(folder / "out")]
        words += ["--answers", str(folder / "answers")]
        whole = [
            "annotate",
            str(folder / "page.yaml"),
            "--out",
            str(folder / "whole"),
            "--answers",
            str(folder / "fresh"),
        ]
        assert one.run("affectllm.cli", whole, folder) == 0, one.output[-2000:]
        asked, chance = len(server.bodies), random.Random(5)
        assert asked == 3 * rows
        server.bodies.clear()
        for _ in range(kills):
            server.left = chance.randint(1, max(2, asked // kills))
            one.run("affectllm.cli", words, folder)
        server.left = 0
        for change in changes:
            assert one.run("affectllm.cli", words, folder, change) != 0, change
        assert one.run("affectllm.cli", words, folder) == 0, one.output[-2000:]
        again = Counter(json.dumps(body["messages"]) for body in server.bodies)
    assert outputs(folder / "out") == outputs(folder / "whole")
    keys = kept(folder / "answers")
    assert len(keys) == len(set(keys)) == 3 * rows  # what was kept was never asked again
    # Under way when a kill came: their answers had not arrived.
    assert again.total() - 3 * rows <= (kills + len(changes)) * AT_ONCE and len(again) == 3 * rows


def test_killed_at_several_points(one: Worker, tmp_path: Path) -> None:
    check(one, tmp_path, 8, 2, (3, 9, 14))


@pytest.mark.thorough
@pytest.mark.slow(minutes=3)
def test_killed_twenty_times_over_a_thousand_rows(one: Worker, tmp_path: Path) -> None:
    check(one, tmp_path, 1_000, 14, (3, 6, 9, 12, 15, 18))
