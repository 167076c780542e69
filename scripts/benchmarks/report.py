"""Benchmark the report of many examples: the seconds to write it, and until Chromium shows the list of all of them."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from affectllm.report.html import render_report
from benchmarks.row import Row, duration, seconds

EXAMPLES = {"full": 50_000, "quick": 5_000, "tiny": 200}
OPENED, WRITTEN = 2.0, 60.0
LABELS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
TASK = "many_examples"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
CLOCK = """<script>addEventListener("load", () => {
  document.body.dataset.opened = performance.now();
  document.body.dataset.listed = document.getElementById("examples").dataset.ready;
});</script></body>"""


def measure(size: str) -> list[Row]:
    """Measure writing and, where there is Chromium, opening; the goals are seconds."""
    count = EXAMPLES[size]
    what = f"a report of {count:,} examples"
    with tempfile.TemporaryDirectory() as folder:
        run = make_evaluation(Path(folder) / "run", count)
        written = seconds(lambda: render_report([run]))
        rows = [Row(f"write {what}", f"{WRITTEN:g} s", duration(written), f"{WRITTEN:g} s", WRITTEN / written, 1.0)]
        if browser := next(filter(None, map(shutil.which, BROWSERS)), None):
            opened = min(open_page(browser, run / "report.html", count) for _ in range(3))
            against = f"{OPENED:g} s, until all are listed"
            rows.append(
                Row(f"open {what} in Chromium", against, duration(opened), f"{OPENED:g} s", OPENED / opened, 1.0)
            )
    return rows


def make_evaluation(folder: Path, count: int) -> Path:
    """Write an evaluation of so many examples, as lm-eval leaves them: dialogues, speakers, facts, replies."""
    draw = random.Random(0)
    folder.mkdir(parents=True)
    table = [[0] * (len(LABELS) + 1) for _ in LABELS]
    with (folder / f"samples_{TASK}_2026-01-01T00-00-00.000000.jsonl").open("w", encoding="utf-8") as stream:
        for number in range(count):
            row = _row(number, draw)
            reading = row["reading"]
            table[LABELS.index(row["doc"]["gold"])][LABELS.index(reading) if reading else -1] += 1
            stream.write(json.dumps(row) + "\n")
    score = {"value": 0.6, "low": 0.58, "high": 0.62, "n": count, "clusters": 300, "unreadable": 0.02, "controls": {}}
    details = {"labels": LABELS, "confusion": table, "labelled": True, "n": count, "cluster": "speaker"}
    (folder / "scores.json").write_text(json.dumps({TASK: {"accuracy": score}}))
    (folder / "details.json").write_text(json.dumps({TASK: details}))
    return folder


def _row(number: int, draw: random.Random) -> dict[str, object]:
    gold = draw.choice(LABELS)
    reading = None if draw.random() < 0.02 else gold if draw.random() < 0.6 else draw.choice(LABELS)
    turns = "\n".join(f"{name}: {' '.join(draw.choices(LABELS, k=12))}" for name in "ABAB")
    question = f"What was said before:\n{turns}\n\nWhich emotion, of {', '.join(LABELS)}? Number {number}."
    media = {"type": "video", "corpus": "none", "path": f"clips/{number:06d}.mp4", "sound": True}
    messages = [{"role": "user", "content": [media, {"type": "text", "text": question}]}]
    about = {"sex": draw.choice(["female", "male"]), "language": draw.choice(["en", "de", "zh"]), "level": "normal"}
    doc = {"id": f"dia{number // 9}_utt{number % 9}", "corpus": "none", "speaker": f"s{draw.randrange(300)}"}
    doc |= {"messages": messages, "gold": gold, "about": about}
    reply = f"I believe that the speaker shows {reading}." if reading else "I cannot tell."
    answer = {"reading": reading, "unreadable": None if reading else "no_label"}
    return {"doc_id": number, "doc": doc, "filtered_resps": [reply], "filter": "none", **answer}


def open_page(browser: str, page: Path, count: int) -> float:
    """Return the seconds from the navigation to the list of all examples, on the page's own clock.

    Raises:
        RuntimeError: when the browser does not list all of them.
    """
    copy = page.with_name("clocked.html")
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"), count=1)
    copy.write_text(html.replace("</body>", CLOCK), encoding="utf-8")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", copy.as_uri()]
        dom = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    clock = re.search(r'data-opened="([\d.]+)" data-listed="(\d+)"', dom)
    if clock is None or int(clock[2]) != count:
        raise RuntimeError(f"Chromium does not list {count} examples: {clock and clock[0]}")
    return float(clock[1]) / 1000
