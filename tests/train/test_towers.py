"""Every tower is trained at its own rate, and training stops where one that is named cannot learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from family_clips import encoder_of, make_clips, talk
from tuning import affectllm, write_page

from affectllm.errors import BadRecipe, NoGradient
from affectllm.model.load import Model, load_model
from affectllm.model.tiny import tiny_folder
from affectllm.train.adapted import adapting
from affectllm.train.collator import Collator
from affectllm.train.method import find_method
from affectllm.train.recipe import load_recipe
from affectllm.train.towers import Towers, check_named, trained_towers
from affectllm.train.trainer import trainer_class

HEARD = {"type": "audio", "corpus": "made", "path": "tone.wav"}


@pytest.fixture
def trainer(tmp_path: Path) -> Any:
    """A trainer of a tiny model that hears, on conversations in a given order, one a step."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig

    def made(model: Model, talks: list[Any], adapt: dict[str, Any] | None = None, **rates: float) -> Any:
        collate = Collator(encoder_of(model, make_clips(tmp_path / "clips")))
        fixed = find_method("sft").fixed
        args = SFTConfig(
            str(tmp_path / "out"),
            **{"max_steps": len(talks), "per_device_train_batch_size": 1, "learning_rate": 1e-3, "logging_steps": 1},
            **{"train_sampling_strategy": "sequential", "save_strategy": "no", "gradient_checkpointing": False},
            **{"bf16": False, "use_cpu": True, "report_to": "none", "remove_unused_columns": False},
            **{"max_length": None, "dataloader_pin_memory": False, "disable_tqdm": True, **fixed},
        )
        built = trainer_class(find_method("sft"))(
            model=model.model,
            args=args,
            data_collator=lambda rows: collate([{"id": "x", "messages": talks[row["number"]]} for row in rows]),
            train_dataset=Dataset.from_dict({"number": list(range(len(talks)))}),
            processing_class=model.processor,
            peft_config=LoraConfig(r=4, task_type="CAUSAL_LM", **adapting(model, adapt)) if adapt else None,
        )
        built.towers = Towers(model.family, rates)
        return built

    return made


def hearing() -> Model:
    return load_model("tiny:qwen2_audio", dtype="float32")


def deafen(model: Model) -> None:
    """What the audio tower says still reaches the language model, but no gradient comes back."""
    model.model.model.audio_tower.register_forward_hook(
        lambda _, __, out: type(out)(**{k: v.detach() if torch.is_tensor(v) else v for k, v in out.items()})
    )


def test_a_tower_without_gradient_is_named_on_the_first_step(trainer: Any) -> None:
    model = hearing()
    deafen(model)
    with pytest.raises(NoGradient, match="the tower audio has no gradient at step 1"):
        trainer(model, [talk(HEARD)] * 2).train()


def test_an_adapted_tower_without_gradient_is_named(trainer: Any) -> None:
    model = hearing()
    deafen(model)
    with pytest.raises(NoGradient, match="the tower audio"):
        trainer(model, [talk(HEARD)], {"audio": None, "language": None}).train()
    model = hearing()
    deafen(model)
    trainer(model, [talk(HEARD)], {"projector": None, "language": None}).train()  # which the tower does not concern


def test_a_step_without_sound_says_nothing_of_the_tower_that_hears(trainer: Any) -> None:
    model = hearing()
    deafen(model)
    with pytest.raises(NoGradient, match="audio has no gradient at step 3"):
        trainer(model, [talk(), talk(question="And now?"), talk(HEARD)]).train()


def test_towers_that_learn_are_not_looked_at_again(trainer: Any) -> None:
    ours = trainer(hearing(), [talk(), talk(HEARD), talk()])
    ours.train()
    assert ours.state.global_step == 3 and ours._waiting == set()


def test_each_tower_moves_at_its_own_rate_and_by_the_same_schedule(trainer: Any) -> None:
    model = hearing()
    before = {name: weight.detach().clone() for name, weight in model.model.named_parameters()}
    ours = trainer(model, [talk(HEARD)] * 4, audio=1e-6, projector=1e-2)
    ours.train()
    moved: dict[str | None, float] = {}
    for name, weight in model.model.named_parameters():
        tower = model.family.tower_of(name)
        moved[tower] = max(moved.get(tower, 0.0), float((weight - before[name]).abs().max()))
    # Adam moves a weight by about its rate a step; the schedule falls from 1 over four steps.
    assert 1e-6 < moved["audio"] < 3e-6 and 1e-3 < moved["language"] < 3e-3 and 1e-2 < moved["projector"] < 3e-2
    rates = {group["tower"]: group["lr"] / group["initial_lr"] for group in ours.optimizer.param_groups}
    assert set(rates) == {"", "audio", "projector"} and len(set(rates.values())) == 1
    assert ours.state.log_history[0]["learning_rate"] == pytest.approx(1e-3)


def test_rates_reach_what_lora_adds_to_a_tower(trainer: Any) -> None:
    ours = trainer(hearing(), [talk(HEARD)], {"audio": None, "language": None}, audio=1e-5)
    names = {id(weight): name for name, weight in ours.model.named_parameters()}
    groups = {group["tower"]: group for group in ours.create_optimizer().param_groups}
    assert groups["audio"]["lr"] == 1e-5 and groups[""]["lr"] == 1e-3
    assert all(".audio_tower." in names[id(weight)] for weight in groups["audio"]["params"])
    assert all(".language_model." in names[id(weight)] for weight in groups[""]["params"])
    trained = trained_towers(ours.model, ours.towers, 1e-3)
    assert set(trained) == {"audio", "language"} and trained["audio"]["learning_rate"] == 1e-5
    with pytest.raises(BadRecipe, match="names the tower projector, but nothing in it is trained"):
        trained_towers(ours.model, Towers(hearing().family, {"projector": 1e-5}), 1e-3)


@pytest.mark.parametrize("key", ["adapt", "learning_rates"])
def test_a_named_tower_that_no_row_has_a_clip_for_is_refused(key: str, tmp_path: Path) -> None:
    value = {"adapt": {"audio": None, "language": None}, "learning_rates": {"audio": 1.0e-5}}[key]
    peft = {"r": 4} if key == "adapt" else None
    page = write_page(tmp_path, model={key: value}, peft=peft)
    recipe, family = load_recipe(str(page)), hearing().family
    check_named(recipe, family, ["audio"])
    with pytest.raises(BadRecipe, match=rf"model\.{key} names the tower audio, but no row"):
        check_named(recipe, family, [])


@pytest.mark.slow
@pytest.mark.thorough
def test_a_recipe_with_rates_trains_and_its_manifest_says_them(small_demo: Path, tmp_path: Path) -> None:
    rates = {"audio": 1.0e-7, "vision_projector": 2.0e-3}
    page = write_page(tmp_path, model={"learning_rates": rates}, trainer={"max_steps": 2, "save_strategy": "no"})
    done = affectllm("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    outputs = json.loads((tmp_path / "run" / "train" / "manifest.json").read_text())["outputs"]
    assert {tower: facts["learning_rate"] for tower, facts in outputs["towers"].items()} == {
        **dict.fromkeys(("language", "vision", "audio_projector", "head"), 1e-3),
        **rates,
    }
    assert "trained: audio, " in done.stderr and "at a learning rate of 1e-07" in done.stderr
    before, after = (
        load_model(str(place)).model.state_dict()
        for place in (tiny_folder("qwen2_5_omni"), tmp_path / "run/train/final")
    )
    name = "model.audio_tower.layers.0.fc1.weight"
    assert 0 < float((after[name] - before[name]).abs().max()) < 1e-6
