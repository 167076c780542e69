"""Judgements and preferences as models word them: hedges and denials are no verdicts."""

from __future__ import annotations

import pytest

from affectllm.labels.reading import Unreadable, read_judgement, read_preference


def value(reading: object) -> object:
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize(
    "text",
    [
        *(
            "partially correct",
            "not entirely correct",
            "not entirely wrong",
            "mostly true",
            "half true",
            "almost correct",
        ),
        *("to some extent true", "more or less correct", "correct in part", "correct, but only partly", "Yes, partly."),
        *(
            "probably true",
            "might be true",
            "could be correct",
            "Answer: partially correct",
            '{"correct": "partially correct"}',
        ),
        *(
            "I cannot tell whether it is correct.",
            "It's unclear whether the statement is true",
            "I'm not sure this is correct",
        ),
        *(
            "neither true nor false",
            "would be correct if she smiled",
            "Yes.\nNo.",
            "no, wait, yes",
            "❌ Correct",
            "I doubt it's correct",
        ),
        *(
            "部分正确",
            "基本正确",
            "不完全正确",
            "不完全错误",
            "可能正确",
            "未必正确",
            "无法判断是否正确",
            "parcialmente correcto",
        ),
        "No, es correcto",
    ],
)
def test_hedged_and_contradictory_judgements(text: str) -> None:
    assert value(read_judgement(text)) == "ambiguous"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Is the statement correct?",
            "The correct emotion is sadness.",
            "her true feelings are hidden",
            "Invalid input",
        ),
        *(
            "Something is wrong with her",
            "The video is invalid.",
            "Right, let me think.",
            "正确答案是悲伤",
            '{"correct": null}',
        ),
        '{"correct": tr',
    ],
)
def test_words_that_judge_something_else(text: str) -> None:
    assert value(read_judgement(text)) == "no_judgement"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        *[
            (text, True)
            for text in ("yes yes yes", "\\boxed{yes}", "Sí.", "نعم", "はい", "Correct. The man is mostly smiling.")
        ],
        *[(text, False) for text in ("no no no", '{"correct": 0}', "No es correcto", "لا", "いいえ", "incorrecto")],
        ("The correct emotion is joy, so the statement is wrong.", False),
    ],
)
def test_plain_judgements(text: str, holds: bool) -> None:
    assert read_judgement(text) is holds


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a1 is not better than a2",
            "a1 isn't better than a2",
            "a1 is no better than a2",
            "a1 is worse than a2",
            "a1? No.",
        ),
        *(
            "a1 is less accurate than a2",
            "a1 is more vague than a2",
            "a1 has more errors than a2",
            "a1 is wrong",
            "a1 lacks detail.",
        ),
        *(
            "I don't prefer a1",
            "I wouldn't choose a1",
            "I doubt a1 is better",
            "I cannot say that a1 is better",
            "a1, no",
            "no tie",
        ),
        *(
            "It is unclear whether a1 is better than a2",
            "Is a1 better than a2?",
            "a1 would be better if it mentioned joy",
        ),
        *("Worse: a1", "The weaker description is a2", "Reject a1", "First, a2 is wrong.", "a1 es peor", "a1 ليس أفضل"),
        *("不是第一个", "不选择a2", "a1不比a2好", "不一样", "a1 and a2 are not the same"),
    ],
)
def test_what_is_denied_doubted_or_found_at_fault_is_not_preferred(text: str) -> None:
    assert value(read_preference(text)) == "no_label"


def test_scores_of_both_are_no_preference() -> None:
    described = '{"a1": "vague", "a2": "better"}'
    for text in ("a1: 3, a2: 5", "a1, a2", '{"a1": 3, "a2": 5}', "a1: no, a2: yes", described):
        assert value(read_preference(text)) == "ambiguous"


@pytest.mark.parametrize(
    ("text", "better"),
    [
        *(("First, let me look at both. a2 is better.", "a2"), ("First, I looked at both. Then I chose a2.", "a2")),
        *(("a1 and a2 are the same", "same"), ("Both are good, but a1 is better", "a1"), ("not a tie; a1", "a1")),
        ("I think a2, since a1 is vague.", "a2"),
    ],
)
def test_preferences_beside_other_words(text: str, better: str) -> None:
    assert read_preference(text) == better
