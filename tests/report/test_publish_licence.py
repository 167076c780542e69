"""Licence arithmetic: the strictest wins, in any order, and one more corpus never makes anything freer."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.corpus import CorpusCard
from affectllm.report.cards.licence import KNOWN, OTHER, card_terms, verdict

PLAIN = CorpusCard(
    name="plain",
    title="Plain",
    citation="A. Tester 2026",
    url="https://example.org",
    obtain="made here",
    licence="CC0-1.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("text",),
    spaces=(),
    raters={},
    counts={},
    split_policy="none",
)


def card(licence: str, name: str = "", **fields: object) -> CorpusCard:
    return dataclasses.replace(PLAIN, name=name or licence.lower(), licence=licence, **fields)  # type: ignore[arg-type]


cards = st.builds(
    card,
    licence=st.sampled_from([*(licence.spdx for licence in KNOWN.values()), "research only", "custom"]),
    name=st.sampled_from("abcdefgh"),
    access=st.sampled_from(["open", "request", "eula"]),
    redistribution=st.booleans(),
    commercial=st.booleans(),
)
mixtures = st.lists(cards, max_size=6, unique_by=lambda c: c.name)


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        ([], "cc0-1.0"),
        (["CC0-1.0"], "cc0-1.0"),
        (["Apache-2.0"], "apache-2.0"),
        (["apache-2.0", "CC0-1.0"], "cc-by-4.0"),
        (["MIT", "CC-BY-4.0"], "cc-by-4.0"),
        (["CC-BY-4.0", "CC-BY-NC-4.0"], "cc-by-nc-4.0"),
        (["CC-BY-4.0", "CC-BY-ND-4.0"], "cc-by-nd-4.0"),
        (["CC-BY-NC-4.0", "CC-BY-ND-4.0"], "cc-by-nc-nd-4.0"),
        (["CC-BY-NC-SA-4.0", "CC-BY-NC-4.0", "MIT"], "cc-by-nc-sa-4.0"),
        (["ODbL-1.0", "CC-BY-4.0"], "odbl"),
        (["GPL-3.0-only", "GPL-3.0-or-later"], "gpl-3.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], OTHER),
        (["CC-BY-NC-SA-4.0", "CC-BY-SA-4.0"], OTHER),
        (["ODbL-1.0", "CC-BY-NC-SA-4.0"], OTHER),
        (["CC-BY-4.0", "ask the authors"], OTHER),
    ],
)
def test_the_strictest_wins(licences: list[str], expected: str) -> None:
    decided = verdict(card(name) for name in licences)
    assert decided.hub == expected
    assert bool(decided.conflicts) == (expected == OTHER)


def test_terms_name_the_corpora_that_bring_them() -> None:
    decided = verdict([card("CC-BY-NC-4.0", "chat"), card("MIT", "posts", commercial=False), card("CC0-1.0", "free")])
    assert decided.terms == {"attribution": ("chat", "posts"), "noncommercial": ("chat", "posts")}
    assert decided.hub == "cc-by-nc-4.0"


def test_a_permissive_licence_with_a_restricting_field_is_not_permissive() -> None:
    assert verdict([card("GPL-3.0", commercial=False)]).hub == OTHER
    assert "agreement" in verdict([card("CC-BY-4.0", access="eula")]).terms


def test_a_corpus_that_forbids_it_is_named_with_licence_and_access() -> None:
    decided = verdict([card("CC-BY-4.0"), card("research only", "iemo", access="eula", redistribution=False)])
    assert not decided.publishable and list(decided.forbidden) == ["iemo"]
    assert "research only" in decided.forbidden["iemo"] and "signed agreement" in decided.forbidden["iemo"]


@given(mixtures, st.randoms())
def test_the_order_of_corpora_does_not_matter(mixture: list[CorpusCard], random) -> None:
    shuffled = random.sample(mixture, len(mixture))
    assert verdict(mixture) == verdict(shuffled) == verdict([*mixture, *shuffled])


@given(mixtures, cards)
def test_one_more_corpus_never_makes_anything_freer(mixture: list[CorpusCard], another: CorpusCard) -> None:
    another = dataclasses.replace(another, name="z")
    before, after = verdict(mixture), verdict([*mixture, another])
    for term, names in before.terms.items():
        assert set(names) <= set(after.terms[term])
    assert set(before.forbidden) <= set(after.forbidden)
    assert before.hub != OTHER or after.hub == OTHER
    assert set(before.conflicts) == set() or after.conflicts


@given(mixtures)
def test_the_licence_says_every_term_of_every_corpus(mixture: list[CorpusCard]) -> None:
    decided = verdict(mixture)
    everything = {term for member in mixture for term in card_terms(member)}
    assert set(decided.terms) == everything
    if decided.hub != OTHER:
        terms = next(licence.terms for licence in KNOWN.values() if licence.hub == decided.hub)
        assert everything <= terms


def test_a_card_that_forbids_more_than_its_licence_is_followed() -> None:
    stricter = card("CC-BY-4.0", commercial=False)
    assert verdict([stricter]).hub == "cc-by-nc-4.0" and verdict([card("MIT", commercial=False)]).hub == "cc-by-nc-4.0"


@pytest.mark.parametrize("access", ["request", "eula"])
def test_whatever_is_not_open_brings_an_agreement(access: str) -> None:
    assert "agreement" in card_terms(card("CC0-1.0", access=access)) and not card_terms(card("CC0-1.0"))
