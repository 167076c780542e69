"""Numbers, shares and turns out of answers as models write them: read as meant or not read, never read wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from affectllm.instruct import Template, Unreadable, load_template
from affectllm.labels import LabelSpace
from affectllm.labels.reading import read_number, read_numbers, read_span
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

TWO = LabelSpace("va", "dimension", ("valence", "arousal"), source="test", bounds=(1.0, 9.0))
FEELINGS = LabelSpace("feelings", "dimension", ("anger", "joy"), source="test", bounds=(0.0, 1.0))
VOTES = LabelSpace("votes", "distribution", ("anger", "joy"), source="test")
SET = LabelSpace("set", "set", ("joy", "anger"), source="test")
TURNS = LabelSpace("turns", "open", (), source="test")
PASSAGES = LabelSpace("passages", "spans", (), source="test")


def one(low: float, high: float) -> LabelSpace:
    return LabelSpace("valence", "dimension", ("valence",), source="test", bounds=(low, high))


def bound(name: str, space: LabelSpace, language: str = "en", **also: Any) -> Template:
    return load_template(name, space=space, rater="r", modalities=("text",), language=language, also=also)


def read(template: Template, text: str) -> Any:
    reading = template.read(text)
    assert not isinstance(reading, tuple)
    return reading.reason if isinstance(reading, Unreadable) else reading.value


@pytest.mark.parametrize(
    ("bounds", "text", "value"),
    [
        *[((-1, 1), text, -0.5) for text in ("–0.5", "‑0.5", "minus 0.5", "negative 0.5", "负0.5", "-0.5", "-50%")],
        *[
            ((-1, 1), "1/2", "ambiguous"),
            ((1, 5), "4/10", "ambiguous"),
            ((0, 10), "4/5", "ambiguous"),
            ((1, 5), "4/5", 4.0),
            ((1, 5), "4 out of 5", 4.0),
        ],
        *[((-3, 3), "not 3", "no_number"), ((0, 5), "2,5", 2.5), ((1, 9), "valence (1-9): 3", 3.0)],
        *[((0, 10), "1e999", "out_of_range"), ((0, 10), "between 3 and 4", "ambiguous")],
        *[((0, 1), f"0.{'3' * 60}", 1 / 3), ((0, 10), "9" * 60, "out_of_range")],
    ],
)
def test_one_number(bounds: tuple[float, float], text: str, value: object) -> None:
    reading = read(bound("dimension_scores", one(*bounds)), text)
    assert reading == (value if isinstance(value, str) else {"valence": value})


BOUNDS_AND_TERMS = (
    *(
        "more than 7",
        "less than 7",
        "at least 7",
        "up to 7",
        ">7",
        "≥7",
        "7+",
        "a 7 at most",
        "más de 7",
        "超过7",
        "7以上",
    ),
    *("4+4", "7 ± 1", "score: 3\nscore: 8", '{"score": [7,8]}'),
)
OTHER_COUNTS = (
    *(
        "Clip 3 is sad",
        "There are 3 people, so I can't say.",
        "a 4-year-old boy",
        "at 4 seconds",
        "I am 90% sure.",
        "8.5.3",
        "8²",
    ),
    *("isn't 4", "never 4", "I wouldn't say 4", "4 is too high", "no es 4", "不是4", "ليس 4"),
)


@pytest.mark.parametrize(
    ("text", "why"), [*((t, "ambiguous") for t in BOUNDS_AND_TERMS), *((t, "no_number") for t in OTHER_COUNTS)]
)
def test_bounds_sums_counts_and_denied_numbers_are_not_the_number(text: str, why: str) -> None:
    reading = read_number(text, 0, 100)
    assert isinstance(reading, Unreadable) and reading.reason == why


@pytest.mark.parametrize(
    "text", ["valence is negative: 0.5", "slightly negative, 0.3", "±0.5", "+/-0.5", "- 0.5", "0.5-", "负的 0.5"]
)
def test_a_sign_that_the_words_contradict_or_leave_open(text: str) -> None:
    reading = read_number(text, -1, 1)
    assert isinstance(reading, Unreadable) and reading.reason == "ambiguous"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *[
            ("On a 10-point scale, 8", 8),
            ("On a scale of 1 (low) to 10 (high), I'd say 8", 8),
            ("The 2 speakers argue, so 8", 8),
        ],
        *[
            ("8 (on a scale from 0 (none) to 10 (strong))", 8),
            ("8 points, for 2 reasons", 8),
            ("8 pts", 8),
            ("8です", 8),
        ],
    ],
)
def test_a_number_beside_its_scale_and_counts(text: str, number: float) -> None:
    assert read_number(text, 0, 10) == number


@pytest.mark.parametrize(
    "text",
    [
        "valence: 3 or 4, arousal: 5",
        "valence: 3 out of 5, arousal: 4 out of 5",
        "valence: 3 out of 12, arousal: 4 out of 12",
        "valence: 3%, arousal: 4%",
    ],
)
def test_numbers_of_another_scale_or_two_for_one_name(text: str) -> None:
    reading = read_numbers(text, TWO.names, 1, 9)
    assert isinstance(reading, Unreadable) and reading.reason == "ambiguous"


def test_numbers_of_the_scale_that_was_asked_for() -> None:
    assert read_numbers("valence: 3/9, arousal: 4 out of 9", TWO.names, 1, 9) == {"valence": 3, "arousal": 4}
    for text in ("valence: >3, arousal: 5", "valence: 3.5.1, arousal: 5"):
        assert isinstance(read_numbers(text, TWO.names, 1, 9), Unreadable)


def test_a_percentage_is_a_share_of_one_or_a_number_of_a_hundred() -> None:
    assert read_number("30%", 0, 0.5) == read_number("30%", 0, 1) == 0.3
    assert read_numbers("joy: 30%, anger: 20%", ["joy", "anger"], 0, 100) == {"joy": 30, "anger": 20}
    for text in ("joy: 30%, anger: 20%", "30% joy, 20% anger", '{"joy": "30%", "anger": "20%"}', '["30%", "20%"]'):
        assert read_numbers(text, ["joy", "anger"], 0, 1) == {"joy": 0.3, "anger": 0.2}, text


def test_the_end_of_a_short_word_is_no_span() -> None:
    assert read_span("an", "the man left") == Unreadable("not_in_source", "an")
    assert read_span("ma", "the man left") == Unreadable("not_in_source", "ma")
    assert read_span("man", "the man left") == "man"


def test_spans_that_are_denied_or_a_mere_letter() -> None:
    source = "I was so happy. Then my dog died."
    for text, why in (
        ('not "my dog died"', "ambiguous"),
        ('"my dog died" is not the cause', "ambiguous"),
        ("a", "not_in_source"),
    ):
        reading = read_span(text, source)
        assert isinstance(reading, Unreadable) and reading.reason == why
    assert read_span("- my dog died", source) == "my dog died"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[
            (text, (3.0, 4.0))
            for text in ("3 valence, 4 arousal", "Valence = 3; Arousal = 4", "- 3: valence\n- 4: arousal")
        ],
        *[(text, (3.0, 4.0)) for text in ("Valence (1-9): 3, Arousal (1-9): 4", '{"valence": 3, "arousal": 4}')],
        *[(text, "ambiguous") for text in ("valence: 3-4, arousal: 2", "valence: 1 to 9, arousal: 3")],
        *[("valence: three, arousal: 4", "incomplete"), ("valence: 3, arousal: 12", "out_of_range")],
    ],
)
def test_several_numbers(text: str, value: object) -> None:
    reading = read(bound("dimension_scores", TWO), text)
    assert reading == (value if isinstance(value, str) else dict(zip(TWO.names, value, strict=True)))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "ira: 0,5, alegría: 0,2"),
        ("ar", "غضب: ٠٫٥, فرح: ٠٫٢"),
        ("ja", "怒り: 0.5, 喜び: 0.2"),
        ("es", "anger: 0.5, joy: 0.2"),
    ],
)
def test_numbers_in_other_languages(language: str, text: str) -> None:
    assert read(bound("intensity_scores", FEELINGS, language), text) == {"anger": 0.5, "joy": 0.2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[
            (text, 0.6)
            for text in ("anger: 60%, joy: 40%", "60% anger, 40% joy", "anger: 3, joy: 2", "- 60%: anger\n- 40%: joy")
        ],
        *[
            (text, "incomplete")
            for text in ("anger: 40%", "anger: 150%", "anger: 60%, joy: 0.4", "anger: about 60%, joy: 40%")
        ],
        ("anger: 1e999, joy: 1", "out_of_range"),
    ],
)
def test_shares(text: str, value: object) -> None:
    reading = read(bound("emotion_shares", VOTES), text)
    assert reading == (value if isinstance(value, str) else {"anger": 0.6, "joy": 0.4})


@pytest.mark.parametrize(
    "text", ["none", "Answer: none", "Sure! none", "The answer is none.", '{"answer": "none"}', "- none"]
)
def test_nothing_is_read_after_what_leads_to_it(text: str) -> None:
    assert read(bound("emotion_set", SET), text) == ()


@pytest.mark.parametrize("text", ["none but joy", "Answer: joy, none of the others"])
def test_nothing_within_an_answer_is_not_the_answer(text: str) -> None:
    assert read(bound("emotion_set", SET), text) == ("joy",)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("Turns 1 and 3", "1, 3"), ("３", "3"), ("Answer: 2, background.", "2, background"), ("[1, 2]", "1, 2")],
        *[
            (text, "ambiguous")
            for text in ("turn 3 (of 10)", "1-3", "2, because he paid 100 dollars", "not background", "12345")
        ],
        ("I cannot tell", "ambiguous"),
    ],
)
def test_turns(text: str, value: str) -> None:
    reading = read(bound("cause_turns", PASSAGES, emotion=(EKMAN_6_NEUTRAL, "r")), text)
    assert (reading if isinstance(reading, str) else ", ".join(str(passage["turn"]) for passage in reading)) == value


def test_a_reply_is_read_without_the_thoughts_before_it() -> None:
    assert read(bound("empathetic_reply", TURNS), "<think>How sad.</think>\nI am sorry.") == "I am sorry."


@pytest.mark.parametrize("digits", [400, 5_000])
@pytest.mark.parametrize("reply", ['{{"valence": {}, "arousal": 2}}', "[{}, 2]", "valence: {}, arousal: 2", "{} 2"])
def test_a_number_beyond_all_floats_is_none(reply: str, digits: int) -> None:
    huge = "1" + "0" * digits
    assert isinstance(read_numbers(reply.format(huge), TWO.names, 1.0, 9.0), Unreadable)
    assert isinstance(read_number(huge, 1.0, 9.0), Unreadable)
    assert isinstance(read_number(int("1" + "0" * 400), 1.0, 9.0), Unreadable)
