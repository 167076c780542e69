"""Replies in ordinary wording: denials of several labels at once, what only would have been, options beside names."""

import pytest

from affectllm.labels.reading import Unreadable, read_judgement, read_label, read_labels, read_number, space_of
from affectllm.labels.space import LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
EMOTION, OPTION = space_of(EMOTIONS), space_of(("A", "B", "C", "D"))
SENTIMENT = space_of(("strongly negative", "negative", "neutral", "positive", "strongly positive"))
SET = LabelSpace("eleven", "set", ("anger", "joy", "sadness"), "a test", aliases("anger", "joy", "sadness"))


@pytest.mark.parametrize(
    "reply",
    [
        *("Joy and anger are absent.", "Joy or surprise do not fit.", "Joy as well as anger is unlikely."),
        *("Joy, fear and anger can be ruled out.", "Joy/anger: no", "Joy und Anger fehlen.", "高兴和愤怒都不成立"),
    ],
)
def test_a_denial_after_several_labels_denies_them_all(reply: str) -> None:
    assert isinstance(read_label(reply, EMOTION), Unreadable)


def test_a_comma_leads_to_no_denial_and_a_new_statement_is_read() -> None:
    assert read_label("joy, anger is absent", EMOTION) == "joy"
    assert read_label("joy is absent and anger is present", EMOTION) == "anger"


@pytest.mark.parametrize(
    "reply",
    [
        *(
            "He used to be happy.",
            "Were he angry, he would shout.",
            "The speaker stopped being angry.",
            "I would have said joy, had she smiled.",
        ),
        *("He tries to be happy but fails.", "One would expect joy here.", "everything but joy", "≠ joy"),
        *("He says he is happy, which is a lie.", "The label 'joy' does not apply.", "joy seems out of place"),
        *("Anger does not describe this.", "Anger isn't it.", "joy at 0 percent", "less than happy"),
        *("I hope you're happy with this answer.", "Have a happy day!", "I was asked about joy."),
        *("joy fehlt", "Mangel an joy", "manque de joy", "assenza di joy", "joy は感じられません"),
        *("缺少高兴", "高兴不起来", "与高兴无关", "高兴为零", "若她高兴，会笑。", "要是高兴就好了", "哪里高兴了"),
    ],
)
def test_what_is_not_the_case_is_no_label(reply: str) -> None:
    assert isinstance(read_label(reply, EMOTION), Unreadable)


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("He used to be happy; now he is sad.", "sadness"),
        ("She tries to hold back her sadness.", "sadness"),
        ("难以掩饰的悲伤", "sadness"),
        ("与其说是愤怒，不如说是悲伤。", "sadness"),
        ("joy\nCorrection: sadness", "sadness"),
        ("The transcript reads: 'I'm angry.' Emotion: neutral", "neutral"),
        ("The emotion is not 'joy' but 'sadness'.", "sadness"),
    ],
)
def test_what_stands_against_it_is_read(reply: str, right: str) -> None:
    assert read_label(reply, EMOTION) == right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("Among the options, A seems the most fitting.", "A"),
        ("A -", "A"),
        ("A: wrong\nB: wrong\nC: right\nD: wrong", "C"),
        ("答案：A、愤怒", "A"),
        ("Speaker A shouts at speaker B, so the answer is C.", "C"),
        ("Among A (joy), B (anger) and C (sadness), the best is B.", "B"),
    ],
)
def test_options_in_ordinary_wording(reply: str, right: str) -> None:
    assert read_label(reply, OPTION) == right


@pytest.mark.parametrize(
    "reply", ["Plan B failed, so he is angry.", "Vitamin C", "Speaker B is angry.", "说话人B很生气"]
)
def test_a_letter_that_tells_persons_or_things_apart_is_no_option(reply: str) -> None:
    assert isinstance(read_label(reply, OPTION), Unreadable)


def test_degrees_are_read_as_adjectives_too() -> None:
    assert read_label("strong negative", SENTIMENT) == "strongly negative"


@pytest.mark.parametrize(
    "reply",
    ["The tweet is neutral.", "The emotion is neutral", "It is neutral or contains no emotion.",
     "This tweet does not express any of the listed emotions."],
)  # fmt: skip
def test_sentences_that_say_that_no_label_applies_are_the_empty_set(reply: str) -> None:
    assert read_labels(reply, SET) == ()


@pytest.mark.parametrize(("reply", "right"), [("The answer is yes.", True), ("The answer is no", False)])
def test_an_answer_may_be_called_one(reply: str, right: bool) -> None:
    assert read_judgement(reply) is right


def test_the_ends_of_a_scale_are_no_numbers() -> None:
    assert read_number("It's a 7 on the 1-9 scale.", 1, 9) == 7
    assert read_number("4 (out of 5)", 1, 5) == 4
