"""The ready-made mixtures: every page loads, every part asks something of its corpus, and reads what it answers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from evaluating import hint_tables

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import BadRecipe
from affectllm.instruct import Unreadable
from affectllm.instruct.mixture_page import MixturePage, load_mixture
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.sampling import Plan

PAGES = list(registry.names("recipes/mixtures"))
PARTS = [(name, number) for name in PAGES for number in range(len(load_mixture(name).mixture))]
WANTED = {
    *("aaid_like", "affectgpt_like", "r1_omni_like", "emotion_llama_like", "empathy_chain_set"),
    *("empathetic_reply_set", "speech", "images", "music", "everything"),
}


@pytest.fixture(autouse=True)
def tables_of_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTLLM_HINTS", str(hint_tables()))


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
    # The few rows of a miniature are not in every language of its corpus.
    spoken = [replace(item, language=part.languages[0] if part.languages else None) for item in miniature(part.corpus)]
    asked = [item for item in plan.asked(iter(spoken)) if not hasattr(item, "reason")]
    assert asked, f"nothing of {part.corpus} can be asked: {reasons(plan, spoken)}"
    for item in asked:
        reading = plan.template.read(plan.template.answer_of(item))
        several = reading if isinstance(reading, tuple) else (reading,)
        for slot, answer in zip(plan.template.slots, several, strict=True):
            assert not isinstance(answer, Unreadable)
            assert slot.how.gold(answer.value, slot.space) == item.gold[slot.name]


def roots(folder: Path, *corpora: str) -> list[str]:
    """Miniatures on disk, as the command line takes them."""
    folders = [materialise(load_builder(name).MINIATURE, folder / name) for name in corpora]
    return [word for root in folders for word in ("--root", f"{root.name}={root}")]


def test_statistics_are_told_of_what_a_filter_leaves_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    arguments = roots(tmp_path, "goemotions", "isear", "emobank")
    options = ["--only", "commercial", "--stats", "--out", str(tmp_path / "out")]
    assert main(["build", "everything", *arguments, *options]) == 0
    out = capsys.readouterr().out
    left_out = [line.split()[2] for line in out.splitlines() if line.strip().startswith("left out")]
    assert left_out == ["isear", "emobank"], "EmoBank holds headlines of SemEval-2007, whose licence is for research"
    assert "goemotions_28 by crowd" in out and "isear_7" not in out


def test_a_misspelt_root_is_not_taken_for_a_corpus_that_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = roots(tmp_path, "goemotions")
    assert main(["build", "everything", *arguments, "--root", f"isaer={tmp_path}", "--out", str(tmp_path / "out")]) == 2
    assert "no corpus called 'isaer'" in (stderr := capsys.readouterr().err) and "isear" in stderr


def test_a_broken_template_of_ones_own_is_named_with_its_line(tmp_path: Path) -> None:
    page, wording = tmp_path / "page.yaml", tmp_path / "mine.yaml"
    wording.write_text("version: 1\nform: set\nen:\n  questions: [a]\n  held_out: [b, c]\n", encoding="utf-8")
    part = f"corpus: goemotions, template: {wording}, space: goemotions_28, rater: crowd, modalities: [text]"
    page.write_text(f"mixture:\n  - {{{part}}}\n", encoding="utf-8")
    with pytest.raises(BadRecipe) as caught:
        load_mixture(str(page))
    assert "page.yaml:2" in str(caught.value) and "mine.yaml:4" in str(caught.value)


def reasons(plan: Plan, samples: list[Sample]) -> set[str]:
    return {str(getattr(item, "reason", "")) for item in plan.asked(iter(samples))}


def test_each_tweet_is_asked_in_its_own_language() -> None:
    asked: dict[str, set[str]] = {}
    for part in page("everything").mixture:
        if part.corpus == "semeval2018_task1":
            asked.setdefault(part.template, set()).add(part.language)
            assert part.languages == (part.language,)
            plan = Plan(part, seed=0, validation_rows=None)
            others = [item for item in miniature(part.corpus) if item.language != part.language]
            assert others and reasons(plan, others) == {"other_language"}
    assert asked and all(languages == {"en", "ar", "es"} for languages in asked.values())
