"""Rewards: right answers pay, saying everything does not, and a real trainer takes them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wheel_tables import write_2025

from affectllm.errors import Malformed
from affectllm.labels.reading import Unreadable
from affectllm.metrics import rewards
from affectllm.metrics.rewards import PENALTIES, concordance_rewards, format_reward, r1_omni_reward
from affectllm.metrics.wheels import item_f1, read_tables

# Words of the hand-made wheels, all in different places of some wheel.
WORDS = ["gleeful", "bold", "tearful", "jittery", "livid", "spooked", "merry", "daring", "gloomy", "fuming"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory):
    return read_tables(write_2025(tmp_path_factory.mktemp("tables")), "2025")


def sample(gold: object, **fields: object) -> dict:
    return {"gold": gold, **fields}


def answered(labels: list[str]) -> str:
    return f"<think>I look closely.</think><answer>{', '.join(labels)}</answer>"


def test_conversations_and_parts_are_completions_too() -> None:
    message = [{"role": "user", "content": "anger"}, {"role": "assistant", "content": "joy"}]
    parts = [{"role": "assistant", "content": [{"type": "text", "text": "jo"}, {"type": "text", "text": "y"}]}]
    assert r1_omni_reward([message, parts, [], [{"role": "assistant"}]], [sample("joy")] * 4) == [1, 1, 0, 0]


@pytest.mark.parametrize(
    ("text", "paid"),
    [
        ("<think>a\nb</think>\n <answer>joy</answer>", 1),
        ("<think></think><answer></answer>", 1),
        ("<answer>joy</answer>", 0),
        ("<think>a</think> so <answer>joy</answer>", 0),
        ("<think>a</think><answer>joy</answer>.", 0),
        ("", 0),
    ],
)
def test_format(text: str, paid: int) -> None:
    assert format_reward([text], prompts=["ignored"]) == [paid]


def test_defect_d11_r1_omni_minds_case_and_format() -> None:
    texts = ["<answer>joy</answer>", " joy ", "<answer>Joy</answer>", "joy.", "<answer>joy\n</answer>"]
    assert r1_omni_reward(texts, [sample("joy")] * 5) == [1, 1, 0, 0, 0]


def test_length_penalties_worked_out_by_hand() -> None:
    said, gold = 5, 2
    assert rewards.length_penalty(said, gold, "inverse") == 1 / 4
    assert rewards.length_penalty(said, gold, "ratio") == 2 / 5
    assert rewards.length_penalty(said, gold, "log") == math.log(2) / math.log(5)
    assert rewards.length_penalty(5, 1, "log") == math.log(2) / math.log(6)
    assert rewards.length_penalty(5, 2, None) == 1


@given(st.integers(0, 50), st.integers(1, 50), st.sampled_from(sorted(PENALTIES)))
def test_penalties_are_shares_that_fall_with_length_and_spare_short_answers(said: int, gold: int, name: str) -> None:
    factor = rewards.length_penalty(said, gold, name)
    assert factor == 1 if said <= gold else 0 < factor < 1
    assert rewards.length_penalty(said + 1, gold, name) <= factor


@pytest.mark.parametrize("penalty", [None, *sorted(PENALTIES)])
@given(gold=st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=3))
def test_saying_everything_loses(tables, penalty: str | None, gold: list[str]) -> None:
    reward, plain = (rewards.wheel_f1_reward(tables, 1, name) for name in (penalty, None))
    samples = [sample(gold)] * 2
    right, everything = reward([answered(gold), answered(WORDS)], samples)
    assert right == pytest.approx(1) and everything < right
    assert everything <= plain([answered(WORDS)], samples[:1])[0]
    if penalty:
        assert everything < plain([answered(WORDS)], samples[:1])[0]


@pytest.mark.parametrize("level", [1, 2])
@given(
    pairs=st.lists(st.tuples(*[st.lists(st.sampled_from(WORDS), unique=True, min_size=1, max_size=4)] * 2), min_size=1)
)
def test_wheel_reward_is_the_items_f_times_the_penalty(tables, level: int, pairs) -> None:
    golds, predicted = map(list, zip(*pairs, strict=True))
    values = rewards.wheel_f1_reward(tables, level, "ratio")(
        [answered(p) for p in predicted], [sample(g) for g in golds]
    )
    expected = item_f1(golds, predicted, tables, level) * [min(1, len(g) / len(p)) for g, p in pairs]
    assert values == pytest.approx(list(expected)) and all(0 <= value <= 1 for value in values)


def test_wheel_reward_needs_the_tag_unless_told_otherwise(tables) -> None:
    texts, samples = ["[gleeful]", "<think>gleeful</think>", "<answer></answer>"], [sample(["gleeful"])] * 3
    assert rewards.wheel_f1_reward(tables)(texts, samples) == [0, 0, 0]
    assert rewards.wheel_f1_reward(tables, tagged=False)(texts, samples) == [1, 0, 0]
    assert rewards.wheel_f1_reward(tables).__name__ == "wheel_f1_level1_log"


numbers = st.floats(-1, 1, allow_subnormal=False).map(lambda number: round(number, 3))
LOST = Unreadable("no_number", "?")


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=20))
def test_the_mean_of_concordance_rewards_is_the_ccc(pairs) -> None:
    gold, predicted = map(np.array, zip(*pairs, strict=True))
    values = concordance_rewards(list(predicted), list(gold))
    spread = gold.var() + predicted.var() + (gold.mean() - predicted.mean()) ** 2
    if spread > 1e-9:
        ccc = 2 * ((gold - gold.mean()) * (predicted - predicted.mean())).mean() / spread
        assert np.mean(values) == pytest.approx(ccc, abs=1e-6)
    assert max(values) <= 1


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=9))
def test_an_unreadable_number_never_pays_more_than_a_wrong_one(pairs) -> None:
    gold, predicted = map(list, zip(*pairs, strict=True))
    values = concordance_rewards([*predicted, LOST, LOST], [*gold, 0.5, 0.5])
    assert values[-1] == values[-2] <= min(-1, *values[:-2])


def test_concordance_of_right_constant_and_lost_batches() -> None:
    assert concordance_rewards([0.5, 0.5], [0.5, 0.5]) == [1, 1]
    assert concordance_rewards([0.1], [0.5]) == [0]
    assert concordance_rewards([LOST, LOST], [0.5, 0.5]) == [-1, -1]


def test_bad_samples_are_explained() -> None:
    with pytest.raises(Malformed, match="1 completions for 0 samples"):
        r1_omni_reward(["joy"], [])
    with pytest.raises(Malformed, match="no 'gold'"):
        r1_omni_reward(["joy"], [{}])
    with pytest.raises(Malformed, match="not finite"):
        concordance_rewards([0.5], [math.nan])


def test_bad_wheel_rewards_are_explained(tables) -> None:
    with pytest.raises(Malformed, match="no length penalty"):
        rewards.wheel_f1_reward(tables, penalty="quadratic")
    with pytest.raises(Malformed, match="no gold labels"):
        rewards.wheel_f1_reward(tables)(["<answer>bold</answer>"], [sample([])])


@pytest.mark.slow
def test_grpo_trainer_takes_every_reward(tables, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    from affectllm.model.tiny import tiny_folder

    folder = tiny_folder("qwen2")
    seen: list[list[str]] = []

    def numeric(completions, samples, **_):
        seen.append([rewards.text_of(completion) for completion in completions])
        return concordance_rewards([0.5] * len(samples), [0.5] * len(samples))

    rows = [{"prompt": "Which emotion?", "samples": {"gold": ["joy"]}}] * 4
    config = GRPOConfig(
        output_dir=str(tmp_path),
        max_steps=1,
        num_generations=2,
        per_device_train_batch_size=2,
        max_completion_length=8,
        use_cpu=True,
        bf16=False,
        report_to=[],
        save_strategy="no",
    )
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder),
        processing_class=AutoTokenizer.from_pretrained(folder),
        reward_funcs=[format_reward, rewards.wheel_f1_reward(tables), numeric],
        args=config,
        train_dataset=Dataset.from_list(rows),
    )
    trainer.train()
    logged = trainer.state.log_history[0]
    assert seen and len(seen[0]) == 2
    for name in ("format_reward", "wheel_f1_level1_log"):
        assert 0 <= logged[f"rewards/{name}/mean"] <= 1
    assert math.isfinite(logged["rewards/numeric/mean"]) and logged["rewards/numeric/mean"] <= 1
