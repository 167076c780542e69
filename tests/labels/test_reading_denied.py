"""What an answer denies, doubts, asks, lists or judges label by label is never read as if it were stated."""

from __future__ import annotations

from typing import Any

import pytest

from affectllm.labels import LabelSpace
from affectllm.labels.names import understood
from affectllm.labels.reading import Unreadable, read_label, read_labels, read_open_labels
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, aliases

NAMES = ("joy", "anger", "sadness", "fear", "love")
ONE = LabelSpace("one", "category", NAMES, source="test", aliases=aliases(*NAMES))
SET = LabelSpace("set", "set", NAMES, source="test", aliases=aliases(*NAMES))
PAIR = LabelSpace("pair", "set", ("joy", "anger"), source="test", aliases=aliases("joy", "anger"))


def value(reading: Any) -> Any:
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *[
            ("es", text)
            for text in (
                *(
                    "sin ira",
                    "no siente ira",
                    "nada de alegría",
                    "ni ira ni miedo",
                    "nunca ira",
                    "tampoco ira",
                    "no hay ira",
                ),
                *(
                    "jamás siente alegría",
                    "ausencia de alegría",
                    "carece de alegría",
                    "ningún miedo",
                    "ira: no",
                    "¿Ira? No.",
                ),
                *("La ira no está presente", "La ira está ausente", "no sé si es ira", "sin ira, miedo ni alegría"),
            )
        ],
        *[
            ("ar", text)
            for text in (
                *(
                    "لا غضب",
                    "ليس غضب",
                    "بدون خوف",
                    "لا يشعر بالحزن",
                    "ليس غضبًا",
                    "لا يوجد أي غضب",
                    "بلا غضب",
                    "ولا غضب",
                ),
                *("لا غضب ولا خوف", "لم يشعر بأي غضب", "عدم وجود غضب", "غير غضب", "غضب: لا", "هل هو غضب؟ لا"),
            )
        ],
        *[
            ("ja", text)
            for text in (
                *(
                    "怒りではない",
                    "怒りはない",
                    "怒りではありません",
                    "怒りじゃない",
                    "怒りは感じられない",
                    "怒りなし",
                    "怒りは見られず",
                ),
                *(
                    "怒りも悲しみもない",
                    "怒りとは言えない",
                    "怒り：いいえ",
                    "怒りですか？いいえ。",
                    "怒りの可能性は低い",
                ),
            )
        ],
        *[
            ("zh", text)
            for text in (
                *(
                    "没有愤怒",
                    "不是愤怒",
                    "并不愤怒",
                    "是否愤怒",
                    "愤怒：否",
                    "愤怒？不是。",
                    "愤怒并不明显",
                    "愤怒的可能性较低",
                ),
                *("假装愤怒", "如果他愤怒", "愤怒✗", "很高兴为您服务！", "他没有表现出任何特别明显的愤怒", "沒有害怕"),
            )
        ],
    ],
)
def test_denials_in_other_languages(language: str, text: str) -> None:
    assert value(read_label(text, understood(ONE, language))) == "no_label"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        *[
            ("es", text)
            for text in (
                "no es ira, sino tristeza",
                "tristeza, sin ira",
                "en lugar de ira, tristeza",
                "¿Ira? No. Tristeza.",
            )
        ],
        *[
            ("ar", text)
            for text in ("ليس غضب بل حزن", "حزن وليس غضبا", "الحزن", "يشعر بالحزن", "لا غضب ولا خوف بل حزن")
        ],
        *[
            ("ja", text)
            for text in (
                "怒りではなく、悲しみです",
                "悲しみであり、怒りではない。",
                "悲しみに違いない",
                "悲しみを隠せない",
            )
        ],
        *[("zh", text) for text in ("愤怒？不是。悲伤", "很高兴为您服务！答案是悲伤。", "他不是愤怒，而是悲伤")],
    ],
)
def test_what_is_said_instead(language: str, text: str) -> None:
    assert read_label(text, understood(ONE, language)) == "sadness"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "As an AI, I am afraid I cannot identify emotions.",
            "I'm afraid that the audio is missing.",
            "I'd be happy to help!",
        ),
        *("Sorry, I can't. I am happy to help with something else!", "Sad to say, I cannot see the video."),
        *(
            "It is unclear whether she is happy.",
            "I doubt that he is angry",
            "If he were angry, he would shout.",
            "zero anger",
        ),
        *("He would be angry if he knew.", "She's pretending to be happy", "It would be wrong to say he is happy."),
        *(
            "Is she happy? No.",
            "Is he angry? It is hard to tell.",
            "Anger? No.",
            "anger (no)",
            "anger ❌",
            "angry = 0",
            "Anger\nno",
        ),
        *(
            "Anger is incorrect",
            "Anger is not likely.",
            "anger is not it",
            "Nobody is angry",
            "isnt angry",
            "isn´t angry",
        ),
        *("There is nothing in this clip that would suggest to me that the man is angry.", "fails to show any anger"),
        *("There is no indication in the face and the voice that the speaker would be feeling anger.", "cant be anger"),
        *("The person does not appear to be expressing any visible or otherwise strong signs of anger", "w/o joy"),
        *("Answer: unclear. The man was angry in the previous scene.", "Emotion: none\nHe was angry earlier."),
        *('{"reason": "angry tone"}', '{"anger": false}', '{"happiness": 0}', "\\boxed{not angry}"),
    ],
)
def test_denials_doubts_questions_and_courtesies_state_no_label(text: str) -> None:
    assert value(read_label(text, EKMAN_6_NEUTRAL)) == "no_label"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Sure, I'd be happy to assist. The person is feeling sad.",
            "Is he angry? No. He is sad.",
            "not anger — sadness",
        ),
        *(
            "Is the person sad? Yes.",
            "Anger is incorrect; sadness.",
            "anger is less likely than sadness",
            "sadness 0.9",
        ),
        *("Among the options (anger, fear, sadness), the best match is sadness.", "It is no surprise that she is sad."),
        *(
            "The final answer is $\\boxed{\\text{sad}}$.",
            "sad<|im_end|>\n<|im_start|>user\nhappy",
            "[x] sad\n[ ] happy",
        ),
        *(
            "anger: no, sadness: yes",
            '{"anger": false, "sad": true}',
            "Anger - no\nSadness - yes",
            "sad (no strong joy)",
        ),
        *('{"predicted": "sad", "reason": "her anger is gone"}', "anger ❌\nsadness ✅", "She looks as if she is sad."),
    ],
)
def test_plain_answers_beside_denials_are_read(text: str) -> None:
    assert read_label(text, EKMAN_6_NEUTRAL) == "sadness"


def test_options_and_verdicts_for_several_labels_are_ambiguous() -> None:
    for text in (
        "Options: anger, fear",
        '{"anger": true, "fear": true}',
        "anger: high, fear: low",
        "Answer:\n- anger\n- fear",
    ):
        assert value(read_label(text, EKMAN_6_NEUTRAL)) == "ambiguous"


VERDICTS = [
    *('{"joy": true, "anger": false}', '{"joy": 1, "anger": 0}', '{"labels": {"joy": "yes", "anger": "no"}}'),
    *(
        "joy: yes, anger: no",
        "joy: yes\nanger: no",
        "1. joy - yes\n2. anger - no",
        "joy=1; anger=0",
        "Joy? Yes. Anger? No.",
    ),
    *(
        "* **joy**: Yes\n* **anger**: No",
        "joy (yes), anger (no)",
        "joy: yes (she smiles)\nanger: no, not at all",
        "joy ✅\nanger ❌",
    ),
    *(
        "| emotion | present |\n|---|---|\n| joy | yes |\n| anger | no |",
        "- [x] joy\n- [ ] anger",
        "joy: present, anger: absent",
    ),
    "Here is my analysis:\n\n1. joy: yes\n2. anger: no\n\nI hope this helps!",
]
IN_OTHER_LANGUAGES = [
    *(("zh", text) for text in ("喜悦：是，愤怒：否", "1. 喜悦：是\n2. 愤怒：否", "喜悦（是）、愤怒（否）")),
    *(("es", text) for text in ("alegría: sí, ira: no", "- alegría: si\n- ira: no", "alegría sin ira")),
    *(("ar", text) for text in ("فرح: نعم، غضب: لا", "فرح وليس غضب", "فرح بدون غضب")),
    *(("ja", text) for text in ("喜び：はい、怒り：いいえ", "喜び：あり、怒り：なし", "喜びであり、怒りではない")),
]


@pytest.mark.parametrize(("language", "text"), [*(("en", text) for text in VERDICTS), *IN_OTHER_LANGUAGES])
def test_the_labels_that_are_affirmed_one_by_one(language: str, text: str) -> None:
    for space in (SET, PAIR):
        assert read_labels(text, understood(space, language)) == ("joy",)


def test_the_empty_set_takes_a_verdict_on_every_label() -> None:
    for text in ('{"joy": false, "anger": false}', "joy: no\nanger: no"):
        assert read_labels(text, PAIR) == ()
        assert value(read_labels(text, SET)) == "no_label"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *[
            (text, "ambiguous")
            for text in (
                *(
                    '{"joy": true, "anger": "maybe"}',
                    '{"joy": 0.9, "anger": 0.1}',
                    "joy: yes; anger: unclear",
                    "joy: yes, also anger",
                ),
                *(
                    "joy: 0.8, anger: 0.1",
                    "joy: high, anger: low",
                    "joy: yes\njoy: no",
                    "joy: she smiles\nanger: it is not shown",
                ),
                '[{"label": "joy", "present": true}, {"label": "anger", "present": false}]',
            )
        ],
        *[(text, "unfinished") for text in ('["joy", "ang', '{"emotions": ["joy", "anger"', "[joy, anger")],
        *[
            (text, "no_label")
            for text in ("Options: joy, anger, fear", "Is joy present? no", "I'm afraid I cannot help.", "joy: none")
        ],
    ],
)
def test_mixed_verdicts_lists_that_are_cut_off_and_options_are_no_set(text: str, why: str) -> None:
    assert value(read_labels(text, SET)) == why


def test_all_lines_of_a_list_are_read() -> None:
    for text in (
        "Answer:\n- joy\n- anger",
        "Answer: 1. joy\n2. anger",
        "Among the options joy, fear, only joy and anger apply.",
    ):
        assert read_labels(text, SET) == ("joy", "anger")
    assert read_labels("joy: she laughs\nanger: he shouts", SET) == ("joy", "anger")


@pytest.mark.parametrize(
    "text", ["sin ira", "没有愤怒", "Sorry", "cannot say", "无法判断", "抱歉", "1. happy 2. sad", "hope this helps"]
)
def test_refusals_are_no_open_labels(text: str) -> None:
    assert value(read_open_labels(text)) == "no_label"


def test_open_lists_that_are_cut_off() -> None:
    assert value(read_open_labels('["happy", "sa')) == "unfinished"
    assert read_open_labels("happy | sad") == ("happy", "sad")


def test_items_of_an_open_list_have_at_most_three_words() -> None:
    assert read_open_labels("quietly pleased inside, sad") == ("quietly pleased inside", "sad")
    assert value(read_open_labels("quietly pleased deep inside, sad")) == "no_label"
    assert read_open_labels("欣喜若狂、愤怒") == ("欣喜若狂", "愤怒")
    assert value(read_open_labels("愤怒、心情非常好")) == "no_label"


def test_an_item_of_a_json_list_is_a_label_whatever_signs_are_in_it() -> None:
    assert read_open_labels('["happy, or so", "sad"]') == ("happy, or so", "sad")
    assert read_open_labels('{"labels": ["happy", "sad"], "reason": "[laughs]"}') == ("happy", "sad")
