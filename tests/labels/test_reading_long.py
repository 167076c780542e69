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


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_million_characters_take_less_than_a_second(text: str) -> None:
    readers = [
        lambda: read_label(text, SPACE),
        lambda: read_labels(text, SPACE),
        lambda: read_open_labels(text),
        lambda: read_number(text, 0, 10),
        lambda: read_numbers(text, ["joy", "anger"], 0, 1),
        lambda: read_span(text, "abc def"),
        lambda: read_span(text, text[1:] + "b"),
        lambda: read_judgement(text),
        lambda: read_preference(text),
    ]
    for read in readers:
        assert seconds(read) < 1 or seconds(read) < 1  # once more, where the machine was busy
