"""The whole line through the command line: corpus files → instructions → tuned model → scores → report → release."""

from __future__ import annotations

import json
import logging
import os
import re
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from datasets import load_dataset
from made_run import make_run
from tuning import affectllm, succeed, write_page

from affectllm import voice
from affectllm.commands.parts import pipeline
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.run import Run
from affectllm.train.recipe import load_recipe

pytestmark = pytest.mark.slow
_BAR = re.compile(r"\d+%\||\d (?:it|rows|blocks|examples|steps|batches)(?:/s)? ?\[|[\d.?]+ ?(?:it|rows)/s")
_OURS = ("── ", "built: ", "trained: ", "memory: ", "epoch ", "answered in batches", "guard: ")
EVAL = {"tasks": ["demo_affect_emotion"], "ablations": [["audio"]], "references": ["majority"], "batch_size": 4}


@pytest.fixture(scope="module")
def told(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], CompletedProcess[str]]:
    """A finished run, the words that made it, and what it said."""
    folder = tmp_path_factory.mktemp("line")
    trainer = {"max_steps": 2, "save_strategy": "no", "load_best_model_at_end": False}
    trainer |= {"eval_strategy": "steps", "eval_steps": 2}
    page = write_page(folder, eval=EVAL, trainer=trainer, data={"validation_rows": 2})
    words = ["run", str(page), "--root", f"demo_affect={small_demo}", "--out", str(folder / "out")]
    done = affectllm(*words)
    assert done.returncode == 0, done.stderr[-6000:]
    return folder / "out", words, done


@pytest.fixture(scope="module")
def run(told: tuple[Path, list[str], CompletedProcess[str]]) -> tuple[Path, list[str]]:
    return told[:2]


def test_a_run_says_its_stages_and_scores_and_nothing_of_its_libraries(told) -> None:
    out, _, done = told
    head, *rows, last = done.stdout.splitlines()
    assert head.split()[:3] == ["model", "task", "metric"] and last == f"report: {out / 'report.html'}"
    assert [row.partition("  ")[0] for row in rows] == ["tuned model", "tuned model, audio only", "reference: majority"]
    lines = [line for line in done.stderr.replace("\r", "\n").splitlines() if line.strip()]
    bars = [line for line in lines if _BAR.search(line)]
    assert any(line.startswith("training: 100%") for line in bars)
    assert any(line.startswith("validating: ") for line in bars)
    strange = [line for line in lines if line not in bars and not line.startswith(_OURS)]
    assert not strange, strange
    assert "lm_eval" in (out / "log.txt").read_text()  # which says much


def test_what_could_not_be_scored_is_told_before_anything_is_trained(small_demo: Path, tmp_path: Path) -> None:
    page = write_page(tmp_path, eval={**EVAL, "ablations": [["image"]]})
    words = str(page), [], Roots.parse([f"demo_affect={small_demo}"]), tmp_path / "out", None
    with pytest.raises(AffectError, match=r"demo_affect_emotion: the task has .*, and none of them may be shown"):
        pipeline.run(*words)
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough  # test_quiet_eval tries the same of an evaluation
def test_a_quiet_run_says_its_scores_alone_and_a_verbose_one_what_libraries_say(told, tmp_path: Path) -> None:
    _, words, done = told
    again = affectllm("--quiet", *words)
    assert (again.stdout, again.stderr) == (done.stdout, "")
    evaluation = [
        "eval",
        "--model",
        "affectllm-majority",
        "--tasks",
        "demo_affect_emotion",
        *words[2:4],
        "--limit",
        "2",
    ]
    loud = affectllm("--verbose", *evaluation, "--output_path", str(tmp_path))
    assert loud.returncode == 0 and "Selected Tasks" in loud.stderr


def test_every_stage_leaves_what_it_promises(run: tuple[Path, list[str]]) -> None:
    out, _ = run
    for stage in ("build", "train", "eval", "eval/modalities/audio", "eval/reference/majority"):
        assert json.loads((out / stage / "manifest.json").read_text())["finished"], stage
    scores = json.loads((out / "eval" / "scores.json").read_text())["demo_affect_emotion"]["uar"]
    assert set(scores) == {"value", "low", "high", "n", "clusters", "unreadable", "controls"}
    assert 0 <= scores["value"] <= 1 and scores["n"] == 8
    assert (scores["low"] is None) == (scores["clusters"] < 5)
    assert list((out / "eval").glob("results_*.json")) and list(
        (out / "eval").glob("samples_demo_affect_emotion_*.jsonl")
    )
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "demo_affect_emotion" in page and "audio only" in page and "majority" in page


def test_what_was_built_opens_as_a_data_set(run: tuple[Path, list[str]], tmp_path: Path) -> None:
    files = {s: str(run[0] / "build" / "conversations" / f"{s}-*.parquet") for s in ("train", "validation")}
    talks = load_dataset("parquet", data_files=files, cache_dir=str(tmp_path))
    part = talks["train"][0]["messages"][0]["content"][0]
    assert part == {"type": "video", "corpus": "demo_affect", "path": part["path"], "sound": True}
    samples = load_dataset(
        "parquet", data_files=str(run[0] / "build" / "samples" / "demo_affect" / "*.parquet"), cache_dir=str(tmp_path)
    )
    assert len(samples["train"]) == 40


def test_the_same_command_does_nothing_twice(run: tuple[Path, list[str]]) -> None:
    out, words = run
    before = {path: path.stat().st_mtime_ns for path in out.rglob("manifest.json")}
    succeed(*words)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("manifest.json")} == before


def test_the_recipe_that_is_kept_says_the_same_as_the_page(run: tuple[Path, list[str]]) -> None:
    out, words = run
    kept, page = load_recipe(str(out / "recipe.yaml")).to_json(), load_recipe(words[1]).to_json()
    assert {**kept, "name": ""} == {**page, "name": ""}


@pytest.mark.thorough  # test_publish makes releases of runs
def test_it_is_published_dry(run: tuple[Path, list[str]]) -> None:
    out, _ = run
    succeed("publish", str(out), "--repo-id", "someone/something", "--dry-run")
    assert (out / "publish" / "README.md").is_file() and (out / "publish" / "model.safetensors").is_file()


@pytest.mark.thorough
def test_a_matrix_makes_a_run_of_every_combination(small_demo: Path, tmp_path: Path) -> None:
    trainer = {"max_steps": 1, "save_strategy": "no"}
    scored = {**EVAL, "ablations": []}
    page = write_page(tmp_path, trainer=trainer, eval=scored, matrix={"trainer.learning_rate": [0.001, 0.002]})
    done = affectllm("run", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr[-6000:]
    runs = [path.parent.name for path in sorted(tmp_path.glob("out/*/report.html"))]
    assert [line for line in done.stderr.splitlines() if line[:2] == "━━"] == [
        f"━━ {name} ({number} of 2)" for number, name in enumerate(runs, 1)
    ]
    assert [line for line in done.stdout.splitlines() if line in runs] == runs  # each heads its table
    first, second = (path.read_bytes() for path in tmp_path.glob("out/*/eval/reference/majority/manifest.json"))
    assert first == second  # a reference does not depend on the training, and is asked once
    assert len((tmp_path / "out" / "sweep.md").read_text(encoding="utf-8").splitlines()) == 4
    rates = {load_recipe(str(path)).trainer["learning_rate"] for path in tmp_path.glob("out/*/recipe.yaml")}
    assert rates == {0.001, 0.002}


def test_one_run_of_a_matrix_that_fails_does_not_keep_the_others(
    small_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = []

    def trains(name: str, recipe: Any, overrides: Any, roots: Any, folder: Path, *_: Any) -> None:
        if recipe.seed == 1:
            raise AffectError("the device has no memory left")
        with Run(folder / "train", "train", {}) as run:
            run.outputs = {"steps": 2}
        trained.append(recipe.seed)

    monkeypatch.setattr(pipeline, "train", trains)
    page = write_page(tmp_path, matrix={"seed": [1, 2, 3]})
    with pytest.raises(AffectError, match="1 of 3 runs failed: seed=1"):
        pipeline.train_only(str(page), [], Roots.parse([f"demo_affect={small_demo}"]), tmp_path / "out", None)
    told = capsys.readouterr()
    assert trained == [2, 3] and "seed=1 failed: the device has no memory left" in told.err
    assert [line.partition(" (")[2] for line in told.out.splitlines()] == ["after 2 steps)"] * 2


def test_a_run_that_failed_stands_below_the_table_of_a_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def runs(name: str, chosen: Any, roots: Any, out: Path, suffix: str, *_: Any) -> Path:
        if suffix == "seed=2":
            raise AffectError("the device has no memory left", do="a smaller batch")
        make_run(out / suffix)
        return out / suffix / "report.html"

    monkeypatch.setattr(pipeline, "_run", runs)
    page = write_page(tmp_path, matrix={"seed": [1, 2, 3]})
    with pytest.raises(AffectError, match="1 of 3 runs failed: seed=2"):
        pipeline.run(str(page), [], Roots.parse([]), tmp_path / "out", None)
    table = (tmp_path / "out" / "sweep.md").read_text(encoding="utf-8").splitlines()
    assert [line[:3] for line in table[2:4]] == ["| 1", "| 3"]
    assert table[-1] == "- seed=2 failed: the device has no memory left"
    kept = json.loads((tmp_path / "out" / "sweep.json").read_text(encoding="utf-8"))
    assert kept["failed"] == {"seed=2": "the device has no memory left"} and len(kept["runs"]) == 2
    assert f"sweep: {tmp_path / 'out' / 'sweep.md'}" in capsys.readouterr().out


def test_training_on_what_is_scored_is_refused(small_demo: Path, tmp_path: Path) -> None:
    """The same clips once more under another split, as a careless re-split makes them."""
    import shutil

    root = Path(shutil.copytree(small_demo, tmp_path / "demo_affect"))
    rows = (root / "labels.csv").read_text().splitlines()
    test_row = next(row for row in rows if ",test," in row)
    speaker = test_row.split(",")[2]
    rows.append(rows[1].replace("train_0000", "train_9999").replace(rows[1].split(",")[2], speaker))
    shutil.copy(root / "clips" / "train_0000.mp4", root / "clips" / "train_9999.mp4")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    page = write_page(tmp_path, eval=EVAL)
    done = affectllm("run", str(page), "--root", f"demo_affect={root}", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert "trains on what the task demo_affect_emotion scores" in done.stderr and speaker in done.stderr
    assert not (tmp_path / "out" / "train").exists()


def test_a_program_that_runs_a_recipe_has_its_own_logging_back(tmp_path: Path) -> None:
    library = logging.getLogger("lm_eval")
    before = list(library.handlers), library.propagate, list(logging.getLogger().handlers), voice.LOG_FILE in os.environ
    with voice.kept(tmp_path / "log.txt"):
        library.addHandler(logging.StreamHandler())
        voice.divert()
        logging.getLogger("lm_eval.models").warning("something")
        assert not library.handlers
    after = library.handlers[:-1], library.propagate, list(logging.getLogger().handlers), voice.LOG_FILE in os.environ
    library.removeHandler(library.handlers[-1])
    assert after == before and "something" in (tmp_path / "log.txt").read_text()


def test_what_a_library_prints_while_it_trains_goes_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with voice.kept(tmp_path / "log.txt"), voice.printed_aside():
        print("DeepSpeed built something")
    assert capsys.readouterr().out == "" and "DeepSpeed built something" in (tmp_path / "log.txt").read_text()
    monkeypatch.setenv(voice.OUTPUT, "verbose")
    with voice.kept(tmp_path / "log.txt"), voice.printed_aside():
        print("DeepSpeed built more")
    assert "DeepSpeed built more" in capsys.readouterr().out
