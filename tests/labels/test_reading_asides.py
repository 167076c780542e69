"""Refusals, courtesies, articles, denials in further languages, spellings and the empty set."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from affectllm.labels import LabelSpace
from affectllm.labels.names import understood
from affectllm.labels.reading import Unreadable, read_label, read_labels, read_open_labels, says_nothing, space_of
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE

NAMES = (
    "anger",
    "anticipation",
    "disgust",
    "fear",
    "joy",
    "love",
    "optimism",
    "pessimism",
    "sadness",
    "surprise",
    "trust",
)
SET = space_of(NAMES)


def value(reading: Any) -> Any:
    return reading.reason if isinstance(reading, Unreadable) else reading


ASIDES = """
Sadly, I cannot determine the emotion.
Sadly the recording has no sound.
The clip, sadly, is silent.
There is sadly no audio.
Happy to clarify.
More than happy to!
I was surprised to find that the file is empty.
We are sad to report that nothing can be heard.
I'm really quite surprised that nobody speaks.
I feel sad that I cannot help.
It makes me sad that there is no picture.
To my surprise, the clip is silent.
My fear is that the file is broken.
I fear the audio is missing.
You will be happy to know that I can look at another clip.
It is with sadness that I have to decline.
It's a joy to assist you.
As a neutral assistant, I cannot judge.
I remain neutral.
As an AI, I have no emotion.
No emotion can be determined.
我很高兴能帮助您
我感到惊讶，没有声音
令人惊讶的是，没有声音
我們很難過，聽不到聲音
""".strip().splitlines()


@pytest.mark.parametrize("text", ASIDES)
def test_what_an_answer_says_of_itself_is_no_label(text: str) -> None:
    assert value(read_label(text, SPACE)) == "no_label"
    assert value(read_labels(text, SET)) == "no_label"
    assert isinstance(read_open_labels(text), Unreadable)


@pytest.mark.parametrize(
    "text",
    [
        *("Sadly, the picture is dark. The speaker sounds angry.", "Happily, the recording is clear: anger"),
        *("I'm surprised that there is no picture, but he is angry.", "I was sad to hear it; he is angry"),
        *("I am happy to help! The answer is anger.", "I feel anger in his voice", "I sense anger", "I think anger"),
        *(
            "I would say angry",
            "I am confident that she is angry",
            "My answer: angry",
            "He speaks angrily",
            "I choose anger",
        ),
        *("我很高兴能帮助您，他很生气", "我认为他很愤怒", "我觉得是愤怒", "My guess is anger", "In my opinion, angry"),
        'The speaker says "I am so happy today", but he is angry.',
    ],
)
def test_an_answer_beside_such_words_is_read(text: str) -> None:
    assert read_label(text, SPACE) == "anger"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *(("es", text) for text in ("Siento tristeza por no poder ayudar", "Con alegría le ayudo", "Me da miedo")),
        *(("ar", text) for text in ("أشعر بالحزن لأن الملف فارغ", "أنا سعادة")),
        *(("ja", text) for text in ("私は悲しみを感じます。音がありません。", "音がないことに驚きました")),
    ],
)
def test_such_words_in_other_languages(language: str, text: str) -> None:
    space = LabelSpace("s", "category", ("sadness", "joy", "fear", "surprise", "happiness"), source="test")
    assert value(read_label(text, understood(space, language))) == "no_label"


def test_feelings_that_are_read_where_others_have_them() -> None:
    for text in ("He was surprised.", "She is surprised to see him.", "It's a surprise.", "surprisedly"):
        assert read_label(text, SPACE) == "surprise"
    for text in ("She speaks sadly.", "sadly", "sadly smiling", "He says it sadly"):
        assert read_label(text, SPACE) == "sadness"


DENIED = """
the opposite of joy
the exact opposite of joy
0% joy
0 percent joy
joy: 0%
joy is improbable
joy is highly unlikely
joy is out of the question
joy has been ruled out
joy would be misleading
less joy than usual
free of joy
far from joy
a far cry from joy
joy cannot be determined
nicht joy
kein joy
ohne joy
joy nicht
pas de joy
ce n'est pas joy
sans joy
aucune joy
no es joy
joy es improbable
lo contrario de joy
non è joy
senza joy
não é joy
sem joy
не joy
без joy
niet joy
geen joy
inte joy
ikke joy
joy değil
joy 아님
joyではない
joyではありません
不是joy
""".strip().splitlines()


@pytest.mark.parametrize("text", DENIED)
def test_a_label_that_is_denied_in_any_language_is_not_read(text: str) -> None:
    assert value(read_label(text, SPACE)) == "no_label"


def test_an_arabic_preposition_is_written_with_the_label() -> None:
    space = understood(LabelSpace("s", "category", ("anger", "sadness"), source="test"), "ar")
    assert read_label("يشعر المتحدث بغضب", space) == "anger"
    assert value(read_label("لا يشعر بغضب", space)) == "no_label"


def test_a_comparison_says_what_there_is_more_of() -> None:
    assert read_label("less joy than sadness", SPACE) == "sadness"
    assert read_label("more sad than angry", SPACE) == "sadness"


LETTERS = space_of(["A", "B", "C", "D", "I"])


@pytest.mark.parametrize(
    ("text", "option"),
    [
        *[
            (text, "A")
            for text in ("A", "a", "A.", "(A)", "a)", "[a]", "**A**", '"A"', "Answer: A", "The answer is A.")
        ],
        *[(text, "A") for text in ("Option A", "option a fits", "A) angry", "A: He is angry", "A - angry", "It's A")],
        *[
            (text, "A")
            for text in ("A, since he smiles", "A is correct", "The answer is (A) a happy man", "选项A", "A, not B")
        ],
        *[("I'd say a mix; C", "C"), ("C. A pretty girl smiles.", "C"), ("A person smiles, so B", "B")],
        *[("(D) A sad man", "D"), ("I think B", "B"), ("A possible answer is C", "C"), ("B\n\nA man smiles", "B")],
        *[("I", "I"), ("Option I", "I"), ("(I)", "I"), ("I am sure: D", "D")],
    ],
)
def test_a_letter_that_stands_as_an_option(text: str, option: str) -> None:
    assert read_label(text, LETTERS) == option


@pytest.mark.parametrize(
    "text", ["A man is angry.", "I see a man.", "Answer: A man is angry", "a happy man", "I'd say so"]
)
def test_articles_and_pronouns_are_no_options(text: str) -> None:
    assert value(read_label(text, LETTERS)) == "no_label"


def test_several_options_by_their_letters() -> None:
    for text in ("a, c", "A and C", "(a) (c)", "a or c", "A, C", "A/C", "a) x\nc) y"):
        assert read_labels(text, LETTERS) == ("A", "C")
    assert read_labels("c, since a man smiles", LETTERS) == ("C",)


@pytest.mark.parametrize(
    "text",
    [
        *("neutral or no emotion", "Neutral or no emotion.", "neutral", "none", "No emotions.", "None of the above"),
        *(
            "The tweet is neutral or no emotion",
            "There is no emotion in the tweet.",
            "none of the above emotions apply",
        ),
        *(
            "Answer: no emotion",
            '{"emotions": "neutral or no emotion"}',
            "中性或無情緒",
            "沒有情緒",
            "sin emoción",
            "該当なし",
        ),
    ],
)
def test_wordings_of_the_empty_set(text: str) -> None:
    assert read_labels(text, SET) == ()


def test_no_emotion_is_neutral_where_there_is_such_a_label() -> None:
    with_neutral = space_of([*NAMES, "neutral"])
    for text in ("neutral or no emotion", "No emotions.", "no clear emotion", "沒有情緒"):
        assert read_labels(text, with_neutral) == ("neutral",)
        assert read_label(text, SPACE) == "neutral"
    assert says_nothing("Neutral or no emotion.") and not says_nothing("joy") and not says_nothing("neutral")


@pytest.mark.parametrize(
    ("labels", "text", "label"),
    [
        (["anger", "sadness"], "他很憤怒", "anger"),
        (["anger", "sadness"], "沒有憤怒，她傷心", "sadness"),
        (["生氣", "難過"], "生气", "生氣"),
        (["realization", "joy"], "realisation", "realization"),
        (["humour", "joy"], "It is humor.", "humour"),
        (["something_else", "joy"], "something-else", "something_else"),
        (["self-confidence", "joy"], "She shows self confidence.", "self-confidence"),
        (["no-emotion", "joy"], "no emotion", "no-emotion"),
        (["doubt/confusion", "joy"], "doubt / confusion", "doubt/confusion"),
        (["alegría", "ira"], "alegria", "alegría"),
        (["joy", "anger"], "ｊｏｙ", "joy"),
        (["alegría", "ira"], unicodedata.normalize("NFD", "alegría"), "alegría"),
        ([unicodedata.normalize("NFD", "alegría"), "ira"], "alegría", unicodedata.normalize("NFD", "alegría")),
        (["مفاجأة", "ثقة"], "مفاجاه", "مفاجأة"),
    ],
)
def test_spellings_of_one_label(labels: list[str], text: str, label: str) -> None:
    assert read_label(text, space_of(labels)) == label
