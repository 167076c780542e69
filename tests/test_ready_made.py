"""The ready-made mixtures: every page loads, every part asks something of its corpus, and reads what it answers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.instruct import Unreadable
from affectllm.instruct.mixture_page import MixturePage, load_mixture
from affectllm.instruct.part import Part
from affectllm.instruct.plan import Plan

PAGES = list(registry.names("recipes/mixtures"))
PARTS = [(name, number) for name in PAGES for number in range(len(load_mixture(name).mixture))]
WANTED = {
    *("aaid_like", "affectgpt_like", "r1_omni_like", "emotion_llama_like", "empathy_chain_set"),
    *("empathetic_reply_set", "speech", "images", "music", "everything"),
}


@cache
def page(name: str) -> MixturePage:
    return load_mixture(name)


@cache
def miniature(corpus: str) -> tuple[Sample, ...]:
    builder = load_builder(corpus)
    with TemporaryDirectory() as folder:
        root = materialise(builder.MINIATURE, Path(folder))
        return tuple(item for item in builder.samples(root) if isinstance(item, Sample))


def test_all_the_sets_are_there() -> None:
    assert set(PAGES) >= WANTED


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_it_is_and_how_large(name: str) -> None:
    assert page(name).description and (page(name).expected or 0) > 1_000 and page(name).missing == "skip"
    assert not set(PAGES) & {*registry.names("recipes"), *registry.names("data_builders")}


@pytest.mark.parametrize(("name", "number"), PARTS)
def test_every_part_asks_its_corpus_and_reads_the_answers(name: str, number: int) -> None:
    part: Part = page(name).mixture[number]
    plan = Plan(part, seed=0, validation_rows=None)
    asked = [item for item in plan.asked(iter(miniature(part.corpus))) if not hasattr(item, "reason")]
    assert asked, f"nothing of {part.corpus} can be asked: {reasons(plan, part)}"
    for item in asked:
        reading = plan.template.read(plan.template.answer_of(item))
        several = reading if isinstance(reading, tuple) else (reading,)
        for slot, answer in zip(plan.template.slots, several, strict=True):
            assert not isinstance(answer, Unreadable)
            assert slot.how.gold(answer.value, slot.space) == item.gold[slot.name]


def reasons(plan: Plan, part: Part) -> set[str]:
    return {str(getattr(item, "reason", "")) for item in plan.asked(iter(miniature(part.corpus)))}
