"""Hints of emotions by models that a recipe trains: TRAIN out of fold, the rest by a model of all of TRAIN."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from evaluating import use
from meld_made import write_meld

from affectllm import registry
from affectllm.cli import main
from affectllm.corpus import TRAIN, Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError
from affectllm.hinting.by_recipe import IDS, RecipeModel
from affectllm.hinting.make import make_hints
from affectllm.hinting.page import load_hint_page
from affectllm.hints.table import FILE, read_hints
from affectllm.instruct.conversation import Conversation
from affectllm.model.load import load_model
from affectllm.respond.in_process import InProcess

PART = "{corpus: meld, template: emotion_choice, space: meld_7, rater: annotators, modalities: [text]}"
RECIPE = """
description: a tiny model of invented utterances
method: {method}
data: {{mixture: [{parts}]}}
model: {{path: tiny:qwen2, backbone: qwen2, dtype: float32{frozen}}}
trainer: {{max_steps: 2, learning_rate: 1.0e-2, bf16: false, eval_strategy: "no", save_strategy: "no"}}
"""


@pytest.fixture
def meld(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_meld(tmp_path / "meld", 12, 3)
    use(monkeypatch, {"meld": root})
    return root


def recipe(folder: Path, method: str = "sft", *parts: str) -> Path:
    path = folder / "tiny_meld.yaml"
    frozen = ", freeze: [language]" if method == "head" else ""
    path.write_text(RECIPE.format(method=method, parts=", ".join(parts or (PART,)), frozen=frozen), encoding="utf-8")
    return path


@pytest.mark.thorough
@pytest.mark.slow(minutes=1.5)
@pytest.mark.parametrize("method", ["sft", "head"])
def test_each_training_sample_is_predicted_by_the_model_that_has_not_seen_its_dialogue(
    method: str, meld: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, out = tmp_path / "mine.yaml", tmp_path / "out"
    page.write_text(f"corpus: meld\nkind: emotions\nrecipe: {recipe(tmp_path, method)}\nfolds: 2\ntop: 2\n")
    assert main(["hint", str(page), "--root", f"meld={meld}", "--out", str(out)]) == 0
    assert "train: 12 given" in capsys.readouterr().out
    hints = {hint.sample: hint for hint in read_hints(out / FILE)}
    samples = {one.id: one for one in load_builder("meld").samples(meld) if isinstance(one, Sample)}
    assert hints.keys() == samples.keys() and not any(hint.seen for hint in hints.values())
    for hint in hints.values():
        assert math.fsum(hint.values.values()) == pytest.approx(1) and str(hint.words).startswith("Likely emotions: ")
        assert hint.source.endswith("tiny_meld.yaml")
    train = {name for name, one in samples.items() if one.split == TRAIN}
    learned = {place: set((place / IDS).read_text().split()) for place in (out / "folds").iterdir()}
    whole = [place for place, ids in learned.items() if ids == train]
    folds = [place for place in learned if place not in whole]
    assert len(whole) == 1 and len(folds) == 2
    first, second = (learned[place] for place in folds)
    assert first | second == train and not first & second
    assert not {samples[one].dialogue for one in first} & {samples[one].dialogue for one in second}
    for place in learned:
        rows = pq.read_table(place / "build/conversations/train-00000-of-00001.parquet").column("sample").to_pylist()
        assert set(rows) == learned[place]
    if method == "sft":
        held = samples[min(second)]
        assert _shares(folds[0], held, meld) == pytest.approx(hints[held.id].values, abs=1e-5)
        assert _shares(whole[0], held, meld) != pytest.approx(hints[held.id].values, abs=1e-5)


def _shares(place: Path, sample: Sample, root: Path) -> dict[str, float]:
    """What the model of a run says of a sample."""
    loaded = load_model(str(place / "train/final"))
    loaded.model.eval()
    template = RecipeModel.of(str(place / "recipe.yaml"), ("data.mixture.0.ids=null",), root, place).template
    conversation: Any = Conversation.unlabelled(sample, template)
    names = template.space.names
    choices = [template.worded({template.slots[0].name: name}) for name in names]
    asked = [(conversation.asked, choices)]
    ((_, scores),) = InProcess(loaded, end_of_turn=True).likelihoods(asked, {"meld": root})
    weights = [math.exp(score) for score in scores]  # type: ignore[union-attr]
    return {name: weight / math.fsum(weights) for name, weight in zip(names, weights, strict=True)}


@pytest.mark.parametrize(
    ("method", "parts", "overrides", "message"),
    [
        ("sft", (PART, PART.replace("text]", "text], weight: 2, stage: 1")), (), "several parts"),
        ("contrastive", (PART,), (), "answers nothing"),
        ("sft", (PART,), ("data.mixture.0.hints=[meld_top_emotions]",), "has ids, hints, pairs or person"),
    ],
)
def test_a_recipe_that_cannot_give_shares_is_refused(
    method: str, parts: tuple[str, ...], overrides: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    with pytest.raises(AffectError, match=message):
        RecipeModel.of(str(recipe(tmp_path, method, *parts)), overrides, tmp_path, tmp_path)


@pytest.mark.parametrize("name", registry.names("recipes/hints"))
def test_a_page_that_ships_loads_and_its_recipe_learns_from_its_corpus(name: str, tmp_path: Path) -> None:
    page = load_hint_page(name)
    recipe = getattr(page.options, "recipe", "")
    corpus = RecipeModel.of(recipe, page.options.overrides, tmp_path, tmp_path).part.corpus if recipe else page.corpus
    assert corpus == page.corpus and bool(page.how.depends(page.options)) == bool(recipe)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("recipe: head_tiny", "learns from demo_affect, and the hints are of meld"),
        ("recipe: contrastive_tiny", "cannot make hints"),
    ],
)
def test_a_recipe_that_is_of_no_use_is_told_with_its_line(line: str, message: str, meld: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"corpus: meld\nkind: emotions\n{line}\n")
    page = load_hint_page(str(tmp_path / "mine.yaml"))
    with pytest.raises(AffectError, match=message) as caught:
        make_hints(page, meld, tmp_path / "out")
    assert caught.value.where.endswith("mine.yaml:3")
