"""Readers of published evaluators: each fault is reproduced under its name, and the strict readers refuse it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.labels.reading import COMPAT, Unreadable, read_label, read_labels, read_number, space_of

SIX = ("neutral", "angry", "happy", "sad", "worried", "surprise")
DFEW = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
E_C = ("neutral", "joy", "sadness", "anger", "fear", "surprise", "disgust", "anticipation", "love", "optimism", "trust")


def unreadable(text: str, labels: tuple[str, ...]) -> str | None:
    reading = read_label(text, space_of(labels))
    return reading.reason if isinstance(reading, Unreadable) else None


@pytest.mark.parametrize("text", ["I cannot tell", "He is not angry.", ""])
def test_defect_d8_emotion_llama_scores_unreadable_answers_as_neutral(text: str) -> None:
    assert COMPAT["emotion_llama"](text, SIX) == "neutral"
    assert unreadable(text, SIX) in ("no_label", "empty")


def test_defect_d8_emotion_llama_minds_a_full_stop_and_no_denial() -> None:
    assert COMPAT["emotion_llama"]("He is not angry", SIX) == "angry"
    assert COMPAT["emotion_llama"]("The person feels sad.", SIX) == "neutral"
    assert COMPAT["emotion_llama"]("The person feels sad", SIX) == "sad"
    assert read_label("The person feels sad.", space_of(SIX)) == "sad"


@pytest.mark.parametrize("gold", DFEW)
def test_defect_d9_emotion_qwen_looks_for_the_right_answer_only(gold: str) -> None:
    everything = ", ".join(DFEW)
    assert COMPAT["emotion_qwen_dfew"](everything, DFEW, gold) == gold
    assert unreadable(everything, DFEW) == "ambiguous"


def test_defect_d9_emotion_qwen_finds_labels_inside_words() -> None:
    assert COMPAT["emotion_qwen_dfew"]("He is unhappy", DFEW, "happy") == "happy"
    assert COMPAT["emotion_qwen_dfew"]("fearless", DFEW, "sad") == "none"
    assert unreadable("He is unhappy", DFEW) == "no_label"


def test_defect_d10_emotion_qwen_takes_the_alphabetically_last() -> None:
    assert COMPAT["emotion_qwen_mer2024"]("worried? No, angry.", SIX) == "worried"
    assert COMPAT["emotion_qwen_mer2024"]("I cannot tell", SIX) == "worried"
    assert read_label("not worried, but angry", space_of(SIX)) == "angry"
    assert unreadable("I cannot tell", SIX) == "no_label"


@given(st.permutations(SIX), st.text())
def test_defect_d10_does_not_depend_on_the_order_of_the_labels(labels: list[str], text: str) -> None:
    assert COMPAT["emotion_qwen_mer2024"](text, labels) == COMPAT["emotion_qwen_mer2024"](text, SIX)


@pytest.mark.parametrize("text", ["Happy", "happy.", "<answer>happy</answer>", "happy "])
def test_defect_d11_r1_omni_counts_format_as_emotion(text: str) -> None:
    assert COMPAT["r1_omni"](text, DFEW) != "happy"
    assert read_label(text, space_of(DFEW)) == "happy"


def test_defect_d11_r1_omni_reward_reads_tags_but_minds_case_and_lines() -> None:
    read = COMPAT["r1_omni_reward"]
    assert read("<think>x</think><answer> happy </answer>", DFEW) == "happy"
    assert read("<answer>Happy</answer>", DFEW) == "Happy"
    assert read(" happy ", DFEW) == "happy"
    assert read("<answer>happy\n</answer>", DFEW) != "happy"
    assert read_label("<answer>Happy\n</answer>", space_of(DFEW)) == "happy"


@pytest.mark.parametrize(
    ("task", "text", "number"),
    [
        ("ei_reg", "no idea", 0.5),
        ("ei_reg", "7, or rather 0.7", 0.7),
        ("ei_reg", "7", 1.0),
        ("ei_reg", "-3", 0.0),
        ("ei_oc", "no idea", 0.0),
        ("ei_oc", "-2", 0.0),
        ("ei_oc", "12", 3.0),
        ("v_oc", "no idea", 0.0),
        ("v_oc", "10, so -2", -2.0),
        ("v_oc", "from -4 to -3", -3.0),
        ("v_oc", "4, no: 3", 3.0),
        ("v_reg", "no idea", 0.0),
        ("v_reg", "-4.5", -1.0),
        ("v_reg", "4.5", 1.0),
    ],
)
def test_defect_d13_mmaffben_invents_numbers(task: str, text: str, number: float) -> None:
    assert COMPAT[f"mmaffben_{task}"](text) == number


def test_defect_d13_strict_numbers_are_not_invented() -> None:
    for text, reason in (("no idea", "no_number"), ("7", "out_of_range"), ("-4.5", "out_of_range")):
        assert read_number(text, 0, 1) == Unreadable(reason, text)


def test_defect_d13_mmaffben_cuts_words_at_and_or_with() -> None:
    read = COMPAT["mmaffben_e_c"]
    assert read("joy and anger", E_C) == ("joy", "anger")
    assert read("joy,anger", E_C) == ()  # no blank after the comma
    assert read("anticipation with love", E_C) == ("anticipation", "love")
    assert read("Word of the day: 1 3", E_C) == ("joy", "anger")
    assert read(None, E_C) == read("no idea", E_C) == ()
    assert read("horror", (*E_C, "horror")) == ()  # "or" inside the word became a comma
    assert read_labels("joy,anger", space_of(E_C)) == ("joy", "anger")
    assert read_labels("no idea", space_of(E_C)) == Unreadable("no_label", "no idea")
    assert read_labels("horror", space_of((*E_C, "horror"))) == ("horror",)


@pytest.mark.parametrize(
    ("text", "label"),
    [("not negative", "negative"), ("10", "neutral"), ("1", "positive"), ("-1", "negative"), ("", "9")],
)
def test_defect_d13_mmaffben_sentiment_by_substring(text: str, label: str) -> None:
    assert COMPAT["mmaffben_sentiment"](text) == label


def test_defect_d13_strict_sentiment() -> None:
    assert unreadable("not negative", ("negative", "neutral", "positive")) == "no_label"


@pytest.mark.parametrize(("text", "label"), [(" Happy ", "happy"), ("", None), ("he is happy", None)])
def test_defect_d14_emobench_m_leaves_out_what_is_no_label(text: str, label: str | None) -> None:
    assert COMPAT["emobench_m"](text, DFEW) == label


def test_defect_d14_strict_keeps_every_answer() -> None:
    assert read_label("he is happy", space_of(DFEW)) == "happy"
    assert unreadable("", DFEW) == "empty"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('{"answer": "A"}', "A"),
        ('```json\n{"answer": "A)"}\n```', "A)"),
        ('The answer is {"answer": "A"}', ""),
        ("[1]", ""),
        (None, ""),
        ('{"answer": "a"}', "a"),
    ],
)
def test_defect_d18_emobench_takes_json_as_it_came(text: str | None, answer: str) -> None:
    assert COMPAT["emobench"](text) == answer


def test_defect_d18_emobench_eu_and_what_strict_reads() -> None:
    assert COMPAT["emobench_eu"]('{"answer_q1": "A", "answer_q2": "B"}') == ("A", "B")
    assert COMPAT["emobench_eu"]('{"answer_q1": "A"}') == ("A", "")
    for text in ('The answer is {"answer": "A"}', '{"answer": "a"}', "(A)", "A)"):
        assert read_label(text, space_of(["A", "B"])) == "A"


def test_sevlm_and_emoprefer() -> None:
    assert COMPAT["sevlm"]("awe because because") == "awe"
    assert COMPAT["sevlm"]("awe") == "awe"
    read = COMPAT["emoprefer"]
    assert [read(text) for text in ("A2 wins", "not a1, a2", "I like a2 more than a1", "", "the same")] == [
        "a2",
        "a1",
        "a2",
        "same",
        "same",
    ]


def test_every_reader_says_whom_it_imitates_and_why_not() -> None:
    for name, read in COMPAT.items():
        assert read.__doc__ and ("wrong" in read.__doc__ or "as above" in read.__doc__), name


@given(st.text(), st.sampled_from(sorted(COMPAT)))
def test_compat_readers_take_any_text(text: str, name: str) -> None:
    COMPAT[name](text, SIX, "sad")


def test_hitemotion_takes_what_is_stated_else_the_first_label_word() -> None:
    assert COMPAT["hitemotion"]("{'emotion': 'sad'} since he is not happy", SIX) == "sad"
    assert COMPAT["hitemotion"]("emotion: Angry", SIX) == "angry"
    assert COMPAT["hitemotion"]("not happy but sad", SIX) == "happy"
    assert read_label("not happy but sad", space_of(SIX)) == "sad"
    assert COMPAT["hitemotion"]("{'emotion': 'glad'}, so happy", SIX) == "happy"
    assert COMPAT["hitemotion"]("I cannot tell", SIX) is None
