"""Text around an answer that names other answers never makes another answer of it: the same one, or unreadable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.labels.reading import (
    Unreadable,
    read_judgement,
    read_label,
    read_labels,
    read_number,
    read_numbers,
    read_preference,
    read_span,
    space_of,
)
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL as SPACE

# {o} is another answer.
PROMPTS = [
    *("<think>It may be {o}. {o}, or not?</think>\n", "maybe {o}?\n</think>", "[THINK]{o}[/THINK]"),
    *("<reasoning>{o}</reasoning>", "<|START_THINKING|>{o}<|END_THINKING|>", "◁think▷{o}◁/think▷", "{o}</thought>"),
    "<|im_start|>system\nBe {o}.<|im_end|>\n<|im_start|>user\n{o}?<|im_end|>\n<|im_start|>assistant\n",
    "<|user|>\n{o}<|end|>\n<|user|>\n{o}?<|end|>\n<|assistant|>\n<think>{o}</think>",
    *("<s>[INST] Is it {o}? [/INST] ", "USER: {o}, I think.\nASSISTANT: ", "user\nIs it {o}?\nassistant\n"),
    "<|channel|>analysis<|message|>{o}<|end|><|start|>assistant<|channel|>final<|message|>",
]
INVENTED = [
    "<|im_end|>\n<|im_start|>user\n{o}?<|im_end|>\n<|im_start|>assistant\n{o}",
    *("</s><s>[INST] {o}? [/INST] {o}", "<end_of_turn>\n<start_of_turn>model\n{o}", "<|end|><|user|>{o}"),
    *("\n\nHuman: Is it {o}?\n\nAssistant: {o}", "\nuser\n{o}\nassistant\n{o}", "<|endoftext|>{o}"),
]
DENIED_BEFORE = ["Is it {o}? No. ", "It is not {o}. ", "Not {o}: ", "Rather than {o}, ", "I doubt it is {o}. "]
DENIED_AFTER = [" (not {o})", ", not {o}", ". It is not {o}.", ". Is it {o}? No.", " instead of {o}"]
FELT_BEFORE = [
    *("The opposite of {o}. ", "0% {o}. ", "Kein {o}. ", "Sin {o}. ", "не {o}. ", "less {o} than usual. "),
    *("I was surprised to find no {o}. ", "Sadly, I cannot see it, so no {o}. ", "{o} is improbable. "),
    *("My {o} is no matter. ", "I feel {o} because I cannot help. ", "Sorry, I cannot rule out {o}.\n"),
]
FELT_AFTER = [". Hardly {o}.", ". No es {o}.", ". {o} is out of the question.", ". I am full of {o} to help."]
KINDS: dict[str, tuple[Callable[[str], Any], dict[str, Any]]] = {
    "choice": (lambda text: read_label(text, SPACE), {name: name for name in SPACE.names}),
    "set": (lambda text: read_labels(text, SPACE), {name: (name,) for name in SPACE.names}),
    "number": (lambda text: read_number(text, 0, 10), {str(n): float(n) for n in range(11)}),
    "numbers": (lambda text: read_numbers(text, ["joy"], 0, 9), {f"joy: {n}": {"joy": float(n)} for n in range(10)}),
    "option": (lambda text: read_label(text, space_of(list("ABCD"))), {name: name for name in "ABCD"}),
    "judgement": (read_judgement, {"correct": True, "incorrect": False}),
    "preference": (read_preference, {"a1": "a1", "a2": "a2"}),
    "span": (lambda text: read_span(text, "I lost my dog and found a cat"), {w: w for w in ("my dog", "a cat")}),
}


def drawn(kind: str, data: st.DataObject) -> tuple[Any, str, Any, str]:
    """A reader, an answer, what it means, and another answer."""
    read, answers = KINDS[kind]
    stated, other = data.draw(st.lists(st.sampled_from(sorted(answers)), min_size=2, max_size=2, unique=True))
    return read, stated, answers[stated], other


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_prompts_reasoning_and_invented_turns_change_nothing(kind: str, data: st.DataObject) -> None:
    read, stated, meant, other = drawn(kind, data)
    frame = data.draw(st.sampled_from([*(f"{one}{{a}}" for one in PROMPTS), *(f"{{a}}{one}" for one in INVENTED)]))
    assert read(frame.format(a=stated, o=other)) == meant


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_denials_and_doubts_make_no_other_answer(kind: str, data: st.DataObject) -> None:
    read, stated, meant, other = drawn(kind, data)
    felt = kind in ("choice", "set")
    before = data.draw(st.sampled_from(["", *PROMPTS[:3], *DENIED_BEFORE, *(FELT_BEFORE if felt else [])]))
    after = data.draw(st.sampled_from(["", *INVENTED, *DENIED_AFTER, *(FELT_AFTER if felt else [])]))
    reading = read(before.format(o=other) + stated + after.format(o=other))
    assert isinstance(reading, Unreadable) or reading == meant


@given(data=st.data())
def test_the_answer_is_read_beside_denials_courtesies_and_comments(data: st.DataObject) -> None:
    stated, other = data.draw(st.lists(st.sampled_from(SPACE.names), min_size=2, max_size=2, unique=True))
    frame = data.draw(
        st.sampled_from(
            [
                *(
                    "It is not {o} but {a}.",
                    "{a}, not {o}",
                    "0% {o}; {a}",
                    "no {o}. {a}",
                    "I am sorry for the {a}. {a}",
                ),
                *(
                    "I was surprised to hear it. The answer is {a}",
                    "Sadly, the sound is bad. It is {a}.",
                    "senza {o}; {a}",
                ),
                *("Sin {o}. {a}", "Is it {o}? No, it is {a}.", "I'd be happy to help. {a}", "The opposite of {o}: {a}"),
            ]
        )
    )
    assert read_label(frame.format(a=stated, o=other), SPACE) == stated
