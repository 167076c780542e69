"""What is trained on must not be scored on: by sample, clip, dialogue, speaker and words, along the family tree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from toy_corpus import toy_corpus

from affectllm.cli import main
from affectllm.corpus import MediaRef, Sample
from affectllm.corpus.leaks.leakage import family, refuse_leakage
from affectllm.errors import Leakage

LONG = "these are certainly more than six words in a row"


@pytest.fixture(autouse=True)
def corpora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``child`` and ``sibling`` are built from ``base``, ``grandchild`` from ``child``; ``stranger`` from nothing."""
    parents_of = {"base": (), "child": ("base",), "sibling": ("base",), "grandchild": ("child",), "stranger": ()}
    for name, parents in parents_of.items():
        toy_corpus(tmp_path, monkeypatch, name, parents=parents, disjoint=name != "stranger")


def sample(corpus: str, number: str, **fields: object) -> Sample:
    return replace(Sample(number, corpus, "train", (), f"f:{number}"), **fields)  # type: ignore[arg-type]


def check(train: Sample, test: Sample) -> None:
    refuse_leakage({train.corpus: [train]}, {test.corpus: [test]}, recipe="my_recipe", task="my_task")


CLIP = MediaRef("clips/7.mp4", "video")
SHARED = [
    ({}, {}, "base", "base", "sample", "base/same"),
    ({"media": (CLIP,)}, {"media": (CLIP,)}, "base", "base", "clip", "base/clips/7.mp4"),
    ({"dialogue": "d3"}, {"dialogue": "d3"}, "base", "base", "dialogue", "base/d3"),
    ({"speaker": "anna"}, {"speaker": "anna"}, "base", "base", "speaker", "base/anna"),
    ({"text": LONG}, {"text": LONG.title()}, "child", "base", "text", LONG),
    ({"text": LONG}, {"text": LONG}, "base", "child", "text", LONG),
    ({"text": LONG}, {"text": f" {LONG}\n"}, "child", "sibling", "text", LONG),
    ({"text": LONG}, {"text": LONG}, "grandchild", "base", "text", LONG),
]


@pytest.mark.parametrize(
    ("left", "right", "trained", "scored", "kind", "named"), SHARED, ids=[f"{s[4]} {s[2]}-{s[3]}" for s in SHARED]
)
def test_what_is_shared_is_refused_and_named(left, right, trained, scored, kind, named) -> None:
    numbers = ("same", "same") if kind == "sample" else ("1", "2")
    with pytest.raises(Leakage) as caught:
        check(sample(trained, numbers[0], **left), sample(scored, numbers[1], **right))
    message = str(caught.value)
    assert f"{kind}s {named}" in message and "my_recipe" in message and "my_task" in message


PASSING = [
    ({"media": (CLIP,)}, {"media": (MediaRef("clips/8.mp4", "video"),)}, "base", "base"),
    ({"media": (replace(CLIP, end=2.0),)}, {"media": (replace(CLIP, start=2.0),)}, "base", "base"),
    ({"dialogue": "d3"}, {"dialogue": "d4"}, "base", "base"),
    ({"speaker": "anna"}, {"speaker": "anna"}, "stranger", "stranger"),
    ({"text": "Yeah."}, {"text": "Yeah."}, "child", "base"),
    ({"text": LONG}, {"text": LONG}, "stranger", "base"),
    ({"text": LONG}, {"text": LONG + " too"}, "child", "base"),
    ({"dialogue": "d3", "speaker": "anna"}, {"dialogue": "d3", "speaker": "anna"}, "stranger", "base"),
    # The sentences of an acted corpus are the same in all splits.
    ({"text": LONG}, {"text": LONG}, "base", "base"),
]


@pytest.mark.parametrize(("left", "right", "trained", "scored"), PASSING)
def test_what_is_not_shared_passes(left, right, trained, scored) -> None:
    check(sample(trained, "1", **left), sample(scored, "2", **right))


def test_many_shared_items_are_named_a_few_and_counted() -> None:
    same = [sample("base", str(number)) for number in range(20)]
    with pytest.raises(Leakage, match="and 15 more"):
        refuse_leakage({"base": same}, {"base": same}, recipe="r", task="t")


def test_the_family_is_everything_a_corpus_is_built_from() -> None:
    assert family("grandchild") == {"grandchild", "child", "base"}
    assert family("nobody_has_this") == {"nobody_has_this"}


def test_training_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recipe × task whose splits share speakers, though the card promises that they do not."""
    toy_corpus(tmp_path, monkeypatch, "careless", media='(MediaRef(f"clips/{number}.wav", "audio"),)')
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "leaky.yaml").write_text("""
description: Trains and scores the same clips.
data:
  mixture:
    - {corpus: careless, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}
model: {path: tiny:qwen2, backbone: qwen2}
trainer: {max_steps: 1}
eval: {tasks: [careless_emotion]}
""")
    (tmp_path / "eval_tasks").mkdir()
    (tmp_path / "eval_tasks" / "careless_emotion.yaml").write_text("""
task: careless_emotion
class: !function affectllm.evaluate.task.AffectTask
corpus: careless
split: test
template: emotion_choice
gold: {space: toy_3, rater: reader}
modalities: [text]
metrics: [uar]
metadata: {version: 1}
""")
    words = ["train", "leaky", "--root", f"careless={tmp_path / 'roots' / 'careless'}", "--out", str(tmp_path / "run")]
    assert main(words) == 2
    stderr = capsys.readouterr().err
    assert "leaky" in stderr and "careless_emotion" in stderr and "clips careless/clips/0.wav" in stderr
    assert not (tmp_path / "run").exists()
