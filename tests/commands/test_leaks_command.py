"""`affectllm leaks`: what it compares, prints and returns."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from kindred import PARAPHRASED, TWEET, kindred
from reading_corpora import write
from test_leaks_media import speech
from toy_corpus import toy_corpus

from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.selection import Selection
from affectllm.errors import Leakage, NotFound
from affectllm.report.leaks import refuse_leaks, shared_with_tasks, training_samples
from affectllm.train.recipe import load_recipe


@pytest.fixture
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return kindred(tmp_path, monkeypatch)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Writes a recipe on ``train`` and a task on the test split of ``scored``; returns words of the command line."""

    def make(train: str, scored: str, space: str, rater: str, roots: dict[str, Path]) -> list[str]:
        write(
            tmp_path,
            {
                "recipes/mine.yaml": f"""
description: A recipe for a test of leaks.
data: {{mixture: [{{corpus: {train}, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}}]}}
model: {{path: tiny:qwen2, backbone: qwen2}}
trainer: {{max_steps: 1}}
""".replace("toy_3, rater: reader", f"{space}, rater: {rater}"),
                "eval_tasks/theirs.yaml": f"""
task: theirs
class: !function affectllm.evaluate.task.AffectTask
corpus: {scored}
split: test
template: emotion_choice
gold: {{space: toy_3, rater: reader}}
modalities: [text]
metrics: [uar]
metadata: {{version: 1}}
""",
            },
        )
        monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
        return ["leaks", "mine", "theirs", *(w for n, r in roots.items() for w in ("--root", f"{n}={r}"))]

    return make


def test_reccon_leaks_into_dailydialog_along_the_family_tree(
    page: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = {n: materialise(load_builder(n).MINIATURE, tmp_path / n) for n in ("reccon", "dailydialog")}
    words = page("reccon", "dailydialog", "reccon_emotion", "source", roots)
    assert main(words) == 0
    assert "theirs (dailydialog, test): nothing shared" in capsys.readouterr().out
    planted = "Nobody told me that the old bakery had closed ."
    path = roots["reccon"] / "data/original_annotation/dailydialog_train.json"
    path.write_text(path.read_text().replace("I found your lost ring .", planted))
    dialogues = roots["dailydialog"] / "ijcnlp_dailydialog/test/dialogues_test.txt"
    first, _, rest = dialogues.read_text(encoding="utf-8").partition(" __eou__")
    dialogues.write_text(f"{planted} __eou__{rest}", encoding="utf-8")
    assert first != planted
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "1 text of reccon (reccon ← dailydialog)" in out and "nobody told me that the old bakery had closed" in out
    assert (
        "train  reccon/tr_1/1 (data/original_annotation/dailydialog_train.json" in out and "scored dailydialog/" in out
    )
    assert main(["dailydialog" if word == "theirs" else word for word in words]) == 1  # a corpus: its test split
    assert "dailydialog (dailydialog, test, language=en): shares with the training data" in capsys.readouterr().out


def test_a_split_without_samples_is_not_called_clean(
    page: Callable[..., list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = {n: materialise(load_builder(n).MINIATURE, tmp_path / n) for n in ("reccon", "dailydialog")}
    words = page("reccon", "dailydialog", "reccon_emotion", "source", roots)
    shutil.rmtree(roots["dailydialog"] / "ijcnlp_dailydialog/test")
    assert main(words) == 2
    assert "has no sample of the split test" in capsys.readouterr().err
    assert main(["mtg_jamendo_no" if word == "theirs" else word for word in words]) == 2
    assert "there is no task called 'mtg_jamendo_no'" in capsys.readouterr().err
    assert main(["merr" if word == "theirs" else word for word in words]) == 2
    assert "merr has no test split" in capsys.readouterr().err


def test_json_is_one_object(
    page: Callable[..., list[str]], corpora: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = page("stranger", "base", "toy_3", "reader", {n: corpora[n] for n in ("stranger", "base")})
    assert main([*words, "--json"]) == 0
    tasks = {"theirs": {"corpus": "base", "split": "test", "shared": []}}
    assert json.loads(capsys.readouterr().out) == {"name": "mine", "clean": True, "tasks": tasks}


def test_json_says_what_is_shared_and_where(
    page: Callable[..., list[str]], corpora: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    builders = corpora["base"].parents[1] / "data_builders"
    for name, text in (("stranger", PARAPHRASED), ("base", TWEET)):
        code = (builders / f"{name}.py").read_text(encoding="utf-8")
        code = code.replace("words number {number}", f"{text} {{split}}{{number}}")
        (builders / f"{name}.py").write_text(code, encoding="utf-8")
    words = page("stranger", "base", "toy_3", "reader", {n: corpora[n] for n in ("stranger", "base")})
    assert main([*words, "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (shared,) = report["tasks"]["theirs"]["shared"]
    assert not report["clean"] and shared["kind"] == "near-duplicate text" and shared["count"] == 3
    assert shared["examples"][0]["train"]["source"].startswith("here.txt:")
    assert main([*words, "--threshold", "1"]) == 0


def test_the_copy_of_a_clip_is_told_unless_media_are_left_out(
    page: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = {
        name: toy_corpus(tmp_path, monkeypatch, name, media=f'(MediaRef(f"{name}{{split}}{{number}}.wav", "audio"),)')
        for name in ("here", "there")
    }
    (roots["here"] / "heretrain2.wav").write_bytes(b"the same sound")
    (roots["there"] / "theretest1.wav").write_bytes(b"the same sound")
    words = page("here", "there", "toy_3", "reader", roots)
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "1 copied clip of here (not related by their cards)" in out
    assert "here/heretrain2.wav = there/theretest1.wav" in out and "here/train2 (here.txt:2)" in out
    assert main([*words, "--no-media"]) == 0
    for scored in ("{tasks: [theirs]}", "{guard: {tasks: [theirs]}}"):
        with pytest.raises(Leakage):
            refuse_leaks(load_recipe("mine", [f"eval={scored}"]), roots)
    with pytest.raises(NotFound, match="theris"):  # before anything is trained
        refuse_leaks(load_recipe("mine", ["eval={guard: {tasks: [theris]}}"]), roots)


def test_a_clip_in_another_codec_is_told_with_thorough_alone(
    page: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFFECTLLM_CACHE", str(tmp_path / "cache"))
    roots = {
        name: toy_corpus(tmp_path, monkeypatch, name, media=f'(MediaRef(f"{name}{{split}}{{number}}.wav", "audio"),)')
        for name in ("here", "there")
    }
    soundfile.write(roots["there"] / "theretest1.wav", speech(1), 16_000)
    soundfile.write(roots["here"] / "heretrain2.wav", speech(1)[5_000:] * 0.2, 16_000, subtype="PCM_24")
    (roots["here"] / "heretrain3.wav").write_bytes(b"no sound")
    words = page("here", "there", "toy_3", "reader", roots)
    assert main(words) == 0
    capsys.readouterr()
    assert main([*words, "--thorough"]) == 1
    output = capsys.readouterr()
    assert "1 re-encoded clip of here (not related by their cards)" in output.out
    assert "here/heretrain2.wav = there/theretest1.wav, same sound, similarity" in output.out
    assert "clips that could not be compared by sound or picture: 1 unreadable" in output.err
    assert main([*words, "--thorough", "--json"]) == 1
    (shared,) = json.loads(capsys.readouterr().out)["tasks"]["theirs"]["shared"]
    (example,) = shared["examples"]
    assert example["sameness"] == "same sound" and example["scored"]["source"] == "here.txt:1"
    refuse_leaks(load_recipe("mine", ["eval={tasks: [theirs]}"]), roots)


def test_validation_data_count_as_training_data(corpora: dict[str, Path]) -> None:
    (read,) = training_samples(["base"], corpora).values()
    assert {one.split for one in read()} == {one.split for one in read()} == {"train", "validation"}


@pytest.mark.parametrize("threshold", ["0", "1.5", "nan"])
def test_a_threshold_outside_its_bounds_is_explained(
    page: Callable[..., list[str]], corpora: dict[str, Path], capsys: pytest.CaptureFixture[str], threshold: str
) -> None:
    words = page("stranger", "base", "toy_3", "reader", {n: corpora[n] for n in ("stranger", "base")})
    assert main([*words, "--threshold", threshold]) == 2
    assert "above 0 and at most 1" in capsys.readouterr().err


def test_the_tasks_of_the_recipe_are_compared_when_none_is_named(
    page: Callable[..., list[str]], corpora: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = page("stranger", "base", "toy_3", "reader", {n: corpora[n] for n in ("stranger", "base")})
    words.remove("theirs")
    assert main([*words, "--set", "eval={tasks: [theirs]}"]) == 0
    assert "theirs (base, test): nothing shared" in capsys.readouterr().out


def test_without_any_task_the_command_says_what_to_do(
    page: Callable[..., list[str]], corpora: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    page("stranger", "base", "toy_3", "reader", {})
    assert main(["leaks", "mine"]) == 2
    assert "affectllm leaks mine TASK" in capsys.readouterr().err


@pytest.mark.thorough
def test_a_mixture_is_compared_with_every_task_at_hand(
    page: Callable[..., list[str]],
    corpora: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page("stranger", "base", "toy_3", "reader", {})
    monkeypatch.setenv("AFFECTLLM_CORPORA", str(tmp_path / "roots"))
    mixed = tmp_path / "mixed.yaml"
    part = "{corpus: %s, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}"
    absent = "{corpus: isear, template: emotion_choice, space: isear_7, rater: writer, modalities: [text]}"
    mixed.write_text(f"missing: skip\nmixture:\n  - {part % 'child'}\n  - {absent}\n", encoding="utf-8")
    scored = tmp_path / "eval_tasks" / "base_task.yaml"
    scored.parent.mkdir(exist_ok=True)
    scored.write_text(TASK_PAGE, encoding="utf-8")
    status = main(["leaks", str(mixed)])
    output = capsys.readouterr()
    assert "not compared, since they are not there: isear" in output.err
    assert "base_task (base, test): nothing shared" in output.out and status == 0


TASK_PAGE = """\
task: base_task
class: !function affectllm.evaluate.task.AffectTask
corpus: base
split: test
template: emotion_choice
gold: {space: toy_3, rater: reader}
modalities: [text]
metrics: [uar]
metadata: {version: 1}
"""


@pytest.mark.skipif("AFFECTLLM_CORPORA" not in os.environ, reason="needs the real files")
def test_real_reccon_shares_words_with_real_dailydialog() -> None:
    roots = {name: Path(os.environ["AFFECTLLM_CORPORA"], name) for name in ("reccon", "dailydialog")}
    if not all(root.is_dir() for root in roots.values()):
        pytest.skip("reccon or dailydialog is not there")
    shared = shared_with_tasks(training_samples(["reccon"], roots), {"t": Selection("dailydialog", "test")}, roots)["t"]
    assert {one.path for one in shared} == {"reccon ← dailydialog"}
    assert {one.kind: one.count for one in shared}["text"] > 20
