"""Rewards that fail say where; rewards of groups, of wheels and of trained reward models are what they should be."""

from __future__ import annotations

import asyncio
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tuning import GRADED, PAGE, logged, page_of
from wheel_tables import write_2025

from affectllm.errors import AffectError, BadRecipe, Malformed, NotFound
from affectllm.instruct.conversation import Conversation
from affectllm.model.heads.folder import load_head
from affectllm.report.html import render_report
from affectllm.respond.heads import HeadResponder
from affectllm.train.data import load_rows
from affectllm.train.pages.reward_page import RewardPage, check_reward_models, reward_functions
from affectllm.train.recipe import load_recipe
from affectllm.train.rewards.by_model import ModelReward
from affectllm.train.rewards.checked import checked
from affectllm.train.rewards.of_groups import begun, trust, trusted
from affectllm.train.rewards.untaught import ALIKE, CUT, untaught
from affectllm.train.stage import train

REPLIES = ["calm", "joy", "anger"]
SAMPLES = [{"id": f"clip_{number}"} for number in range(3)]
WORDS = {**PAGE["data"]["mixture"][0], "modalities": ["text"], "rater": "words", "rejected": "other_label"}
TOY = GRADED["reward"].removesuffix("thirds")


def on_joy(value: Any) -> Any:
    """A reward that does something for the reply joy; an exception is raised, anything else given."""

    def reward(completions: list[str], **_: Any) -> list[Any]:
        values = []
        for text in completions:
            if text == "joy" and isinstance(value, BaseException):
                raise value
            values.append(value if text == "joy" else 0.5)
        return values

    return reward


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (ZeroDivisionError("division by zero"), r"raises ZeroDivisionError: division by zero \(test_reward_func"),
        (KeyError("value"), "raises KeyError: 'value'"),
        (SystemExit(0), r"raises SystemExit: 0 \(test_reward_func"),
        (Malformed("it has no gold", do="give one"), "it has no gold"),
        (math.nan, "gives nan"),
        (np.inf, "gives an infinite number"),
        ("0.5", "gives '0.5'"),
        ([1.0], r"gives \[1.0\]"),
    ],
)
def test_a_reward_that_fails_says_which_row_and_which_reply(value: Any, message: str) -> None:
    with pytest.raises(AffectError, match=message) as caught:
        checked(on_joy(value), "kindness")(completions=REPLIES, samples=SAMPLES)
    assert caught.value.where == "clip_1"
    assert "the reward kindness" in str(caught.value) and "'joy'" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"), [([1.0, 1.0], "2 values for 3 replies"), (None, "returns NoneType"), (0.5, "returns float")]
)
def test_a_reward_gives_a_number_for_each_reply(values: Any, message: str) -> None:
    with pytest.raises(AffectError, match=message) as caught:
        checked(lambda **_: values, "kindness")(completions=REPLIES, samples=SAMPLES)
    assert caught.value.where == "clip_0"


def test_numbers_of_any_library_and_no_judgement_are_taken() -> None:
    values = [np.float32(0.5), None, True]
    assert checked(lambda **_: values, "kindness")(completions=REPLIES, samples=SAMPLES) == [0.5, None, 1.0]


def test_an_asynchronous_reward_stays_one_and_says_as_much() -> None:
    async def reward(completions: list[str], **_: Any) -> list[float]:
        return on_joy(ValueError("no"))(completions) if "joy" in completions else [1.0] * len(completions)

    judged = checked(reward, "kindness")
    assert asyncio.run(judged(completions=["calm"], samples=SAMPLES[:1])) == [1.0]  # type: ignore[arg-type]
    with pytest.raises(AffectError, match="raises ValueError: no") as caught:
        asyncio.run(judged(completions=REPLIES, samples=SAMPLES))  # type: ignore[arg-type]
    assert caught.value.where == "clip_1"


def test_a_reward_that_raises_ends_the_training_in_one_clear_error(small_demo: Path, tmp_path: Path) -> None:
    model = {"path": "tiny:qwen2", "backbone": "qwen2"}
    part = {key: value for key, value in WORDS.items() if key != "rejected"}
    page = page_of("grpo", tmp_path, rewards=[{"reward": f"{TOY}breaks"}], model=model, data={"mixture": [part]})
    with pytest.raises(AffectError, match=r"breaks raises ZeroDivisionError.*toy_rewards.py") as caught:
        train(
            str(page),
            ["trainer.per_device_train_batch_size=40", "trainer.max_steps=1"],
            [f"demo_affect={small_demo}"],
            tmp_path / "run",
        )
    rows = {row["id"]: row["value"] for row in load_rows(tmp_path / "run" / "build", "train")}
    assert rows[caught.value.where] == "sadness" and "it was given the reply" in caught.value.do


def test_rewards_of_one_name_are_told_apart() -> None:
    names = [one.__name__ for one in reward_functions([RewardPage("format"), RewardPage("format"), RewardPage("uar")])]
    assert names == ["format_reward", "format_reward_2", "uar_reward"]


@pytest.mark.parametrize(
    ("group", "weight"),
    [
        ([(0.9, True), (0.7, True), (0.4, False)], 1.0),
        ([(0.3, True), (0.5, False), (0.9, False)], math.exp(0.3 - 0.7)),
        ([(0.3, True), (None, True), (0.5, False), (0.9, None)], math.exp(-0.2)),
        ([(0.1, True), (0.2, True)], 1.0),
        ([(0.9, False)], 1.0),
        ([], 1.0),
    ],
)
def test_a_reward_is_trusted_as_far_as_right_replies_have_more_of_it(group: Any, weight: float) -> None:
    assert trust(group) == pytest.approx(weight)


def test_each_group_has_a_weight_of_its_own() -> None:
    reward: Any = lambda completions, **_: [0.2, 0.8, None, 0.8, 0.2]  # noqa: E731
    judge: Any = lambda completions, **_: [1.0, 0.4, None, 1.0, 0.0]  # noqa: E731
    samples, log = [{"id": name} for name in "aaabb"], {}
    values = trusted(reward, judge, 1.0)(completions=[""] * 5, samples=samples, log_metric=log.__setitem__)
    a = math.exp(0.2 - 0.8)
    assert values == pytest.approx([0.2 * a, 0.8 * a, None, 0.8, 0.2])
    assert log["trust"] == pytest.approx((3 * a + 2) / 5)
    values = trusted(reward, judge, 0.4)(completions=[""] * 5, samples=samples)
    assert values[:2] == [0.2, 0.8], "both are right, and nothing speaks against the reward"


def test_a_reward_that_begins_later_is_not_asked_before() -> None:
    asked: list[int] = []

    def reward(completions: list[str], **_: Any) -> list[float]:
        asked.append(len(completions))
        return [0.5] * len(completions)

    later = begun(reward, 3)
    values = [later(completions=["", ""], trainer_state=SimpleNamespace(global_step=step)) for step in (0, 2, 3, 9)]
    assert values == [[0, 0], [0, 0], [0.5, 0.5], [0.5, 0.5]] and asked == [2, 2]


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ([{"reward": "format", "from_step": -1}, GRADED], "from_step of format is -1"),
        ([{"reward": "format", "trust": {"by": "format"}}, GRADED], "format is trusted by format"),
        ([{"reward": "format", "trust": {"by": "reading"}}], "there is none"),
        ([{"reward": "format", "trust": {"by": f"{TOY}later"}}, {"reward": f"{TOY}later"}], "asynchronous"),
        ([{"reward": f"{TOY}later", "from_step": 3}], "asynchronous"),
        ([{"reward": "model", "options": {"folder": "x"}}], "does not take these options"),
        ([{"reward": "ccc"}], "the reward ccc does not go with the template emotion_choice"),
        ([{"reward": "jaccard"}], "they are scored as label values"),
        ([{"reward": "cohen_kappa"}], "agreement beyond chance is undefined"),
        ([{"reward": "wheel_agreement", "options": {"tables": "2025"}}], "emotion wheels of 2025"),
    ],
)
def test_schedules_that_cannot_be_kept_are_refused(
    rewards: list[Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFFECTLLM_WHEELS", raising=False)
    with pytest.raises(BadRecipe, match=message):
        load_recipe(str(page_of("grpo", tmp_path, rewards=rewards)))


def test_rewards_that_taught_nothing_are_told() -> None:
    alike = [{ALIKE: 1.0, CUT: 0.5, "loss": 0.0}, {ALIKE: 1.0, CUT: 1.0}, {"eval_loss": 1.0}]
    assert ["same reward" in line for line in untaught(alike, 4, {}, masked=True)] == [True]
    cut = [{ALIKE: 0.5, CUT: 1.0}, {ALIKE: 1.0, CUT: 1.0}]
    (line,) = untaught(cut, 4, {}, masked=True)
    assert "every reply was cut off" in line and not untaught(cut, 4, {}, masked=False)
    (line,) = untaught(cut, 4, {"reading": 4, "format": 3}, masked=False)
    assert "reading never began" in line
    assert not untaught([], 4, {}, masked=True)


@pytest.fixture(scope="module")
def reward_model(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a reward model that has read a few pairs of words."""
    out = tmp_path_factory.mktemp("reward")
    model = {"path": "tiny:qwen2", "backbone": "qwen2"}
    trainer = {"max_steps": 8, "per_device_train_batch_size": 16, "save_strategy": "no", "learning_rate": 3.0e-3}
    page = page_of("reward", out, data={"mixture": [WORDS]}, model=model, trainer=trainer)
    train(str(page), [], [f"demo_affect={small_demo}"], out / "run")
    return out / "run" / "train" / "final"


@pytest.mark.slow
def test_a_reward_model_scores_sampled_replies(reward_model: Path, small_demo: Path, tmp_path: Path) -> None:
    """As it scores the same conversations by itself; from a step on, and weighted by its trust."""
    rows = [Conversation.from_row(row) for row in load_rows(reward_model.parents[1] / "build", "train")][:3]
    responder = HeadResponder(load_head(str(reward_model)))
    own = dict(responder.outputs([one.answered() for one in rows], {"demo_affect": small_demo}))
    raw, squashed = (
        reward_functions([RewardPage("model", options={"path": str(reward_model), "squashed": how})])[0]
        for how in (False, True)
    )
    given = {"prompts": [list(one.asked) for one in rows], "completions": [one.answer for one in rows]}
    assert raw(**given) == pytest.approx([float(own[number][0]) for number in range(3)], abs=1e-5)
    assert squashed(**given) == pytest.approx([1 / (1 + math.exp(-float(own[n][0]))) for n in range(3)], abs=1e-5)
    part = {key: value for key, value in WORDS.items() if key != "rejected"}
    learned = {"reward": "model", "options": {"path": str(reward_model)}, "trust": {"by": "reading"}, "from_step": 1}
    rewards = [GRADED, {"reward": "reading"}, learned]
    model = {"path": "tiny:qwen2", "backbone": "qwen2"}
    trainer = {"max_steps": 2, "save_strategy": "no"}
    page = page_of("grpo", tmp_path, rewards=rewards, model=model, data={"mixture": [part]}, trainer=trainer)
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    before, after = logged(tmp_path / "run", "rewards/model_reward/mean")
    assert before == 0 and 0 < after < 1
    assert logged(tmp_path / "run", "trust") == [1.0] and logged(tmp_path / "run", "unjudged") == [0.0]
    stored = (tmp_path / "run" / "train" / "manifest.json").read_text(encoding="utf-8")
    assert responder.head.fingerprint in stored


def test_a_reply_that_a_reward_model_cannot_read_is_not_judged(reward_model: Path) -> None:
    reward, log = ModelReward(str(reward_model)), {}
    reward.load({})
    prompts = [[{"role": "user", "content": "What is felt?"}]] * 2
    values = reward(prompts, ["joy", "joy " * 20_000], log_metric=log.__setitem__)
    assert values[0] is not None and values[1] is None and log == {"unjudged": 0.5}


def test_reward_models_are_looked_at_before_any_work(reward_model: Path, tmp_path: Path) -> None:
    check_reward_models([RewardPage("model", options={"path": str(reward_model)}), RewardPage("format")])
    with pytest.raises(NotFound, match="no folder of a head"):
        check_reward_models([RewardPage("model", options={"path": str(tmp_path)})])
    (tmp_path / "head.json").write_bytes((reward_model / "head.json").read_bytes())
    with pytest.raises(AffectError, match=r"has no head\.safetensors"):
        check_reward_models([RewardPage("model", options={"path": str(tmp_path)})])


def test_saying_everything_loses_also_where_thoughts_are_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of replies that name the right words first and then others, in thought and answer, the right ones pay most."""
    monkeypatch.setenv("AFFECTLLM_WHEELS", str(write_2025(tmp_path / "wheels")))
    pages = [
        RewardPage("wheel_f1", options={"tables": "2025", "penalty": "log"}),
        RewardPage("wheel_agreement", 0.4, {"tables": "2025"}),
        RewardPage("format", 0.2),
    ]
    rewards = reward_functions(pages)
    words = ["gleeful", "bold", "tearful", "jittery", "livid", "spooked", "merry", "daring", "gloomy", "fuming"]
    asked = {"page": "tagged_open", "version": 1, "slots": {"answer": ["mer_caption_plus_openset", "model", []]}}
    row = {"corpus": "mer_caption_plus", "language": "en", "asked_by": asked}
    for right in (1, 2, 3):
        gold = ", ".join(words[:right])
        said = range(1, len(words) + 1)
        replies = [f"<think>{', '.join(words[:n])}.</think><answer>{', '.join(words[:n])}</answer>" for n in said]
        samples = [{**row, "id": str(n), "value": gold, "gold": gold} for n in said]
        parts = [reward(completions=replies, samples=samples) for reward in rewards]
        paid = [sum(p.weight * v for p, v in zip(pages, values, strict=True)) for values in zip(*parts, strict=True)]
        assert paid.index(max(paid)) == right - 1 and paid[right - 1] == pytest.approx(1.6)
        assert paid[-1] == min(paid[right - 1 :])


def test_labels_are_taken_out_of_several_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFFECTLLM_WHEELS", str(write_2025(tmp_path / "wheels")))
    (reward,) = reward_functions([RewardPage("wheel_f1", options={"tables": "2025"})])
    slots = {"clues": ["mer_caption_plus_reason", "model", []], "emotions": ["mer_caption_plus_openset", "model", []]}
    row = {"id": "a", "corpus": "mer_caption_plus", "language": "en"}
    value = {"clues": "She laughs.", "emotions": "gleeful, bold"}
    sample = {**row, "asked_by": {"page": "think_open", "version": 1, "slots": slots}, "value": value, "gold": value}
    reply = "<think>She laughs.</think><answer>bold, gleeful</answer>"
    assert reward(completions=[reply], samples=[sample]) == [1.0]
    only = {"page": "affect_reasoning", "version": 2, "slots": {"answer": slots["clues"]}}
    with pytest.raises(AffectError, match="asks 0 times for labels"):
        reward(completions=[reply], samples=[{**sample, "asked_by": only, "value": "She laughs."}])


def test_a_report_says_that_the_rewards_taught_nothing(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    log = [{"step": step, "loss": 0.0, "reward": 1.0} for step in (1, 2)]
    (tmp_path / "train" / "trainer_state.json").write_text(json.dumps({"log_history": log}))
    done = {"stage": "train", "finished": True, "inputs_digest": "", "inputs": {}, "files": {}}
    outputs = {"outputs": {"untaught": ["all replies got the <same> reward"]}}
    (tmp_path / "train" / "manifest.json").write_text(json.dumps({**done, **outputs}))
    page = render_report([tmp_path]).read_text(encoding="utf-8")
    assert "all replies got the &lt;same&gt; reward." in page


def test_a_file_of_rewards_that_exits_does_not_end_the_command(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("import sys\nsys.exit(0)\n")
    page = page_of("grpo", tmp_path, rewards=[{"reward": f"{tmp_path / 'mine.py'}:f"}])
    with pytest.raises(BadRecipe, match="the file of rewards cannot be imported: SystemExit: 0"):
        load_recipe(str(page))
