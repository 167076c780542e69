"""``head:`` of a recipe: what is wrong with a page is said with its line, before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tuning import PAGE, SAYS, page_of

from affectllm.errors import BadRecipe
from affectllm.model.heads.answers import Answers
from affectllm.train.head_rows import _tell_unseen
from affectllm.train.recipe import load_recipe

PART = PAGE["data"]["mixture"][0]
TEXT = {"model": {"path": "tiny:qwen2", "backbone": "qwen2"}, "data": {"mixture": [{**PART, "modalities": ["text"]}]}}
SPEECH = {
    "model": {"path": "tiny:speech_encoder", "backbone": "speech_encoder"},
    "data": {"mixture": [{**PART, "modalities": ["audio"]}]},
}
SCORES = {
    **{"corpus": "deam", "template": "music_scores", "space": "deam_va", "rater": "mean"},
    "modalities": ["audio"],
}
SET = {
    **{"corpus": "semeval2018_task1", "template": "emotion_set", "space": "semeval2018_11", "rater": "crowd"},
    "modalities": ["text"],
}


@pytest.mark.parametrize(
    ("method", "changes", "message", "line"),
    [
        ("sft", {**TEXT, "head": {"dropout": 0.1}}, "a model that writes, which has no other head", "head:"),
        ("sft", SPEECH, "a speech_encoder writes nothing", "  backbone:"),
        ("reward", {**SPEECH, "data": {"mixture": [{**PART, **SAYS["rejected"], "modalities": ["audio"]}]}},
         "which a speech_encoder does not read", "  backbone:"),
        ("head", {**TEXT, "head": {"poolin": "mean"}}, "did you mean 'pooling'", "  poolin:"),
        ("head", {**TEXT, "head": {"pooling": "middle"}}, "one of last, mean, first", "  pooling:"),
        ("head", {**TEXT, "head": {"pooling": "first"}}, "has seen no other", "  pooling:"),
        ("head", {**TEXT, "head": {"dropout": 1.0}}, "from 0 to below 1", "  dropout:"),
        ("head", {**TEXT, "head": {"hidden": [64, 0]}}, "widths of 1 or more", "  hidden:"),
        ("head", {**TEXT, "head": {"margin": 0.5}}, "is for reward, and this head gives classes", "  margin:"),
        ("head", {**TEXT, "head": {"correlation": 0.5}}, "is for labels", "  correlation:"),
        ("head", {**TEXT, "head": {"loss": "mse"}}, "is for numbers", "  loss:"),
        ("head", {**TEXT, "head": {"window": 2.0}}, "is for encoders of sounds", "  window:"),
        ("head", {**SPEECH, "head": {"window": 0.0}}, "must be above 0", "  window:"),
        ("reward", {"head": {"margin": -1.0}}, "must be 0 or more", "  margin:"),
        ("reward", {"head": {"class_weights": "balanced"}}, "is for classes or labels", "  class_weights:"),
        ("reward", {"eval": {"tasks": ["demo_affect_emotion"]}}, "gives none to a task", "  tasks:"),
        ("head", {**SPEECH, "data": {"mixture": [PART]}}, "does not take text, video", "    modalities:"),
        ("head", {**SPEECH, "data": {"mixture": [SCORES]}, "trainer": {"per_device_train_batch_size": 1}},
         "the concordance of one row is not defined", "  per_device_train_batch_size:"),
        ("head", {**TEXT, "data": {"mixture": [TEXT["data"]["mixture"][0], SET]}}, "train a head for each", "  - "),
        ("head", {**TEXT, "model": {"path": "tiny:qwen2", "backbone": "qwen3_omi"}}, "qwen3_omni", None),
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_page_is_refused_with_its_line(
    method: str, changes: dict[str, Any], message: str, line: str | None, tmp_path: Path
) -> None:
    page = page_of(method, tmp_path, **changes)
    with pytest.raises(Exception, match=r".") as caught:
        load_recipe(str(page))
    assert message in str(caught.value)
    if line is not None:
        assert isinstance(caught.value, BadRecipe)
        assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith(line)


def test_a_page_of_numbers_takes_their_losses(tmp_path: Path) -> None:
    changes = {**SPEECH, "data": {"mixture": [SCORES]}, "head": {"loss": "mse", "hidden": [32], "window": 2.0}}
    recipe = load_recipe(str(page_of("head", tmp_path, **changes)))
    assert recipe.head is not None and recipe.head.hidden == (32,)
    tiny = load_recipe("heads/music_regression", ["model=tiny"])
    assert tiny.model.path == "tiny:speech_encoder"


NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "targets", "told"),
    [
        ("classes", [0, 2, 0], "none of 3 training rows is labelled b\n"),
        ("labels", [[1.0, 0.0, NAN], [0.0, 0.0, 1.0]], "none of 2 training rows is labelled b\n"),
        ("numbers", [[0.5, NAN, 0.0], [0.0, NAN, NAN]], "none of 2 training rows has a number for b\n"),
        ("shares", [[0.5, 0.0, 0.5]], "none of 1 training rows is labelled b\n"),
        ("classes", [0, 1, 2], ""),
        ("numbers", [[0.0, 0.0, 0.0]], ""),
    ],
)
def test_what_no_training_row_has_is_told(
    kind: Any, targets: list[Any], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _tell_unseen(Answers(kind, ("a", "b", "c")), torch.tensor(targets))
    assert capsys.readouterr().err == (f"warning: {told}" if told else "")
