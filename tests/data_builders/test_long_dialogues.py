"""A dialogue of thousands of turns: each sample holds the last of them, and says how many came before."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

from affectllm.corpus import Sample
from affectllm.corpus.sample import MOST_TURNS, Turn
from affectllm.instruct.turns import lines


def long_dialogue(turns: int) -> Sample:
    context = tuple(Turn("ab"[number % 2], f"turn {number + 1}") for number in range(turns))
    return Sample("1", "c", "train", (), "f:1", text="the last", speaker="a", dialogue="d", context=context)


def test_a_dialogue_within_the_bound_stays_as_it_is() -> None:
    sample = long_dialogue(MOST_TURNS)
    assert len(sample.context) == MOST_TURNS and sample.turns_left_out == 0 and sample.attributes == {}


def test_of_a_longer_one_the_last_turns_stay_and_keep_their_numbers() -> None:
    sample = long_dialogue(8_000)
    assert [sample.context[0].text, sample.context[-1].text] == [f"turn {8_001 - MOST_TURNS}", "turn 8000"]
    assert sample.attributes == {"turns_left_out": str(8_000 - MOST_TURNS)}
    in_prompt = lines(sample, "Speaker {letter}", numbered=True)
    assert in_prompt[0].startswith(f"{8_001 - MOST_TURNS}. ") and in_prompt[-1] == "8001. Speaker A: the last"


def test_what_was_cut_stays_cut_when_it_is_stored_and_read() -> None:
    sample = long_dialogue(1_000)
    assert Sample.from_json(sample.to_json()) == sample == replace(sample, id="1")


def test_memory_grows_with_the_bound_and_not_with_the_dialogue() -> None:
    turns = [Turn("a", f"turn {number}") for number in range(8_000)]
    tracemalloc.start()
    samples = [Sample(str(n), "c", "train", (), "f", text="x", context=tuple(turns[:n])) for n in range(len(turns))]
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(samples) == 8_000 and used < 8_000 * (8 * MOST_TURNS + 2_000)
