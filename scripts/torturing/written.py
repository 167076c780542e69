"""Hostile words in every field that a page shows, and each kind of page that is written, opened in Chromium."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from logged_run import logged, make_logged
from stand_in_server import MODEL, StandIn

from torturing.hostile import CORPUS, LABELS, RATER, SPACE, Hostile, hostile, line, pick
from torturing.opened import opened
from torturing.scene import Scene, ended, unexplained

TASK = "hostile_moods"
NAMES = ("<b class=pwned>`one` & 'two' [x](y)", '__proto__ $x_{$ | #1 100%41 \u202e "q"')


class Refused(Exception):
    """A command did not work, or is at fault; says how."""


def words(scene: Scene) -> str:
    """One of the kinds of pages, from a corpus or results full of words that mean something to pages."""
    return into(scene, list(KINDS)[int(scene.dice.integers(0, len(KINDS)))])


def into(scene: Scene, kind: str) -> str:
    """Hostile words into one of ``KINDS`` of pages; return what is wrong, or nothing."""
    folder = scene.scratch / "words"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = hostile(scene)
    try:
        pages, shown = KINDS[kind](scene, made, folder)
        fault = opened(pages, pick(scene), shown, scene.scratch)
    except Refused as error:
        fault = str(error)
    return f"{kind}: {fault}" if fault else ""


def ran(scene: Scene, words: Sequence[str], **more: Any) -> str:
    """Run a command, which must work, and return what it printed."""
    status, output = ended(scene.start([*words], **more))
    if fault := unexplained(status, output) or (f"ended with {status}: {output[-600:]}" if status else ""):
        raise Refused(f"{words[0]}: {fault}")
    return output


Pages = tuple[list[Path], Sequence[str]]


def _gallery(scene: Scene, made: Hostile, folder: Path) -> Pages:
    page = folder / "gallery.html"
    ran(scene, ["gallery", CORPUS, "--root", made.named, "--out", str(page)])
    return [page], made.texts


def _mixture(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """The conversations' gallery and the dataset card of a build, which its numbers and a drawing accompany."""
    part = {"corpus": CORPUS, "template": "emotion_choice", "space": SPACE, "rater": RATER, "modalities": ["text"]}
    mixture = {"description": line(scene), "seed": 1, "order": "shuffled", "mixture": [part]}
    page = folder / "mix.yaml"
    page.write_text(json.dumps(mixture, ensure_ascii=False), encoding="utf-8")
    ran(scene, ["build", str(page), "--root", made.named, "--out", str(folder / "run"), "--stats"])
    build = folder / "run" / "build"
    return [build / "gallery.html", build / "README.md"], [*made.texts, *made.card]


def _rating(scene: Scene, made: Hostile, folder: Path) -> Pages:
    step = {"step": "rate", "items": 20, "question": line(scene), "scale": [f"{n} {line(scene)}" for n in range(3)]}
    content = {"name": "rated", "description": line(scene), "corpus": CORPUS, "split": "all", "steps": [step]}
    page = folder / "rated.yaml"
    page.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    ran(scene, ["annotate", str(page), "--root", made.named, "--out", str(folder / "run")])
    return sorted((folder / "run" / "rate").glob("*/index.html")), made.texts


def _task(scene: Scene, split: str = "all") -> str:
    """Write a task over the rows of the corpus, and return its name."""
    facts = {"corpus": CORPUS, "split": split, "template": "emotion_choice"}
    facts |= {"gold": {"space": SPACE, "rater": RATER}}
    shown = {"modalities": ["text"], "metrics": ["uar", "accuracy"], "cluster": "speaker", "metadata": {"version": 1}}
    published = [{"system": line(scene), "metric": "uar", "value": 0.9, "source": line(scene), "evidence": "checked"}]
    page = {"task": TASK, **facts, **shown, "published": published}
    text = json.dumps(page, ensure_ascii=False)[:-1] + ', "class": !function affectllm.evaluate.task.AffectTask}'
    (scene.scratch / "eval_tasks" / f"{TASK}.yaml").write_text(text, encoding="utf-8")
    return TASK


def _results(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """An evaluation of a model behind a server whose replies are hostile, its report, and a board of two such."""
    replies = iter(range(10**6))

    def reply(body: Mapping[str, Any]) -> str:
        number = next(replies)
        return f"{pick(scene)} {LABELS[number % len(LABELS)]}" if number % 3 else pick(scene)

    with StandIn(answer=reply) as server:
        words = ["eval", "--model", "affectllm-api", "--tasks", _task(scene), "--root", made.named]
        words += ["--model_args", f"base_url={server.url},model={MODEL},selftest=false"]
        ran(scene, [*words, "--output_path", str(folder / "runs" / NAMES[0])])
    first, second = (folder / "runs" / name for name in NAMES)
    shutil.copytree(first, second)
    ran(scene, ["report", str(first), str(second), "--root", made.named, "--out", str(folder / "report.html")])
    ran(scene, ["report", str(second), "--root", made.named, "--export", str(folder / "export")])
    ran(scene, ["leaderboard", str(folder / "runs"), "--out", str(folder)])
    ran(scene, ["compare", str(first), str(second)])
    board = [folder / "leaderboard.html", folder / "leaderboard.md"]
    return [folder / "report.html", folder / "report" / "scores.md", second / "report.html", *board], (
        *made.texts,
        *NAMES,
    )


def _logged(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """The report of an evaluation of many sections, as it stands on the disk."""
    likely = bool(scene.dice.random() < 0.5)
    text = pick(scene).replace("\x00", "")
    run = make_logged(folder / NAMES[1], logged(60, text=text, likelihoods=likely), rater=line(scene))
    ran(scene, ["report", str(run)])
    return [run / "report.html"], [text, NAMES[1]]


def _fidelity(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """Sounds of hostile systems, judged by a shallow judge of a hostile name."""
    targets, systems = LABELS[:2], [f"{number} {pick(scene)}" for number in range(2)]
    rows: dict[str, list[dict[str, Any]]] = {"train": [], "real": [], "made": []}
    for number in range(24):
        table, target = ("train", "real", "made")[number // 8], targets[number % 2]
        clip = folder / f"{number}.wav"
        wave = 0.3 * np.sin(2 * np.pi * (420, 130)[number % 2] * (1 + 0.01 * number) * np.arange(8_000) / 16_000)
        soundfile.write(clip, wave, 16_000)
        about = {"language": pick(scene), "system": systems[number // 2 % 2], "item": f"{number} {pick(scene)}"}
        rows[table].append({"clip": str(clip), "label": target, "target": target, "speaker": pick(scene), **about})
    for name, lines in rows.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    learn, real = ({"table": f"{name}.jsonl", "modalities": ["audio"]} for name in ("train", "real"))
    judge = {"name": line(scene), "learn": learn, "real": real, "trained_on": [line(scene)]}
    content = {"table": "made.jsonl", "description": line(scene), "judges": [judge], "trained_on": [line(scene)]}
    page = folder / "page.yaml"
    page.write_text(json.dumps({**content, "answers": "kept"}, ensure_ascii=False), encoding="utf-8")
    ran(scene, ["fidelity", str(page), "--out", str(folder / "run")])
    return [folder / "run" / "fidelity.html", folder / "run" / "fidelity.md"], systems


def _empathy(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """Replies of hostile systems; what is written of them is Markdown alone."""
    rows = [{"id": f"{n} {pick(scene)}", "ours": pick(scene), "theirs": pick(scene)} for n in range(12)]
    rows = [{**row, "context": [pick(scene)], "reference": pick(scene)} for row in rows]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    # No key of a line of YAML is longer than 1,024 bytes.
    systems = {f"1 {line(scene)}"[:200]: "ours", f"2 {line(scene)}"[:200]: "theirs"}
    content = {"table": "replies.jsonl", "systems": systems, "metrics": ["bleu_1"], "description": line(scene)}
    page = folder / "page.yaml"
    page.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    ran(scene, ["empathy", str(page), "--out", str(folder / "run")])
    return [folder / "run" / "scores.md"], [*systems]


def _probe(scene: Scene, made: Hostile, folder: Path) -> Pages:
    ran(
        scene,
        ["probe", "tiny:qwen2", "--tasks", _task(scene), "--root", made.named, "--out", str(folder), "--folds", "2"],
    )
    return [folder / "probe.html"], [TASK]


def _run(scene: Scene, made: Hostile, folder: Path) -> Pages:
    """A whole run of a tiny model: its report, and the cards of what is published and of what is merged."""
    part = {"corpus": CORPUS, "template": "emotion_choice", "space": SPACE, "rater": RATER, "modalities": ["text"]}
    recipe = {
        "description": line(scene),
        "data": {"mixture": [part]},
        "model": {"path": "tiny:qwen2", "backbone": "qwen2", "dtype": "float32"},
        "peft": {"r": 2},
        "trainer": {"max_steps": 2, "logging_steps": 1, "learning_rate": 0.001, "bf16": False},
        "eval": {"tasks": [_task(scene, "test")], "references": [], "ablations": [], "limit": 6},
    }
    page, run = folder / "recipe.yaml", folder / NAMES[0]
    page.write_text(json.dumps(recipe, ensure_ascii=False), encoding="utf-8")
    ran(scene, ["run", str(page), "--root", made.named, "--out", str(run)])
    ran(scene, ["publish", str(run), "--dry-run", "--root", made.named, "--repo-id", "me/made"])
    merged = folder / NAMES[1]
    if scene.dice.random() < 0.3:  # it takes as long as all before
        ran(scene, ["merge", str(run), "--to", str(merged)])
    cards = [path for path in run.rglob("README.md") if "publish" in path.as_posix()]
    cards += merged.glob("README.md")
    return [run / "report.html", *cards], [*made.texts, *made.card]


KINDS: dict[str, Callable[[Scene, Hostile, Path], Pages]] = {
    "gallery": _gallery,
    "mixture": _mixture,
    "rating": _rating,
    "results": _results,
    "logged": _logged,
    "fidelity": _fidelity,
    "empathy": _empathy,
    "probe": _probe,
    "run": _run,
}
