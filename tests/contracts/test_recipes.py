"""Every recipe that ships loads strictly, and takes a step on the tiny model of its family with miniature corpora."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from wheel_tables import write_emotions

from affectllm import registry
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.corpus.roots import Roots
from affectllm.report.leaks import corpora_of, refuse_leaks
from affectllm.train.method import find_method
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train

NAMES = sorted(registry.names("recipes"))
# Of pages for large models that ask alike, one is always tried on a tiny one.
ALWAYS = (
    *("affect_composite_7b/affectgpt_like", "qwen2_5_omni_7b/emotion_qwen_like", "qwen3_8b/empathy_chain"),
    *("quickstart", "emodb_tiny", "meld_text_tiny", "preference_dpo_tiny", "head_tiny", "heads/ser_wav2vec2"),
    *("qwen2_5_omni_3b/r1_omni_grpo", "qwen2_5_omni_3b/sft_qlora", "small/speech_tiny", "small/meld_text"),
)
# What a page decides for real hardware and real sizes; everything else stays as it is written.
SMALL = ["model=tiny", "trainer.max_steps=1", "trainer.eval_strategy='no'", "trainer.save_strategy='no'"]
SMALL += ["trainer.dataloader_num_workers=0", "trainer.gradient_accumulation_steps=1", "trainer.disable_tqdm=true"]
SMALL += ["trainer.logging_steps=1"]


@pytest.fixture(scope="module")
def miniatures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """``NAME=DIR`` of every shipped corpus, as its miniature."""
    base = tmp_path_factory.mktemp("miniatures")
    return [f"{n}={materialise(load_builder(n).MINIATURE, base / n)}" for n in registry.names("data_builders")]


@pytest.fixture(scope="module", autouse=True)
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Emotion wheels, which no one may ship."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFECTLLM_WHEELS", str(write_emotions(tmp_path_factory.mktemp("wheels"))))
        yield


def with_reward_models(name: str, miniatures: list[str], folder: Path) -> list[str]:
    """Train the reward models that a page names by their own pages; they are asked at once."""
    overrides = []
    for number, page in enumerate(load_recipe(name).rewards):
        if page.reward == "model":
            parts = Path(page.options["path"]).parts  # runs/RECIPE/train/final
            train("/".join(parts[1:-2]), SMALL, miniatures, folder / str(number))
            overrides += [f"rewards.{number}.options.path={folder / str(number) / 'train' / 'final'}"]
            overrides += [f"rewards.{number}.from_step=0"]
    return overrides


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_and_says_what_it_is_for(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name and len(recipe.description) > 20
    assert load_recipe(name, ["model=tiny"]).model.path == f"tiny:{recipe.model.backbone}"


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_on_nothing_that_it_scores(name: str, miniatures: list[str]) -> None:
    recipe = load_recipe(name)
    answers = find_method(recipe.method).answers_as
    assert recipe.eval.tasks or not answers, "a recipe names the tasks that say whether it worked"
    refuse_leaks(recipe, Roots.parse(miniatures).find_all(corpora_of(recipe)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.thorough]) for name in NAMES]
)
def test_one_step_on_the_tiny_model(name: str, miniatures: list[str], tmp_path: Path) -> None:
    # Of conversations for students the library takes whole batches only.
    whole = ["trainer.per_device_train_batch_size=1"] if load_recipe(name).teacher else []
    overrides = [*SMALL, *whole, *with_reward_models(name, miniatures, tmp_path)]
    outputs = train(name, overrides, miniatures, tmp_path / "run")
    assert outputs["steps"] == 1
    assert (tmp_path / "run" / "train" / "final").is_dir()
    history = json.loads((tmp_path / "run" / "train" / "trainer_state.json").read_text())["log_history"]
    # Of replies that are rewarded alike, as those of random weights are, nothing is learned, nor of one row.
    alone = load_recipe(name).method == "contrastive" and outputs["train"]["rows"] == 1
    # With tiny models a student is its own teacher.
    same = load_recipe(name).teacher is not None and abs(history[-1]["loss"]) < 1e-5
    nothing = load_recipe(name).rewards and history[-1]["reward"] == 0
    assert history[-1]["loss"] > 0 or alone or same or nothing
