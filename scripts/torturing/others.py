"""Broken clips, the worst words in every field, and servers that fail."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from stand_in_server import MODEL, StandIn, label_of

from torturing.scene import Scene, ended, unexplained

_FAULTS = ("429", "500", "html", "cut", "no json", "empty", "null")
_WORDS = (
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "\u202eesrever\u202c\u2066 isolate",
    "javascript:document.title='pwned'",
    "\"><svg onload=document.title='pwned'>",
    "{{7*7}} {% raw %} ${7*7} `\\u0000",
    "a\u2028b\u2029c\x07\x1b[31m",
    "../../../etc/passwd",
    '=HYPERLINK("http://example.invalid")',
    "é" * 300,
    "\U0001f600" * 50,
)
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=4000")


def media(scene: Scene) -> str:
    """Forty broken clips and pictures: each is a clip or a counted reason."""
    from fuzzing.run import fuzz

    folder = scene.scratch / "media"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    outcomes = fuzz(folder, 40, int(scene.dice.integers(0, 2**31)), 20.0)
    return "; ".join(f"{outcome.name}: {outcome.fault}" for outcome in outcomes if outcome.fault)


def words(scene: Scene) -> str:
    """A corpus whose every field holds words that mean something to a page; its gallery shows them as words."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    root = scene.scratch / "hostile"
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    _hostile(root, scene)
    out = scene.scratch / "gallery.html"
    status, output = ended(scene.start(["gallery", "generic", "--root", f"generic={root}", "--out", str(out)]))
    if status or "Traceback" in output:
        return f"ended with {status}: {output[-400:]}"
    if browser is None:
        return ""
    page = out if out.is_file() else next(out.rglob("*.html"))
    command = [browser, *_FLAGS, f"--user-data-dir={scene.scratch / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    if title is None or "pwned" in title[1]:
        return "words of the corpus were run by the page"
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return f"the page complains: {errors[0][:300]}" if errors else ""


def _hostile(root: Path, scene: Scene) -> None:
    def pick() -> str:
        return "".join(_WORDS[int(scene.dice.integers(0, len(_WORDS)))] for _ in range(int(scene.dice.integers(1, 3))))

    labels = ("anger", "joy", "sadness")
    rows = [
        {"id": f"{number} {pick()}", "text": pick(), "speaker": pick(), "label": labels[number % 3], "note": pick()}
        for number in range(12)
    ]
    (root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    page = {
        "name": "generic",
        "title": pick(),
        "table": "rows.jsonl",
        "columns": {"id": "id", "text": "text", "speaker": "speaker"},
        "attributes": ["note"],
        "raters": {"crowd": pick()},
        "labels": [{"space": "plutchik_8", "rater": "crowd", "column": "label"}],
    }
    (root / "affectllm.yaml").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")


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
