"""The command line as a person meets it: lists, single things, audits, builds, errors that are explained, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toy_corpus import WAITS, toy_corpus
from tuning import ENDLESS

from affectllm import __version__, registry
from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.store import read_rows
from affectllm.instruct import template_names
from affectllm.run import read_manifest

VERBS = (
    "run",
    "build",
    "train",
    "eval",
    "score",
    "report",
    "publish",
    "leaks",
    "audit",
    "gallery",
    "ls",
    "show",
    "modules",
    "doctor",
)


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    monkeypatch.chdir(tmp_path)


def miniature(name: str, folder: Path) -> str:
    return f"{name}={materialise(load_builder(name).MINIATURE, folder / name)}"


def output_of(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(words) == status
    return capsys.readouterr().out


def first_words(text: str) -> set[str]:
    return {line.split()[0] for line in text.splitlines() if line.strip()}


# ── help and lists ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_names_every_command_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    assert set(VERBS) <= first_words(out) and "affectllm run quickstart" in out


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "eval"])
def test_every_command_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([verb, "--help"])
    assert caught.value.code == 0 and f"affectllm {verb}" in capsys.readouterr().out


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"affectllm {__version__}\n"


def test_ls_shows_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    listed = first_words(output_of(capsys, "ls"))
    kinds: tuple[registry.Folder, ...] = ("data_builders", "eval_tasks", "recipes")
    for kind in kinds:
        assert set(registry.names(kind)) <= listed
    assert set(template_names()) <= listed and {"qwen2_5_omni", "qwen2_audio", "qwen2_5_vl", "qwen2"} <= listed


def test_ls_of_one_kind_shows_only_that(capsys: pytest.CaptureFixture[str]) -> None:
    listed = first_words(output_of(capsys, "ls", "recipes"))
    assert listed == {"recipes", "NAME"} | set(registry.names("recipes"))


def test_every_task_and_recipe_says_in_a_line_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("tasks", "recipes", "templates"):
        for line in output_of(capsys, "ls", kind).splitlines()[2:]:
            assert len(line.split()) > 4, line


# ── single things ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_show_a_corpus_tells_its_card_and_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "show", "emodb")
    for part in ("Burkhardt", "CC0-1.0", "anger, boredom", "the actor was asked", "emodb.bilderbar.info", "train 277"):
        assert part in out
    assert "no samples shown" in out and "--root emodb=DIR" in out


def test_show_a_corpus_at_hand_shows_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = output_of(capsys, "show", "emodb", "-n", "1", "--root", miniature("emodb", tmp_path))
    sample = json.loads(out[out.index("\n{") :])
    assert sample["id"] == "03a01Fa" and sample["annotations"][0]["rater"] == "actor"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    shell = f"{sys.executable} -m affectllm.cli show demo_affect -n 400 | head -n 1"
    done = subprocess.run(shell, shell=True, capture_output=True, text=True, check=False)
    assert "demo_affect" in done.stdout and "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


@pytest.mark.parametrize(
    ("name", "part"),
    [("quickstart", "tiny:qwen2_5_omni"), ("emodb_emotion", "rater: actor"), ("emotion_set", "questions:")],
)
def test_show_prints_the_page_of_a_recipe_task_or_template(
    name: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = output_of(capsys, "show", name)
    assert part in out and f"{name}.yaml" in out.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["metric", "uar"], "uar (label: one label)"),
        (["uar"], "uar (label: one label)"),
        (["corpus", "dfew"], "corpus  DFEW (dfew)"),
        (["task", "dfew"], "dfew.yaml"),
        (["suite", "xed"], "xed.yaml"),
        (["task", "meld_emotion_video"], "meld_emotion.yaml:"),
        (["mixtures", "speech"], "speech.yaml"),
        (["reproduction", "vader"], "vader.yaml"),
        (["grpo"], "grpo: group relative policy optimisation"),
        (["methods", "reward"], "reward: a reward model"),
        (["reading"], "reading (reward)"),
        (["reward", "wheel_f1"], "wheel_f1 (reward)"),
    ],
    ids=" ".join,
)
def test_show_takes_a_kind_before_a_name(words: list[str], first: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert first in output_of(capsys, "show", *words).splitlines()[0]


def test_show_says_what_else_has_the_name(capsys: pytest.CaptureFixture[str]) -> None:
    lines = output_of(capsys, "show", "dfew").splitlines()
    assert "corpus  DFEW" in lines[0] and lines[-1] == "# a task is called dfew, too: affectllm show task dfew"
    assert "called" not in output_of(capsys, "show", "emodb_emotion").splitlines()[-1]


# ── audit and build ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_audit_says_what_differs_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = miniature("emodb", tmp_path)
    out = output_of(capsys, "audit", "emodb", "--root", root, status=1)
    assert "train: 2 samples, the card promises 277 (275 missing)" in out
    assert "media_missing" in out and "14a05Tc" in out


def test_audit_of_a_whole_corpus_exits_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = ("joy", "anger", "fear")
    root = toy_corpus(tmp_path, monkeypatch, classes=labels)
    builder = tmp_path / "data_builders" / "toy.py"
    builder.write_text(
        builder.read_text().replace('    yield Rejection("bad.wav"', '    return\n    yield Rejection("bad.wav"')
    )
    assert "as the card promises" in output_of(capsys, "audit", "toy", "--root", f"toy={root}")


def test_audit_opens_clips_unless_told_not_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = miniature("emodb", tmp_path)
    clip = tmp_path / "emodb" / "wav" / "03a01Fa.wav"
    clip.write_bytes(clip.read_bytes()[:44] + bytes(16_000))  # silence
    assert "silent" in output_of(capsys, "audit", "emodb", "--root", root, status=1)
    assert "silent" not in output_of(capsys, "audit", "emodb", "--root", root, "--no-media", status=1)


def test_audit_as_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = [word for name in ("emodb", "meld") for word in ("--root", miniature(name, tmp_path))]
    reports = json.loads(output_of(capsys, "audit", "emodb", "meld", *roots, "--json", status=1))
    assert [report["name"] for report in reports] == ["emodb", "meld"]
    assert reports[0]["found"]["train"] == 2 and not reports[0]["ok"]


def test_build_a_recipe_leaves_samples_and_conversations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("build", "emodb_tiny", "--root", miniature("emodb", tmp_path), "--out", str(tmp_path / "out"))
    out = output_of(capsys, *words)
    assert "conversations" in out and str(tmp_path / "out" / "build") in out
    samples = {
        path.stem: len(list(read_rows(path))) for path in (tmp_path / "out/build/samples/emodb").glob("*.parquet")
    }
    assert samples == {"train": 2, "validation": 1, "test": 1}
    talks = list(read_rows(tmp_path / "out/build/conversations/train-00000-of-00001.parquet"))
    assert len(talks) == 8 and {talk["answer"] for talk in talks} == {"happiness", "anger"}
    assert "14b10Xc" in (tmp_path / "out/build/rejected.jsonl").read_text(encoding="utf-8")


def test_build_corpora_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roots = [word for name in ("emodb", "meld") for word in ("--root", miniature(name, tmp_path))]
    output_of(capsys, "build", "emodb", "meld", *roots, "--out", str(tmp_path / "out"))
    assert (tmp_path / "out/emodb/samples/emodb/train.parquet").is_file()
    assert (tmp_path / "out/meld/samples/meld/train.parquet").is_file()


def test_a_second_build_is_skipped_and_a_changed_corpus_built_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("build", "emodb", "--root", miniature("emodb", tmp_path), "--out", str(tmp_path / "out"))
    output_of(capsys, *words)
    written = (tmp_path / "out/emodb/samples/emodb/train.parquet").stat().st_mtime_ns
    assert "train" in output_of(capsys, *words)
    assert (tmp_path / "out/emodb/samples/emodb/train.parquet").stat().st_mtime_ns == written
    (tmp_path / "emodb/wav/03a01Wa.wav").unlink()
    output_of(capsys, *words)
    assert len(list(read_rows(tmp_path / "out/emodb/samples/emodb/train.parquet"))) == 1


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "quickstrat"], "quickstart"),
        (["train", "emodb-tiny"], "emodb_tiny"),
        (["build", "quickstrat"], "quickstart"),
        (["build", "crema-d"], "crema_d"),
        (["audit", "medl"], "meld"),
        (["show", "emodb_emoton"], "emodb_emotion"),
        (["show", "recipe", "dfew"], "no recipe is called 'dfew'"),
        (["show", "uar", "macro_f1"], "no kind called 'uar'"),
        (["build", "emodb", "--root", "emodb"], "NAME=DIR"),
        (["build", "emodb", "--rot", "x"], "--root"),
        (["ls", "--jsn"], "--json"),
        (["eval", "--model", "affectllm-shalow", "--tasks", "emodb_emotion", "--root", "emodb=."], "affectllm-shallow"),
        (["predict", "x.wav", "--model", "tiny:qwen2", "--template", "emotion_choic"], "emotion_choice"),
        (["annotate", "demmo"], "demo"),
        (["run", "quickstart", "--set", "launch=zeroo2"], "zero2"),
        (["report", "no_such_run"], "no_such_run"),
        (["publish", "no_such_run", "--repo-id", "me/x", "--dry-run"], "no_such_run"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_done_is_explained_with_status_2(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "error: " in error and hint in error and "Traceback" not in error
    assert "\n  → " in error


@pytest.mark.parametrize("words", [["--loud"], ["run"], ["publish", "x"]])
def test_wrong_usage_exits_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2 and "usage: affectllm" in capsys.readouterr().err


def test_the_installed_command_exits_as_main_says_and_prints_no_traceback() -> None:
    command = [sys.executable, "-m", "affectllm.cli", "show", "nothing_called_this"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr


def test_a_folder_of_somebody_else_is_not_built_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out" / "emodb").mkdir(parents=True)
    (tmp_path / "out" / "emodb" / "thesis.tex").write_text("five years")
    words = ["build", "emodb", "--root", miniature("emodb", tmp_path), "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "is no run" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out" / "emodb").iterdir()] == ["thesis.tex"]


# ── Ctrl-C ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def wait_for(path: Path, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_ctrl_c_while_building_exits_with_130_and_the_same_command_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = toy_corpus(tmp_path, monkeypatch, when_read=WAITS)
    monkeypatch.setenv("READING", str(tmp_path / "reading"))
    command = [sys.executable, "-m", "affectllm.cli", "build", "toy", "--root", f"toy={root}", "--out", "out"]
    with subprocess.Popen(
        command, env={**os.environ, "SECONDS": "60"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        wait_for(tmp_path / "reading")
        child.send_signal(signal.SIGINT)
        _, error = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted" in error and "Traceback" not in error
    manifest = read_manifest(tmp_path / "out" / "toy")
    assert manifest is not None and not manifest["finished"]
    assert not list((tmp_path / "out").rglob("*.parquet")) and not list((tmp_path / "out").rglob("*.part"))
    monkeypatch.setenv("SECONDS", "0")
    assert main(command[3:]) == 0
    manifest = read_manifest(tmp_path / "out" / "toy")
    assert manifest is not None and manifest["finished"]
    assert len(list(read_rows(tmp_path / "out/toy/samples/toy/train.parquet"))) == 6


@pytest.mark.slow
def test_ctrl_c_while_training_stops_every_process_and_keeps_the_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger", "fear"))
    (tmp_path / "endless.yaml").write_text(ENDLESS)
    words = ["train", "endless.yaml", "--root", f"toy={root}", "--out", "out"]
    child = subprocess.Popen(
        [sys.executable, "-m", "affectllm.cli", *words],
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends Ctrl-C to the whole group, and so do we
    )
    try:
        wait_for(tmp_path / "out" / "train" / "checkpoint-5" / "trainer_state.json", 240)
    finally:
        os.killpg(child.pid, signal.SIGINT)
        _, error = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted; the same command goes on where it stopped" in error
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # the last of the group may still be on its way out
            os.killpg(child.pid, 0)
            time.sleep(0.1)
    manifest = read_manifest(tmp_path / "out" / "train")
    assert manifest is not None and not manifest["finished"]
    assert list((tmp_path / "out" / "train").glob("checkpoint-*/model.safetensors"))


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_words_find_across_all_lists_and_within_one(capsys: pytest.CaptureFixture[str]) -> None:
    found = output_of(capsys, "ls", "dfew", "seen")
    heads = {"tasks", "recipes", "NAME"}
    rows = [line for line in found.splitlines() if line.strip() and line.split()[0] not in heads]
    assert heads <= first_words(found) and "dfew_fold1" in first_words(found)
    assert all("dfew" in row.lower() and "seen" in row.lower() for row in rows)
    assert first_words(output_of(capsys, "ls", "corpora", "DFEW")) == {"corpora", "NAME", "dfew"}


def test_a_word_that_nothing_has_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ls", "familes"]) == 2
    assert "did you mean families" in capsys.readouterr().err


def test_lists_are_json_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(output_of(capsys, "ls", "corpora", "--json"))
    assert {"kind", "name", "licence", "modalities"} <= set(rows[0])
    assert "emodb" in {row["name"] for row in rows} and not any(row["name"].endswith("/") for row in rows)


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "affectllm", "show", "uarr"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and "uarr" in done.stderr


def test_a_page_that_is_not_utf8_is_no_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch
) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "strange.yaml").write_bytes("description: é".encode("utf-16"))
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    assert main(["show", "recipe", "strange"]) == 2
    assert "strange.yaml: not UTF-8" in capfd.readouterr().err
