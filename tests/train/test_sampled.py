"""Methods that sample replies: prompts keep their clips, and are scored with them; rewards rise."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import GRADED, logged, page_of, succeed

from affectllm.corpus import Sample
from affectllm.errors import AffectError, BadRecipe
from affectllm.instruct import load_template
from affectllm.labels import Annotation, LabelSpace
from affectllm.model.encode import Encoder
from affectllm.report.html import render_report
from affectllm.train.arguments import arguments
from affectllm.train.data import load_rows
from affectllm.train.loading import load
from affectllm.train.method import find_method, method_names
from affectllm.train.pages.reward_page import RewardPage, reward_functions
from affectllm.train.recipe import load_recipe
from affectllm.train.rewards.by_reading import template_reward
from affectllm.train.sampled import Sampled
from affectllm.train.stage import train
from affectllm.train.trainer import trainer_class

SAMPLING = [name for name in method_names() if find_method(name).rewarded]
TRAINER = {
    **{"max_steps": 2, "per_device_train_batch_size": 8, "num_generations": 4, "max_completion_length": 6},
    **{"beta": 0.0, "learning_rate": 1.0e-2, "lr_scheduler_type": "constant", "save_strategy": "no"},
}


def made(method: str, folder: Path, root: Path) -> tuple[Any, list[dict[str, Any]]]:
    """A trainer on rows of which every other one has no clip."""
    mixture = json.loads(json.dumps(load_recipe(str(page_of(method, folder))).to_json()))
    part = {key: value for key, value in mixture["data"]["mixture"][0].items() if value}
    words = {**part, "modalities": ["text"], "rater": "words"}
    page = page_of(method, folder, trainer=TRAINER, data={"mixture": [part, words]})
    train(str(page), ["trainer.max_steps=1"], [f"demo_affect={root}"], folder / "run")
    recipe = load_recipe(str(page))
    model = load(recipe)
    encoder = Encoder(model.processor, model.family, model.model.config, recipe.model.budget, {"demo_affect": root})
    rows = load_rows(folder / "run" / "build", "train")
    trainer = trainer_class(find_method(method))(
        model=model.model,
        args=arguments(recipe, folder / "made"),
        train_dataset=rows,
        processing_class=encoder.tokenizer,
        encoder=encoder,
        reward_funcs=reward_functions(recipe.rewards),
    )
    clips = next(row for row in rows if "/text/" not in row["id"])
    plain = next(row for row in rows if "/text/" in row["id"])
    return trainer, [clips] * 4 + [plain] * 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [pytest.param(name, marks=[] if name == "grpo" else [pytest.mark.thorough]) for name in SAMPLING]
)
def test_log_probabilities_are_those_of_one_conversation_alone(method: str, small_demo: Path, tmp_path: Path) -> None:
    trainer, rows = made(method, tmp_path, small_demo)
    result = trainer._generate_and_score_completions(rows)
    ids, mask = (torch.cat([result[f"prompt_{k}"], result[f"completion_{k}"]], 1) for k in ("ids", "mask"))
    marks = set(trainer.generation_config.suppress_tokens)
    assert marks and not marks & set(result["completion_ids"].flatten().tolist())
    trainer.model.eval()
    order = [6, 1, 4, 3]  # as TRL shuffles and splits them
    trainer._scored = order
    with torch.no_grad():
        logs, _, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids[order], mask[order], result["completion_ids"].shape[1], batch_size=2
        )
    for row, own in zip(order, logs, strict=True):
        reply = result["completion_ids"][row][result["completion_mask"][row].bool()]
        assert (own[: len(reply)] - alone(trainer, trainer._held[row], reply)).abs().max() < 1e-4
    silent = trainer._held[1]
    assert silent.media and not trainer._held[6].media
    silent.media["input_features"] = torch.zeros_like(silent.media["input_features"])
    with torch.no_grad():
        changed, _, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids[order], mask[order], result["completion_ids"].shape[1]
        )
    assert (changed - logs).abs().amax(1)[1] > 1e-4  # what is heard matters


def alone(trainer: Any, prompt: Any, reply: torch.Tensor) -> torch.Tensor:
    """The log-probabilities of a reply's tokens, of one whole conversation without padding."""
    inputs = {"input_ids": torch.cat([prompt.input_ids, reply])[None], **trainer.encoder.numbers(prompt.media)}
    after = prompt.positions.max() + 1 + torch.arange(len(reply))
    inputs["position_ids"] = torch.cat([prompt.positions, after.expand(3, -1)], dim=1)[:, None]
    with torch.no_grad():
        logits = trainer.model(**inputs).logits[0, len(prompt.input_ids) - 1 : -1]
    return torch.log_softmax(logits.float(), -1).gather(-1, reply[:, None])[:, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [pytest.param(name, marks=[] if name == "grpo" else [pytest.mark.thorough]) for name in SAMPLING]
)
def test_the_reward_rises(method: str, small_demo: Path, tmp_path: Path) -> None:
    """From a third, which random weights get, to 0.9 and more."""
    trainer = {
        **TRAINER,
        "max_steps": 24,
        "per_device_train_batch_size": 16,
        "num_generations": 8,
        "max_completion_length": 8,
        "learning_rate": 3.0e-3,
    }
    page = page_of(method, tmp_path, trainer=trainer)
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    rewards = logged(tmp_path / "run", "reward")
    assert len(rewards) == 24 and rewards[0] < 0.5 and min(rewards[-3:]) > 0.9
    assert len(logged(tmp_path / "run", "completions/mean_length")) == 24
    written = render_report([tmp_path / "run"]).read_text(encoding="utf-8")
    assert "The reward thirds, the mean over replies by optimisation step" in written
    assert all(f"{title} by optimisation step" in written for title in ("Reward, the mean over replies", "Loss"))
    assert "the mean over replies by optimisation step. Higher is better." in written
    assert "Length of the replies by optimisation step. <span" in " ".join(written.split()), "neither long nor short is"
    rows = [json.loads(line) for line in (tmp_path / "run" / "train" / "replies.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 25)) and rows[-1]["rewards"]["thirds"] > 0.8
    assert "24, the last first" in written and rows[0]["id"] in written


def test_an_adapter_a_reference_and_several_rewards(small_demo: Path, tmp_path: Path) -> None:
    rewards = [
        {**GRADED, "weight": 2.0},
        {"reward": "format"},
        {"reward": "reading"},
        {"reward": "accuracy"},
    ]
    trainer = {**TRAINER, "beta": 0.04, "num_iterations": 2, "max_steps": 3}
    page = page_of("grpo", tmp_path, rewards=rewards, trainer=trainer, peft={"r": 4})
    train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")
    for own in ("thirds", "format_reward", "reading_reward", "accuracy_reward"):
        assert len(logged(tmp_path / "run", f"rewards/{own}/mean")) == 2  # replies are used twice
    total, thirds = (logged(tmp_path / "run", key) for key in ("reward", "rewards/thirds/mean"))
    assert logged(tmp_path / "run", "unreadable") == [1.0, 1.0]  # a model of random weights names no label
    assert total == pytest.approx([2 * value for value in thirds])  # the others are 0
    assert any(value > 0 for value in logged(tmp_path / "run", "kl"))
    assert (tmp_path / "run" / "train" / "final" / "adapter_config.json").is_file()


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("method", SAMPLING)
def test_two_processes_are_rewarded_alike_however_weights_are_sharded(
    method: str, small_demo: Path, tmp_path: Path
) -> None:
    rewards = {}
    for launch in ("ddp", "zero2", "zero3_offload", "fsdp2"):
        page, out = page_of(method, tmp_path, launch=launch, trainer={**TRAINER, "beta": 0.04}), tmp_path / launch
        succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out), "--num-processes", "2")
        rewards[launch] = logged(out, "reward")
    assert len(rewards["ddp"]) == 2 and rewards["ddp"][0] > 0
    assert all(values == pytest.approx(rewards["ddp"], rel=1e-3) for values in rewards.values())


@pytest.mark.parametrize(
    ("rewards", "message", "line"),
    [
        ([], "samples replies and needs rewards", "method: grpo"),
        ([{"reward": "kindnes"}], "no reward called 'kindnes'", "- reward: kindnes"),
        ([{"reward": "format"}, {"reward": "mae"}], "a lower mae is better", "- reward: mae"),
        ([{"reward": "format", "options": {"a": 1}}], "does not take these options", "- options"),
        (
            [{"reward": "format"}, {"reward": "reading", "weight": math.nan}],
            "weight of reading is nan",
            "- reward: reading",
        ),
        (
            [{"reward": "format", "weight": 0}, {"reward": "reading", "weight": 0}],
            "all rewards have weight 0",
            "- reward",
        ),
        ([{"reward": "accuracy", "options": {"a": 1}}], "takes no options", "- options"),
        ([{"reward": "nowhere.py:f"}], "there is no file nowhere.py", "- reward"),
        ([{"reward": "no_module_of_this_name:f"}], "No module named", "- reward"),
        ([{"reward": "json:f"}], "json has no function 'f'", "- reward"),
        ([{"reward": "wheel_f1", "options": {"tables": "2025"}}], "emotion wheels of 2025", "- options"),
    ],
)
def test_rewards_that_cannot_be_had_are_named_with_their_line(
    rewards: list[Any], message: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFFECTLLM_WHEELS", raising=False)
    page = page_of("grpo", tmp_path, rewards=rewards)
    with pytest.raises(BadRecipe, match=message) as caught:
        load_recipe(str(page))
    place = page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1]
    assert place.startswith(line), place


@pytest.mark.parametrize(("name", "message"), [("silent", "no reward gives a number"), ("endless", "infinite")])
def test_a_step_without_rewards_stops_the_run(name: str, message: str, small_demo: Path, tmp_path: Path) -> None:
    reward = {"reward": GRADED["reward"].replace("thirds", name)}
    page = page_of("rloo", tmp_path, rewards=[reward], trainer=TRAINER)
    with pytest.raises(AffectError, match=message):
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")


def test_a_method_without_replies_takes_no_rewards(tmp_path: Path) -> None:
    with pytest.raises(BadRecipe, match="sft rewards no replies"):
        load_recipe(str(page_of("sft", tmp_path, rewards=[{"reward": "format"}])))


def test_a_trainer_that_would_drop_the_clips_is_refused(small_demo: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """TRL's own trainer takes conversations with sounds, and trains on their tokens without features."""
    own = tmp_path / "own" / "methods"
    own.mkdir(parents=True)
    source = Path(str(find_method.__code__.co_filename)).parent / "methods" / "grpo.py"
    stock = source.read_text().replace('    overrides="affectllm.train.sampled.Grouped",\n', "")
    (own / "stock.py").write_text(
        stock.replace("extra=rewarded", "extra=lambda ready: {'reward_funcs': list(ready.rewards)}")
    )
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "own"))
    page = page_of("stock", tmp_path, rewards=[{"reward": "format"}], trainer=TRAINER)
    with pytest.raises(BadRecipe, match="would train on the tokens of clips without the clips"):
        train(str(page), [], [f"demo_affect={small_demo}"], tmp_path / "run")


LABELS = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")


def test_saying_everything_loses(small_demo: Path, tmp_path: Path) -> None:
    """Choose for each reward the number of labels that pays most, of replies that are right as often as possible."""
    space = LabelSpace("seven", "set", LABELS, source="made up")
    template = load_template("emotion_set", space=space, rater="r", modalities=("text",))
    golds = [("joy",), ("anger", "fear"), ("sadness",), ("neutral",), ("surprise", "joy")]
    samples = [
        {"gold": template.gold(Sample(str(n), "c", "train", (Annotation("seven", "r", gold),), "f:1", text="Words."))}
        for n, gold in enumerate(golds)
    ]
    reward: Callable[..., list[float]] = template_reward(template)

    def paid(said: int) -> float:
        """Of replies that name the right labels first, and then others."""
        replies = []
        for gold in golds:
            named = [*gold, *(label for label in LABELS if label not in gold)][:said]
            replies.append(", ".join(named))
        return sum(reward(replies, samples)) / len(golds)

    values = {said: paid(said) for said in range(1, len(LABELS) + 1)}
    assert max(values, key=lambda said: values[said]) in (1, 2)
    assert values[len(LABELS)] == min(values.values())


def test_mixins_come_before_the_trainers() -> None:
    for name in SAMPLING:
        kinds = trainer_class(find_method(name)).__mro__
        assert issubclass(kinds[1], Sampled) and kinds.index(kinds[1]) < kinds.index(find_method(name).trainer_class())


def test_named_rewards_take_their_options() -> None:
    assert [one.__name__ for one in reward_functions([RewardPage("format"), RewardPage("uar")])] == [
        "format_reward",
        "uar_reward",
    ]


@pytest.mark.parametrize("method", SAMPLING)
@pytest.mark.parametrize(
    ("trainer", "refused"),
    [
        ({"num_iterations": 2, "save_steps": 7}, True),
        ({"steps_per_generation": 2, "save_steps": 3}, True),
        ({"num_iterations": 2, "save_steps": 8}, False),
        ({"num_iterations": 2, "gradient_accumulation_steps": 2, "steps_per_generation": 2, "save_steps": 3}, True),
        ({"num_iterations": 1, "gradient_accumulation_steps": 2, "steps_per_generation": 2, "save_steps": 3}, False),
        ({"num_iterations": 2, "save_steps": 7, "max_steps": 7}, False),  # nothing goes on from there
        ({"num_iterations": 2, "save_strategy": "epoch"}, False),
    ],
)
def test_no_checkpoint_falls_between_two_samplings(
    method: str, trainer: dict[str, Any], refused: bool, tmp_path: Path
) -> None:
    """Their replies are in no checkpoint, so a run that went on from there would end with other weights."""
    own = {**TRAINER, "save_strategy": "steps", "max_steps": 99, **trainer}
    recipe = load_recipe(str(page_of(method, tmp_path, trainer=own)))
    if refused:
        with pytest.raises(BadRecipe, match="replies are sampled for"):
            arguments(recipe, tmp_path)
    else:
        arguments(recipe, tmp_path)
