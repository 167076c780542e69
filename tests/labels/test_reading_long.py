"""Reading very long answers, of whatever kind, takes no time to speak of."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from affectllm.labels.reading import (
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_numbers,
    read_open_labels,
    read_preference,
    read_span,
)
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE


def seconds(read: Callable[[], object]) -> float:
    started = time.process_time()
    read()
    return time.process_time() - started


LONG = {
    "a label": "angry " * 170_000,
    "no blanks": "a" * 10**6,
    "Chinese": "不愤怒" * 330_000,
    "brackets": "[" * 10**6,
    "braces": '{"a": ' * 160_000,
    "tags": "<answer>" * 125_000,
    "reasoning": "<think>" * 140_000,
    "blanks": " " * 10**6 + "x",
    "quotes": "a'" * 500_000,
    "fields": "emotion: angry\n" * 66_000,
    "bullets": "- a\n" * 250_000,
    "digits": "9" * 10**6,
    "numbers": "1 " * 500_000,
    "denials": "no sign " * 125_000 + "angry",
    "quotations": '"a" ' * 250_000,
}


ALWAYS = ("fields", "denials", "Chinese")


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=name, marks=[] if name in ALWAYS else pytest.mark.thorough) for name, text in LONG.items()],
)
def test_a_million_characters_take_time_by_their_number_and_not_its_square(text: str) -> None:
    readers: list[Callable[[str], object]] = [
        lambda words: read_label(words, SPACE),
        lambda words: read_labels(words, SPACE),
        read_open_labels,
        lambda words: read_number(words, 0, 10),
        lambda words: read_numbers(words, ["joy", "anger"], 0, 1),
        lambda words: read_span(words, "abc def"),
        lambda words: read_span(words, words[1:] + "b"),
        read_judgement,
        read_preference,
    ]
    for read in readers:
        assert grows_linearly(read, text) or grows_linearly(read, text)  # once more, where the machine was busy


def grows_linearly(read: Callable[[str], object], text: str) -> bool:
    """Whether ten times the text takes less than forty times as long; of its square it would be a hundred."""
    tenth = max(seconds(lambda: read(text[-len(text) // 10 :])), 0.01)
    return seconds(lambda: read(text)) < 40 * tenth
