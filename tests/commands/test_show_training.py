"""Methods of training and rewards are found: listed, and shown with what they need and who uses them."""

from __future__ import annotations

import json

import pytest

from affectllm import registry
from affectllm.cli import main
from affectllm.train.pages.reward_page import RewardPage, objection
from affectllm.train.rewards.named import NAMED


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_every_reward_is_listed_with_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in json.loads(said(capsys, "ls", "rewards", "--json"))}
    assert set(rows) == {*NAMED, "METRIC", "FILE.py:FUNCTION"}
    assert all(len(row["what"].split()) > 4 and not row["what"].startswith("Make") for row in rows.values())
    assert rows["model"]["options"].startswith("path") and "method: reward" in rows["model"]["needs"]


def test_a_word_finds_a_method_and_a_reward(capsys: pytest.CaptureFixture[str]) -> None:
    assert "grpo" in said(capsys, "ls", "methods", "relative")
    assert "wheel_agreement" in said(capsys, "ls", "rewards", "thought")


@pytest.mark.parametrize("name", sorted(registry.names("methods")))
def test_a_method_shows_its_keys_and_its_recipes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = said(capsys, "show", "method", name)
    for recipe, path in registry.names("recipes").items():
        uses = f"\nmethod: {name}\n" in path.read_text(encoding="utf-8")
        assert not uses or f"recipe  {recipe}\n" in shown
    assert "trainer.output_dir" in shown and "fields of" in shown


@pytest.mark.parametrize(
    ("name", "own"),
    [("grpo", "from_step:"), ("head", "class_weights:"), ("contrastive", "sentiment_weight:"), ("distil", "lmbda:")],
)
def test_a_method_shows_the_keys_that_are_its_own(name: str, own: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert own in said(capsys, "show", name)
    assert own not in said(capsys, "show", "sft")


@pytest.mark.parametrize("name", sorted(NAMED))
def test_what_must_be_given_is_what_the_reward_asks_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shown = json.loads(said(capsys, "show", "reward", name, "--json"))
    bare = objection([RewardPage(name)])
    assert bool(shown["required"]) == (bare is not None)
    assert bare is None or all(option in bare[1].what for option in shown["required"])
    assert f"reward: {name}" in said(capsys, "show", "reward", name)
