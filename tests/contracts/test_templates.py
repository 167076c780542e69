"""The template that asks is the one that reads: for every wording, paraphrase, label space and shipped corpus."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shipped import CORPORA, bound, given_by, miniature, spaces_of

from affectllm.corpus import MediaRef, Sample, Turn
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed, NotFound
from affectllm.instruct import Template, Unreadable, load_template
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.language import asking, languages
from affectllm.labels.names import named
from affectllm.labels.reading import nothing_words
from affectllm.labels.reading.words import vocabulary
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, SPACES

FITS = {
    "category": {"choice", "description"},
    "set": {"set", "description"},
    "dimension": {"scores", "classes"},
    "distribution": {"shares", "ranking"},
    "open": {"reply", "open_set"},
    "pairs": set(),
    "spans": set(),  # wordings for them also tell the emotion; the forms have a law of their own
    "options": {"options"},
}
_PLAIN = ("the", "person", "looks", "quite", "as", "if", "nothing", "had", "happened")
ALL = {space.name: space for name in CORPORA for space in load_builder(name).CARD.spaces}
SHIPPED = [*ALL.values(), *SPACES]
NAMED = [space for space in SHIPPED if space.kind in ("category", "set")]


def assert_the_law(template: Template, sample: Sample) -> None:
    annotation = sample.annotation(template.space.name, template.rater)
    reading = template.read(template.answer(sample), template.gold(sample))
    assert isinstance(reading, Annotation), (template.name, template.language, reading)
    assert annotation is not None
    assert (reading.space, reading.rater) == (annotation.space, annotation.rater)
    assert_same(reading.value, annotation.value, template)


def assert_same(read: Any, own: Any, template: Template) -> None:
    """Equal; numbers to three decimals, distributions to a percent, free words but for the blanks around them."""
    if template.space.kind == "dimension":
        assert set(read) == set(own) and all(abs(read[name] - own[name]) <= 0.0005 + 1e-9 for name in own)
    elif template.form in ("ranking", "turns"):
        assert template.slots[0].how.gold(read, template.space) == template.slots[0].how.gold(own, template.space)
    elif template.form == "label_scores":
        assert {name for name, score in read.items() if score == 1.0} == set(own)
    elif template.form == "options":
        assert set(read["options"]) == set(own["options"])
        assert (
            sorted(read["right"]) == sorted(own["right"]) if template.space.several else read["right"] == own["right"]
        )
    elif template.space.kind == "distribution":
        total = sum(own.values())
        assert all(abs(read.get(name, 0) - own.get(name, 0) / total) < 0.01 for name in {*read, *own})
    elif template.form == "description" and not isinstance(own, str):  # ties have no order among each other
        assert set([read] if isinstance(read, str) else read) == set(own)
    else:
        assert read == (own.strip() if template.space.kind == "open" else own)


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_law_holds_on_every_miniature(corpus: str) -> None:
    checked = 0
    for space, rater in spaces_of(corpus):
        for sample in miniature(corpus):
            for template in bound(space, rater, given_by(sample)):
                if template.reject(sample) is None:
                    assert_the_law(template, sample)
                    checked += 1
    assert checked or not any(map(given_by, miniature(corpus)))


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_paraphrase_asks_completely(corpus: str) -> None:
    for space, rater in spaces_of(corpus):
        for sample in miniature(corpus):
            for template in bound(space, rater, given_by(sample)):
                if template.reject(sample) is None:
                    for number in range(len(template.questions)):
                        assert_asked(template, sample, number)


def assert_asked(template: Template, sample: Sample, number: int) -> None:
    (message,) = template.ask(sample, number)
    assert message["role"] == "user"
    *media, text = message["content"]
    assert text["type"] == "text" and all(part["type"] != "text" for part in media)
    question = template.questions[number]
    assert not re.search(r"\{(labels|stimulus|words|turns|answer|dimensions|low|high|scale|shape)\}", text["text"])
    words = named(template.space.names, template.language)
    if "{labels}" in question:
        assert asking(template.language).listed(words.values()) in text["text"]
    if "{dimensions}" in question:
        assert all(words[name] in text["text"] for name in template.gold(sample))
    if "text" in template.modalities:
        assert sample.text in text["text"] and all(turn.text in text["text"] for turn in sample.context)
    for part in media:
        assert part["corpus"] == sample.corpus and None not in part.values()
    assert json.loads(json.dumps(message)) == message


def sample(value: object, space: LabelSpace, **fields: object) -> Sample:
    made = Sample("s1", "c", "train", (Annotation(space.name, "r", value),), "f:1", text="Words.")  # type: ignore[arg-type]
    return replace(made, **fields)  # type: ignore[arg-type]


def values(space: LabelSpace) -> st.SearchStrategy[object]:
    names = st.sampled_from(space.names) if space.names else st.nothing()
    several = st.lists(names, unique=True, max_size=6).map(lambda chosen: in_order(space, chosen))
    if space.kind == "set":
        return several
    if space.kind == "open":
        return words()
    if space.kind == "spans":
        turn = st.just("background") | st.integers(1, 1)  # the sample has one turn
        return st.lists(st.fixed_dictionaries({"turn": turn, "span": words()}), min_size=1, max_size=3).map(tuple)
    if space.kind == "pairs":  # of the one turn that the sample has
        pair = {"turn": st.just(1), "emotion": names, "cause": st.just(1), "span": words()}
        return st.lists(st.fixed_dictionaries(pair), max_size=3).map(tuple)
    if space.kind == "options":
        options = st.lists(words(), min_size=2, max_size=6, unique=True).map(tuple)
        return st.builds(
            lambda offered, right: {"options": offered, "right": (right.choice(offered),)}, options, st.randoms()
        )
    if space.kind == "distribution":
        return st.dictionaries(names, st.integers(1, 50) | st.floats(0.01, 1.0), min_size=1)
    if space.bounds:
        low, high = space.bounds
        numbers = st.floats(low, high) | st.integers(math.ceil(low), math.floor(high)).map(float)
        return st.dictionaries(names, numbers, min_size=1, max_size=6)
    return names | several.filter(lambda chosen: len(chosen) > 1)


def words() -> st.SearchStrategy[str]:
    return st.text(min_size=1).map(str.strip).filter(bool)


def in_order(space: LabelSpace, chosen: list[str]) -> tuple[str, ...]:
    return tuple(name for name in space.names if name in chosen)


@pytest.mark.parametrize("space", SHIPPED, ids=lambda space: space.name)
@given(data=st.data())
def test_the_law_holds_for_every_answer_of_every_space(space: LabelSpace, data: st.DataObject) -> None:
    asked = sample(data.draw(values(space)), space)
    templates = list(bound(space, "r", ("text",)))
    assert {template.form for template in templates} >= FITS[space.kind]
    for template in templates:
        if template.reject(asked) is None:
            assert_the_law(template, asked)


@pytest.mark.parametrize("space", NAMED, ids=lambda space: space.name)
@given(data=st.data())
def test_case_punctuation_blanks_and_tags_change_nothing(space: LabelSpace, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(space.names))
    word = data.draw(st.sampled_from([name, name.upper(), name.title()]))
    shape = data.draw(
        st.sampled_from(
            [
                "{}",
                " {}.",
                "**{}**",
                '"{}"',
                "{}\n",
                "Answer: {}!",
                "<answer>{}</answer>",
                "I first thought of it. <ANSWER> {} </ANSWER>",
                "The person feels {}.",
            ]
        )
    )
    for template in bound(space, "r", ("text",)):
        if template.form in ("choice", "set", "description"):
            reading = template.read(shape.format(word))
            assert isinstance(reading, Annotation)
            assert reading.value in (name, (name,))


@pytest.mark.parametrize("space", NAMED, ids=lambda space: space.name)
@given(text=st.text() | st.lists(st.sampled_from(_PLAIN)).map(" ".join))
def test_what_names_no_label_is_unreadable_and_never_a_fallback(space: LabelSpace, text: str) -> None:
    known = [language for language in languages().values() if language.names]
    local = (word.lower() for one in known for name in one.names for word in (one.names[name], *one.forms_of(name)))
    words = (*vocabulary(space), *nothing_words(), *local, "ningun", "[")
    names_label = any(word in unicodedata.normalize("NFKC", text).lower() for word in words)
    for template in bound(space, "r", ("text",)):
        if template.form not in ("choice", "set", "description"):
            continue
        reading = template.read(text)
        assert names_label or (isinstance(reading, Unreadable) and reading.reason in ("empty", "no_label"))
        assert not isinstance(reading, Unreadable) or reading.text == text


CHOICE = load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="r", modalities=("text",))
SEVERAL = next(t for t in bound(ALL["goemotions_28"], "r", ("text",)) if t.form == "set")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("She is not angry but sad.", "sadness"),
        ("Not anger, sadness.", "sadness"),
        ("I don't think it's anger. It is fear.", "fear"),
        ("I don’t think he's really angry; he is afraid", "fear"),
        ("No doubt this is disgust.", "disgust"),
        ("It is neither fear nor anger, it is surprise.", "surprise"),
        ("no emotion", "neutral"),
        ("He was mad, angry, in one word: anger", "anger"),
        ("<answer>joy</answer> although fear was there", "happiness"),
    ],
)
def test_a_denied_label_is_not_the_answer(text: str, value: str) -> None:
    assert CHOICE.read(text) == Annotation(EKMAN_6_NEUTRAL.name, "r", value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" .\n", "empty"),
        ("<answer></answer>", "empty"),
        ("She is not angry.", "no_label"),
        ("It isn't fear", "no_label"),
        ("I don't think it's anger", "no_label"),
        ("It is not that he is sad", "no_label"),
        ("I cannot tell.", "no_label"),
        ("disgusting unfearful angering", "no_label"),
        ("anger or fear", "ambiguous"),
        ("anger, disgust, fear, happiness, sadness, surprise, neutral", "ambiguous"),
    ],
)
def test_no_single_answer_is_unreadable_with_its_reason(text: str, reason: str) -> None:
    assert CHOICE.read(text) == Unreadable(reason, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None.", ()),
        ("none of these", ()),
        ("joy and love, but no anger", ("joy", "love")),
        ("LOVE; Joy", ("joy", "love")),
        ("neutral", ("neutral",)),
        ("I see grief/remorse", ("grief", "remorse")),
    ],
)
def test_sets_are_read_in_the_order_of_the_space(text: str, value: tuple[str, ...]) -> None:
    assert SEVERAL.read(text) == Annotation("goemotions_28", "r", value)


def test_ties_and_absent_answers_are_rejected_with_their_reason() -> None:
    space = EKMAN_6_NEUTRAL
    assert CHOICE.reject(sample("anger", space)) is None
    assert CHOICE.reject(sample(("anger", "fear"), space)) == "tie"
    assert CHOICE.reject(sample("anger", space, annotations=())) == "no_annotation"
    assert (
        CHOICE.reject(sample("anger", space, annotations=(Annotation(space.name, "another", "fear"),)))
        == "no_annotation"
    )
    assert CHOICE.reject(sample("anger", space, text=None)) == "no_text"
    heard = load_template("emotion_choice", space=space, rater="r", modalities=("audio",))
    assert heard.reject(sample("anger", space)) == "no_audio"
    with pytest.raises(Malformed, match="no_annotation"):
        CHOICE.gold(sample("anger", space, annotations=()))


def parts(modalities: tuple[str, ...], *media: MediaRef) -> list[dict[str, object]]:
    template = load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="r", modalities=modalities)
    return template.ask(sample("anger", EKMAN_6_NEUTRAL, media=media), 0)[0]["content"][:-1]


def test_modalities_decide_which_parts_of_a_clip_are_given() -> None:
    clip, voice = MediaRef("a.mp4", "video", sound=True, end=2.0), MediaRef("a.wav", "audio")
    at = {"corpus": "c", "path": "a.mp4", "end": 2.0}
    assert parts(("video", "audio"), clip) == [{"type": "video", "sound": True, **at}]
    assert parts(("video",), clip) == [{"type": "video", **at}]
    assert parts(("audio",), clip) == [{"type": "audio", **at}]
    assert parts(("audio",), clip, voice) == [{"type": "audio", "corpus": "c", "path": "a.wav"}]
    assert parts(("text",), clip, voice) == []
    mute = replace(clip, sound=False)
    assert [part["type"] for part in parts(("video", "audio"), mute, voice)] == ["video", "audio"]


def test_context_and_speaker_are_told_in_order_and_only_when_words_are_given() -> None:
    context = (Turn("Ross", "You are early."), Turn("Rachel", "Am I?"))
    asked = sample("anger", EKMAN_6_NEUTRAL, context=context, speaker="Ross", media=(MediaRef("a.wav", "audio"),))
    said = CHOICE.ask(asked)[0]["content"][-1]["text"]
    assert "Speaker A: You are early.\nSpeaker B: Am I?" in said and "Speaker A: Words." in said
    heard = load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="r", modalities=("audio",))
    assert "Ross" not in said and "Rachel" not in said, "names may give the answer away"
    assert "early" not in heard.ask(asked)[0]["content"][-1]["text"]


def test_the_paraphrase_is_the_same_on_every_build_and_differs_between_samples() -> None:
    many = [sample("anger", EKMAN_6_NEUTRAL, id=str(number)) for number in range(200)]
    chosen = [CHOICE.paraphrase(one) for one in many]
    assert chosen == [CHOICE.paraphrase(one) for one in many]
    assert set(chosen) == set(range(len(CHOICE.questions)))


def test_braces_in_the_words_of_a_corpus_are_words() -> None:
    asked = sample("anger", EKMAN_6_NEUTRAL, text="{labels} {0} {} %s")
    assert "{labels} {0} {} %s" in CHOICE.ask(asked, 0)[0]["content"][-1]["text"]


def test_a_template_that_does_not_fit_and_one_that_is_not_there_are_explained() -> None:
    with pytest.raises(Malformed, match="is a set space"):
        load_template("emotion_choice", space=ALL["goemotions_28"], rater="r", modalities=("text",))
    with pytest.raises(Malformed, match="smell"):
        load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="r", modalities=("smell",))
    with pytest.raises(NotFound) as caught:
        load_template("emotion_choise", space=EKMAN_6_NEUTRAL, rater="r", modalities=("text",))
    assert "emotion_choice" in caught.value.do
