"""Clips reach a tower in its own number format, also where the weights are bfloat16 and nothing converts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from family_clips import NAMES, clips_for, encoder_of, make_clips, talk

from affectllm.model.ablation import check_modalities_heard
from affectllm.model.family import find_family
from affectllm.model.load import load_model
from affectllm.model.media_dtypes import media_dtypes

ALWAYS = ("audio_flamingo_3", "qwen2_5_omni")
SEEING = [name for name in NAMES if find_family(name).modalities - {"text"} and not name.startswith("affect_")]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ALWAYS else [pytest.mark.thorough]) for name in SEEING]
)
def test_the_self_test_and_the_loss_run_in_bfloat16(name: str, tmp_path: Path) -> None:
    model = load_model(f"tiny:{name}", dtype="bfloat16", trainable=True)
    encoder = encoder_of(model, make_clips(tmp_path))
    clips = clips_for(model.family)
    assert set(media_dtypes(model.model, model.family).values()) == {torch.bfloat16}
    # Two clips a conversation at the most: what is asked here is whether anything runs at all.
    heard = check_modalities_heard(model, encoder, [talk(clip) for clip in clips[:4]])
    assert heard and all(change["removed"] > 0 for change in heard.values())


def test_a_quantised_neighbour_does_not_decide_the_format() -> None:
    model = load_model("tiny:qwen2_audio", dtype="float32")
    model.model.model.language_model.to(torch.bfloat16)
    assert media_dtypes(model.model, model.family) == {"input_features": torch.float32}
