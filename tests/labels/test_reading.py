"""Reading answers in English: what is stated is read, and nothing else; long and broken answers too."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.labels import LabelSpace
from affectllm.labels.reading import (
    Unreadable,
    mentioned_emotions,
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_numbers,
    read_open_labels,
    read_preference,
    read_span,
    space_of,
)
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE

NAMES = st.sampled_from(SPACE.names)


def reason(reading: object) -> str | None:
    return reading.reason if isinstance(reading, Unreadable) else None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Anger", "anger"),
        ("ANGRY!", "anger"),
        ("<think>She may be sad, or angry.</think> <answer>fear</answer>", "fear"),
        ("sad, says the prompt's opened reasoning</think>anger", "anger"),
        ("<answer>sad</answer> no: <answer>angry</answer>", "anger"),
        ("<answer>angry", "anger"),
        ('{"reason": "he looked sad", "emotion": "angry"}', "anger"),
        ('First I looked.\n```json\n{"emotion": ["Angry"]}\n```', "anger"),
        ("{'emotion': 'angry'}", "anger"),
        ("{'reason': 'she looked sad', 'emotion': 'angry'}", "anger"),
        ("['angry'] [see below] She cried: {'at first': 'sad'", "anger"),
        ('{"emotion": "angry"', "anger"),
        ('{"reason": "sad at 3", "emotion": "angry", "score": 2}', "anger"),
        ('{"result": {"emotion": "angry", "reason": "sad"}}', "anger"),
        ("happy or angry, leaning towards angry", "anger"),
        (r"\boxed{\text{angry}}, and not more than a little sad or happy; sad", "anger"),
        ("She is not happy, anger and fear are absent. Sadness it is.", "sadness"),
        ("not angry / he is sad", "sadness"),
        ("He might smile and is angry. Perhaps sad.", "anger"),
        ("It is anger, not sadness", "anger"),
        ("neutral (no strong feeling, and no anger)", "neutral"),
        ("angry\n\nThe man seems sad and afraid at first.", "anger"),
        ("**Emotion:** angry\n**Reason:** a sad story", "anger"),
        ("Options: anger, fear, joy. Answer: joy", "happiness"),
        ("The answer is joy, and neither anger nor fear.", "happiness"),
        ("He isn't really sad, he is angry.", "anger"),
        ("rather than sad, he is angry", "anger"),
        ("angry instead of sad", "anger"),
        ("no sign of anger, fear or disgust; he is happy", "happiness"),
        ("It doesn't seem to be very sad but angry", "anger"),
        ("Sadness can be ruled out, so anger", "anger"),
        ("not sad/fearful, but angry", "anger"),
        ("Anger is not the right answer; disgust", "disgust"),
        ("might be sad, but most likely angry", "anger"),
        ("angry with a hint of sadness", "anger"),
        ("could be angry", "anger"),
        ("The dominant emotion is sadness, with some anger.", "sadness"),
        ("Overall, he is sad. He frowned in anger.", "sadness"),
        ("more sad than angry", "sadness"),
        ("No doubt he is angry", "anger"),
        ("She cannot hide her sadness", "sadness"),
        ("He does not speak loudly and seems angry", "anger"),
        ("angrier", "anger"),
        ("he smiled joyously; a joyous day", "happiness"),
        ("a\u200bngry\x00", "anger"),
        ("ＡＮＧＲＹ", "anger"),
    ],
)
def test_the_label_that_is_stated(text: str, label: str) -> None:
    assert read_label(text, SPACE) == label


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "empty"),
        (float("nan"), "empty"),
        ("", "empty"),
        ("\x00\x01 \t", "empty"),
        ("<think>angry, I would say", "unfinished"),
        ("<think>angry</think>", "empty"),
        ("not angry, sad or fearful", "no_label"),
        ("no signs of anger, fear, or sadness", "no_label"),
        ("non-angry", "no_label"),
        ("It is unlikely that he is angry", "no_label"),
        ("I cannot tell", "no_label"),
        ('{"emotion": null}', "no_label"),
        ('{"emotion": "jubilant", "reason": "angry"}', "no_label"),
        ("dangry, hunger, maddening", "no_label"),
        ("either sad or angry", "ambiguous"),
        ("most likely sad or angry", "ambiguous"),
        ("not only angry but also sad", "ambiguous"),
        ("He isn't just angry, he is sad", "ambiguous"),
        ('{"emotion": ["angry", "sad"]}', "ambiguous"),
        ("Emotion: sad\nSecondary emotion: angry\nEmotion: angry", "ambiguous"),
        (", ".join(SPACE.names), "ambiguous"),
        ("Among " + ", ".join(SPACE.names) + " I could not decide.", "ambiguous"),
    ],
)
def test_what_states_no_single_label_is_unreadable(text: str, why: str) -> None:
    reading = read_label(text, SPACE)
    assert reason(reading) == why
    assert reading.text == (text if isinstance(text, str) else "")  # type: ignore[union-attr]


@pytest.mark.parametrize("label", ["admiration", "ambivalence", "joy", "zeal"])
def test_what_follows_answer_holds_whatever_it_is_called(label: str) -> None:
    space = space_of(["admiration", "ambivalence", "joy", "zeal", "disgust"])
    assert read_label(f"I saw disgust at first.\nAnswer: {label}, I think.", space) == label


def test_inflections_are_listed_and_never_shared_between_two_names() -> None:
    assert read_label("She looks worried", space_of(["worry", "anger"])) == "worry"
    assert read_label("She looks happy", space_of(["joy", "happiness"])) == Unreadable("no_label", "She looks happy")
    assert read_label("mad", space_of(["angry", "sad"])) == "angry"
    assert read_label("contention", space_of(["contentment"])) == Unreadable("no_label", "contention")


def test_names_of_several_words_and_with_signs() -> None:
    space = LabelSpace("s", "category", ("something_else", "doubt/confusion", "Joy"), source="made here")
    assert read_label("It is something else.", space) == "something_else"
    assert read_label("I see doubt/confusion here", space) == "doubt/confusion"
    assert read_label("joy", space) == "Joy"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("joy and anger, but not fear", ("anger", "happiness")),
        ('["fear", "Angry", "jubilant"]', ("anger", "fear")),
        ('{"emotions": []}', ()),
        ("[]", ()),
        ("```json\n[ ]\n```", ()),
        ("none of these", ()),
        ("I weigh sadness. Answer: anger, fear", ("anger", "fear")),
        ("might be sad, most likely angry", ("anger", "sadness")),
        ("neither joy nor anger: fear", ("fear",)),
    ],
)
def test_several_labels_in_the_order_of_the_space(text: str, labels: tuple[str, ...]) -> None:
    assert read_labels(text, SPACE) == labels


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), (None, "empty"), ("jubilant", "no_label"), ("not angry", "no_label"), ("0[]", "no_label")],
)
def test_no_labels_are_unreadable_and_not_the_empty_set(text: str, why: str) -> None:
    assert reason(read_labels(text, SPACE)) == why


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("[happy, surprised]", ("happy", "surprised")),
        ("['happy', 'bitter-sweet']", ("happy", "bitter-sweet")),
        ('["Happy", "happy", "at ease"]', ("happy", "at ease")),
        ('{"emotions": ["joy"], "reason": "a smile"}', ("joy",)),
        ("- jubilant\n- angry", ("jubilant", "angry")),
        ("The emotions are:\n1. happy\n2) sad", ("happy", "sad")),
        ("Emotions: jubilant, a bit sad", ("jubilant", "a bit sad")),
        ("jubilant", ("jubilant",)),
        ("The person feels happy and very surprised.", ("happy", "surprised")),
        ("[]", ()),
        ("None.", ()),
    ],
)
def test_open_labels_in_the_words_of_the_answer(text: str, labels: tuple[str, ...]) -> None:
    assert read_open_labels(text) == labels


@pytest.mark.parametrize("text", ["The person feels jubilant and was wronged.", "She is going home, he is not sad."])
def test_prose_is_no_list_of_labels(text: str) -> None:
    assert reason(read_open_labels(text)) == "no_label"


def test_emotions_that_prose_affirms() -> None:
    text = "His furrowed brow shows anger and no joy; later he might feel ashamed. There is hope."
    assert mentioned_emotions(text) == ("anger", "shame")
    assert mentioned_emotions(None) == ()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("7/10", 7),
        ("On a scale of 0-10, I would say 7.5", 7.5),
        ('{"score": 8, "reason": "2 of 3 clues"}', 8),
        ('{"answer": "2 of 3 clues", "score": 8}', 8),
        ('{"score": "8"}', 8),
        ("**Score:** 6 out of 10. There were 3 clues.", 6),
        ("<answer>4</answer> 9", 4),
        ("seven", 7),
        ("a1 gets 3", 3),
        ("3 or 3.0", 3),
        (5, 5),
    ],
)
def test_the_number_that_is_stated(text: str, number: float) -> None:
    assert read_number(text, 0, 10) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("nan", "no_number"),
        ("no idea", "no_number"),
        ("between 3 and 5", "ambiguous"),
        ("11", "out_of_range"),
        ("-1", "out_of_range"),
        ("1e999", "out_of_range"),
        ("9" * 10_000, "out_of_range"),
        ('{"score": NaN}', "out_of_range"),
    ],
)
def test_numbers_are_never_guessed_or_clipped(text: str, why: str) -> None:
    assert reason(read_number(text, 0, 10)) == why


def test_a_percentage_is_a_share_of_a_range_within_one() -> None:
    assert read_number("80%", 0, 1) == 0.8
    assert read_number("80%", 0, 100) == 80


@given(st.floats(-1, 1), st.sampled_from(["{}", "Score: {}", '{{"score": {}}}', "<answer>{}</answer>", "I say {}."]))
def test_every_number_is_read_back(number: float, frame: str) -> None:
    assert read_number(frame.format(number), -1, 1) == pytest.approx(number, abs=1e-300)


@pytest.mark.parametrize(
    "text",
    [
        "Anger: 3\nJoy: 4.5",
        "Anger - 3, **Joy** - 4.5",
        '{"anger": 3, "JOY": "4.5"}',
        "[3, 4.5]",
        "joy is 4.5 and anger = 3",
    ],
)
def test_a_number_for_each_name(text: str) -> None:
    assert read_numbers(text, ["Anger", "Joy"], 0, 10) == {"Anger": 3.0, "Joy": 4.5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Anger: 3", "incomplete"),
        ("Anger: 3, anger: 4, joy: 1", "ambiguous"),
        ("Anger: -3, joy: 1", "out_of_range"),
        ("3, 4.5, 6", "no_number"),
        ("", "empty"),
        ("<think>anger: 3", "unfinished"),
    ],
)
def test_all_numbers_or_none(text: str, why: str) -> None:
    assert reason(read_numbers(text, ["Anger", "Joy"], 0, 10)) == why


SOURCE = "Today I lost my  Dog, sadly."


@pytest.mark.parametrize(
    ("text", "source", "span"),
    [
        ("none", None, ""),
        ("Impossible.", SOURCE, ""),
        ('{"span": null}', SOURCE, ""),
        ('"I lost it"', None, "I lost it"),
        ("I lost it", None, "I lost it"),
        ("i lost my dog", SOURCE, "I lost my  Dog"),
        ('The cause is "I lost my Dog".', SOURCE, "I lost my  Dog"),
        ("Answer: sadly", SOURCE, "sadly"),
        ("MY DOG", SOURCE, "my  Dog"),
        ("stra", "Straße", "Stra"),
    ],
)
def test_spans(text: str, source: str | None, span: str) -> None:
    assert read_span(text, source) == span


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "empty"), ("my cat", "not_in_source"), ('"lost" or "Dog"', "ambiguous"), ("<think>x", "unfinished")],
)
def test_no_span(text: str, why: str) -> None:
    assert reason(read_span(text, SOURCE)) == why


def test_a_short_span_is_looked_for_behind_words_that_hold_it() -> None:
    assert read_span("a", "The man left a dog") == "a" and read_span("He", "Then he came") == "he"
    assert reason(read_span("a", "The man left")) == "not_in_source"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Correct", True),
        ("**incorrect.**", False),
        ("Yes, it shows joy.", True),
        ("No. The man is sad.", False),
        ("The statement is not correct", False),
        ("It isn't wrong.", True),
        ('{"correct": false}', False),
        ('{"correct": true}', True),
        ('{"answer": 1, "reason": "not wrong at all"}', True),
        ("I looked for truth. Answer: true", True),
        ("Right", True),
    ],
)
def test_judgements(text: str, holds: bool) -> None:
    assert read_judgement(text) is holds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("true or false", "ambiguous"),
        ("Yes, but the statement is incorrect", "ambiguous"),
        ("There is no sign of joy on the right", "no_judgement"),
        ('{"correct": 2}', "no_judgement"),
    ],
)
def test_no_judgement(text: str, why: str) -> None:
    assert reason(read_judgement(text)) == why


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("a1", "a1"),
        ("A2, since a1 lacks clues", "a2"),
        ("I prefer a2 over a1", "a2"),
        ("a1 is better than a2", "a1"),
        ("Description 2 is more accurate.", "a2"),
        ("The first one, because a2 is vague", "a1"),
        ("Both are equally good", "same"),
        ("For its detail a1 was considered; a2 is more accurate.", "a2"),
        ("I choose a2; a1 lacks clues", "a2"),
        ('{"preference": "same"}', "same"),
        ("a1 and a2", "ambiguous"),
        ("neither says anything", "no_label"),
        ("", "empty"),
    ],
)
def test_preferences(text: str, better: str) -> None:
    preference = read_preference(text)
    assert (preference.reason if isinstance(preference, Unreadable) else preference) == better


FRAMES = ["{}", "<answer>{}</answer>", '{{"emotion": "{}"}}', "Answer: {}", "not {other}, but {}", "- {}", "*{}*\n\nok"]


@given(NAMES, NAMES, st.sampled_from(FRAMES))
def test_every_name_is_read_back_in_every_frame(name: str, other: str, frame: str) -> None:
    if name != other:
        assert read_label(frame.format(name, other=other), SPACE) == name
        assert read_labels(frame.format(name, other=other), SPACE) == (name,)


@given(st.lists(NAMES, unique=True, min_size=1))
def test_sets_and_open_lists_are_read_back(names: list[str]) -> None:
    ordered = tuple(name for name in SPACE.names if name in names)
    for text in (
        ", ".join(names),
        json.dumps(names),
        "\n".join(f"- {name}" for name in names),
        f"[{', '.join(names)}]",
    ):
        assert read_labels(text, SPACE) == ordered
        assert read_open_labels(text) == tuple(names)


@given(st.text())
def test_any_text_gives_a_label_or_a_reason(text: str) -> None:
    reading = read_label(text, SPACE)
    assert reading in SPACE.names or (isinstance(reading, Unreadable) and reading.text == text)
    for read in (read_judgement, read_preference, read_span, read_open_labels):
        assert not isinstance(read(text), Unreadable) or read(text).text == text
