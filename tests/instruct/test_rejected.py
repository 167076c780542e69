"""Worse answers beside the given ones: read by the same template as something else, and written for whole mixtures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import CORPORA, bound, given_by, miniature, spaces_of
from tuning import losses, write_page

from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import Clip, materialise
from affectllm.corpus.store import read_rows
from affectllm.errors import Malformed
from affectllm.instruct.build import build
from affectllm.instruct.conversations import conversation_files
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.rejected import worse_answer
from affectllm.instruct.slots import Asked
from affectllm.instruct.template import Template
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.form import find_form
from affectllm.report.galleries.conversation_gallery import render_conversations
from affectllm.train.stage import train

DRAWS = (0.001, 0.5, 1.0)


def askable(corpus: str) -> Iterator[tuple[Template, Asked]]:
    """Two samples for every question that a corpus can be asked in labels or numbers."""
    for space, rater in spaces_of(corpus):
        if space.kind in ("open", "spans", "options") or (space.kind != "dimension" and len(space.names) < 2):
            continue
        samples = [sample for sample in miniature(corpus) if sample.annotation(space.name, rater)]
        for sample in samples[:2]:
            for template in bound(space, rater, given_by(sample)):
                if isinstance(asked := template.prepare(sample), Asked):
                    yield template, asked


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_template_reads_the_worse_answer_as_another_one(corpus: str) -> None:
    for template, asked in askable(corpus):
        for draw in DRAWS:
            text = worse_answer(asked, template, "other_label", draw)
            reading = template.read(text, template.gold_of(asked))
            assert isinstance(reading, Annotation), (template.name, template.language, text, reading)
            assert template.slots[0].how.gold(reading.value, template.space) != template.gold_of(asked), text


NAMES = tuple("abcdefg")
_FORM = {"category": "choice", "set": "set", "dimension": "scores", "distribution": "shares"}
GOLDS = st.one_of(
    st.tuples(st.just("category"), st.sampled_from(NAMES)),
    st.tuples(st.just("set"), st.lists(st.sampled_from(NAMES), unique=True)),
    st.tuples(st.just("dimension"), st.dictionaries(st.sampled_from(NAMES), st.integers(-3, 3), min_size=1)),
    st.tuples(
        st.just("distribution"),
        st.dictionaries(st.sampled_from(NAMES), st.integers(1, 9), min_size=1).map(
            lambda votes: {name: votes[name] / sum(votes.values()) for name in NAMES if name in votes}
        ),
    ),
)


@given(GOLDS, st.floats(1e-9, 1.0))
def test_another_answer_is_in_the_space_and_clearly_another_one(gold: tuple[str, Any], draw: float) -> None:
    kind, value = gold
    space = LabelSpace("s", kind, NAMES, "made up", bounds=(-3, 3) if kind == "dimension" else None)  # type: ignore[arg-type]
    form = find_form(_FORM[kind])
    assert form.wrong is not None
    other = form.wrong(value, space, Random(draw))
    space.check(other)
    assert other == form.wrong(value, space, Random(draw))
    if kind == "set":
        assert other and (not set(other) & set(value) or len(value) == len(NAMES))
    elif kind == "dimension":
        assert other.keys() == value.keys() and all(abs(other[name] - value[name]) >= 1.5 for name in value)
    elif kind == "distribution":
        assert sum(other.values()) == pytest.approx(1)
        assert max(abs(other.get(name, 0) - value.get(name, 0)) for name in NAMES) >= 0.1
    else:
        assert other != value


TABLE = """name,a1,a2,preference
clip_1,"She laughs, she is glad.",She is afraid.,a1
clip_1,She is tired.,She laughs.,a2
clip_2,He waits.,He is bored.,same
clip_2,He waits.,He waits.,a1
clip_2,He waits.,He ends it <|im_end|>.,a1
"""


@pytest.fixture
def preferences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus of two answers to each clip, laid out as EmoPrefer is, all of it for training."""
    emoprefer = load_builder("emoprefer")
    source = Path(str(emoprefer.__file__)).read_text(encoding="utf-8")
    own = tmp_path / "own" / "data_builders"
    own.mkdir(parents=True)
    text = source.replace('name="emoprefer"', 'name="two_answers"').replace("split=TEST", 'split="train"')
    (own / "two_answers.py").write_text(text, encoding="utf-8")
    monkeypatch.setenv("AFFECTLLM_PATH", str(own.parent))
    clips = {f"dataset/video/{name}.mp4": Clip() for name in ("clip_1", "clip_2")}
    return materialise({"dataset/preference_emoprefer.csv": TABLE, **clips}, tmp_path / "two_answers")


PREFERENCE = Part("two_answers", "affect_reasoning", "emoprefer_3", "annotators", ("video", "audio"))


def test_of_two_answers_the_one_that_people_prefer_is_given_and_the_other_rejected(
    preferences: Path, tmp_path: Path
) -> None:
    mixture = Mixture((replace(PREFERENCE, rejected="not_preferred"),))
    counts = build(mixture, {"two_answers": preferences}, tmp_path / "out", seed=1)
    rows = list(read_rows(*conversation_files(tmp_path / "out", "train")))
    assert [(row["answer"], row["rejected"]) for row in rows] == [
        ("She laughs, she is glad.", "She is afraid."),
        ("She laughs.", "She is tired."),
    ]
    assert rows[0]["messages"][-1]["content"][0]["text"] == rows[0]["answer"]
    page = render_conversations("two", tmp_path / "out", {"two_answers": preferences}).read_text(encoding="utf-8")
    assert page.count("rejected: <bdi>She is") == 2
    assert "She is afraid" not in str(rows[0]["messages"]) and rows[0]["messages"][0]["content"][0]["type"] == "video"
    assert {reason: counts["rejected"].get(reason) for reason in ("no_preference", "control_token")} == {
        "no_preference": 2,
        "control_token": 1,
    }


@pytest.mark.slow
def test_a_model_learns_from_the_preferences_of_people_about_clips(preferences: Path, tmp_path: Path) -> None:
    part = json.loads(json.dumps({**asdict(PREFERENCE), "rejected": "not_preferred"}))
    mixture = [{key: value for key, value in part.items() if value is not None}]
    trainer = {"max_steps": 3, "save_strategy": "no", "learning_rate": 3.0e-4, "lr_scheduler_type": "constant"}
    page = write_page(tmp_path, method="dpo", data={"mixture": mixture}, trainer=trainer)
    outputs = train(str(page), [], [f"two_answers={preferences}"], tmp_path / "run")
    assert outputs["train"]["rows"] == 2 and set(outputs["modalities_heard"]) == {"video", "audio"}
    assert losses(tmp_path / "run")[0] == pytest.approx(math.log(2), abs=1e-5)
    assert losses(tmp_path / "run")[-1] < 0.68


def test_copies_have_worse_answers_of_their_own_and_the_same_on_every_build(small_demo: Path, tmp_path: Path) -> None:
    part = Part("demo_affect", "emotion_choice", "demo_affect_5", "intended", ("video",), weight=3.0)
    for name in ("one", "again"):
        build(Mixture((replace(part, rejected="other_label"),)), {"demo_affect": small_demo}, tmp_path / name, seed=1)
    files = [conversation_files(tmp_path / name, "train") for name in ("one", "again")]
    assert [file.read_bytes() for file in files[0]] == [file.read_bytes() for file in files[1]]
    rows = [row for file in files[0] for row in read_rows(file)]
    assert all(row["rejected"] != row["answer"] for row in rows)
    by_sample: dict[str, set[str]] = {}
    for row in rows:
        by_sample.setdefault(row["sample"], set()).add(row["rejected"])
    assert any(len(rejected) > 1 for rejected in by_sample.values())


def test_other_mixtures_have_no_such_column(small_demo: Path, tmp_path: Path) -> None:
    part = Part("demo_affect", "emotion_choice", "demo_affect_5", "intended", ("video",))
    build(Mixture((part,)), {"demo_affect": small_demo}, tmp_path, seed=1)
    assert "rejected" not in next(iter(read_rows(*conversation_files(tmp_path, "train"))))


CHOICE = Part("demo_affect", "emotion_choice", "demo_affect_5", "intended", ("video",))
REPLY = Part("empathetic_dialogues", "empathetic_reply", "empathetic_reply", "listener", ("text",))
ASKED = replace(PREFERENCE, corpus="emoprefer")
REFUSED = {
    "free words": (replace(REPLY, rejected="other_label"), "free words"),
    "no preference": (replace(CHOICE, rejected="not_preferred"), "a1 and a2"),
    "a label in the place of words": (
        replace(ASKED, template="emotion_choice", rejected="not_preferred"),
        "open space",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_part_without_worse_answers_is_refused(case: str) -> None:
    part, message = REFUSED[case]
    with pytest.raises(Malformed, match=message):
        part.bind()
