"""Values of a recipe that no training can work with are refused at their line, before anything is loaded."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml
from tuning import page_of

from affectllm import extras
from affectllm.errors import BadRecipe
from affectllm.model.clips.media import Budget
from affectllm.train.method import find_method, method_names
from affectllm.train.pages.bounds import BUDGET, LORA, TRAINER
from affectllm.train.recipe import load_recipe

NAN = float("nan")


def refused(page: Path) -> tuple[str, str]:
    """The message, and the line that it points at."""
    with pytest.raises(BadRecipe) as caught:
        load_recipe(str(page))
    return str(caught.value), page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1]


TRAINERS: list[tuple[str, str, Any, str]] = [
    # what was compared as if it had the right type
    ("dpo", "f_divergence_type", ["a"], "must be str"),
    ("kto", "per_device_train_batch_size", None, "must be int, not None"),
    ("contrastive", "scale", None, "must be float, not None"),
    ("contrastive", "sentiment_weight", None, "must be float, not None"),
    ("contrastive", "pairs", [[["asked"], "answer"]], "must be a list of list of str"),
    ("contrastive", "pairs", [["asked", {"a": 1}]], "must be a list of list of str"),
    ("distil", "beta", None, "must be float, not None"),
    ("distil", "temperature", None, "must be float, not None"),
    ("grpo", "num_generations", 0, "must be 2 or more"),
    ("sft", "learning_rate", None, "must be float, not None"),
    # with which training cannot work
    ("sft", "learning_rate", NAN, "must be finite, 0 or more"),
    ("sft", "learning_rate", -1.0, "must be 0 or more"),
    ("sft", "per_device_train_batch_size", 0, "must be 1 or more"),
    ("sft", "gradient_accumulation_steps", 0, "must be 1 or more"),
    ("sft", "report_to", "nonsense", "must be none, all, or of azure_ml"),
    ("sft", "report_to", ["tensorbord"], "tensorboard"),
    ("sft", "neftune_noise_alpha", -1.0, "must be 0 or more"),
    ("sft", "loss_type", "foo", "must be one of nll, dft"),
    ("sft", "lr_scheduler_type", "cosin", "must be one of linear, cosine"),
    ("sft", "lr_scheduler_type", False, "put words in quotes"),
    ("dpo", "loss_weights", ["x"], "must be a list of float"),
    ("dpo", "loss_weights", [-1.0], "must be 0 or more"),
    ("dpo", "loss_weights", [0.0], "must be above 0 for one loss_type"),
    ("dpo", "beta", None, "must be float, not None"),
    ("dpo", "beta", 0.0, "must be above 0"),
    ("grpo", "beta", -1.0, "must be 0 or more"),
    ("grpo", "temperature", 0.0, "must be above 0"),
    ("grpo", "loss_type", "foo", "must be one of grpo, dr_grpo"),
    ("grpo", "scale_rewards", "foo", "must be one of group, batch, none"),
    ("grpo", "importance_sampling_level", "foo", "must be one of token, sequence"),
    ("grpo", "multi_objective_aggregation", "foo", "must be one of sum_then_normalize"),
    ("grpo", "max_completion_length", 0, "must be 1 or more"),
    # which mean nothing
    ("kto", "desirable_weight", -1.0, "must be 0 or more"),
    ("dpo", "label_smoothing", 0.5, "must be from 0 to below 0.5"),
    ("contrastive", "sentiment_weight", NAN, "must be finite, 0 or more"),
    ("distil", "temperature", float("inf"), "must be finite, above 0"),
    ("sft", "max_grad_norm", -1.0, "must be 0 or more"),
    ("sft", "num_train_epochs", 0, "must be above 0"),
    ("sft", "max_steps", 0, "must be 1 or more, or -1 for none"),
]


@pytest.mark.parametrize(("method", "key", "value", "message"), TRAINERS, ids=str)
def test_a_field_of_the_trainer_that_cannot_be_is_refused(
    method: str, key: str, value: Any, message: str, tmp_path: Path
) -> None:
    path = page_of(method, tmp_path)
    page = yaml.safe_load(path.read_text())
    page["trainer"][key] = value
    path.write_text(yaml.safe_dump(page))
    said, line = refused(path)
    assert message in said and line.startswith(f"  {key}:")


@pytest.mark.parametrize(
    ("changes", "message", "start"),
    [
        ({"seed": -1}, "seed must be from 0 to 4294967295", "seed:"),
        ({"seed": 2**32}, "seed must be from 0 to 4294967295", "seed:"),
        ({"model": {"dtype": "float33"}}, "must be one of auto, bfloat16", "  dtype:"),
        ({"model": {"dtype": "int8"}}, "must be one of auto, bfloat16", "  dtype:"),
        ({"model": {"attn_implementation": "flosh"}}, "must be one of eager", "  attn_implementation:"),
        ({"model": {"budget": {"fps": -1.0}}}, "budget.fps must be above 0", "    fps:"),
        ({"model": {"budget": {"max_frames": 0}}}, "budget.max_frames must be 1 or more", "    max_frames:"),
        ({"peft": {"r": 0}}, "peft.r must be a whole number, 1 or more", "  r:"),
        ({"peft": {"r": 4.5}}, "peft.r must be a whole number, 1 or more", "  r:"),
        ({"peft": {"r": 4, "lora_dropout": 1.0}}, "must be from 0 to below 1", "  lora_dropout:"),
        ({"peft": {"r": 4, "lora_alpha": NAN}}, "must be finite, above 0", "  lora_alpha:"),
    ],
    ids=str,
)
def test_a_value_of_the_model_that_cannot_be_is_refused(
    changes: dict[str, Any], message: str, start: str, tmp_path: Path
) -> None:
    said, line = refused(page_of("sft", tmp_path, **changes))
    assert message in said and line.startswith(start)


def test_a_tracker_that_is_not_installed_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.integrations import integration_utils

    monkeypatch.setattr(integration_utils, "get_available_reporting_integrations", lambda: ["tensorboard"])
    assert "trackio" in extras.EXTRAS
    said, line = refused(page_of("sft", tmp_path, trainer={"report_to": ["tensorboard", "trackio"]}))
    assert "pip install 'affectllm[trackers]'" in said and line.startswith("  report_to:")


@pytest.mark.parametrize("method", method_names())
def test_every_bound_and_choice_admits_what_the_library_takes_by_itself(method: str) -> None:
    own = find_method(method)
    fields = {field.name: field for field in dataclasses.fields(own.config_class())}
    assert {*own.bounds, *own.choices} <= set(fields), "a bound of a field that there is not"
    for key, bound in {**TRAINER, **own.bounds}.items():
        default = fields[key].default if key in fields else None
        assert default in (None, dataclasses.MISSING) or bound.admits(default), key
    for key, words in own.choices.items():
        assert fields[key].default in words


def test_bounds_are_of_fields_that_there_are() -> None:
    from peft import LoraConfig

    known = {field.name for name in method_names() for field in dataclasses.fields(find_method(name).config_class())}
    assert set(TRAINER) <= known
    assert set(LORA) <= {field.name for field in dataclasses.fields(LoraConfig)}
    assert set(BUDGET) <= {field.name for field in dataclasses.fields(Budget)}
