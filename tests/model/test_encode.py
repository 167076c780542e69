"""Conversations into tensors: what is particular to some families, budgets and the cache. See also ``contracts/``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from family_clips import (
    BUDGET,
    HEARD,
    PICTURE,
    SEEN,
    SEEN_AND_HEARD,
    TRACK,
    encoded,
    encoder_of,
    make_clips,
    talk,
    tiny_model,
)

from affectllm.errors import AffectError, ModalityUnheard
from affectllm.model.ablation import check_modalities_heard
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded
from affectllm.model.generate import score_choices
from affectllm.model.load import load_model


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("made"))


def test_sound_and_pictures_of_one_clip_are_interleaved(root: Path) -> None:
    model = load_model("tiny:qwen2_5_omni")
    encoder = encoder_of(model, root)
    item = encoded(encoder, talk(SEEN_AND_HEARD))
    tokens = model.tokenizer.convert_ids_to_tokens(item.input_ids.tolist())
    begin, end = tokens.index("<|audio_bos|>"), tokens.index("<|audio_eos|>")
    assert {"<|VIDEO|>", "<|AUDIO|>"} == set(tokens[begin + 1 : end])
    assert tokens[begin - 1] == "<|vision_bos|>" and tokens[end + 1] == "<|vision_eos|>"


def test_a_corpus_without_a_folder_is_named(root: Path) -> None:
    model = load_model("tiny:qwen2_audio")
    with pytest.raises(AffectError, match="elsewhere"):
        encoder_of(model, root).encode(talk({"type": "audio", "corpus": "elsewhere", "path": "x.wav"}))


def test_a_part_may_have_a_budget_of_its_own(root: Path, tmp_path: Path) -> None:
    model = load_model("tiny:qwen2_5_omni")
    encoder = encoder_of(model, root, MediaCache(tmp_path / "media"))
    usual = encoded(encoder, talk(SEEN)).media["video_grid_thw"][0]
    finer = encoded(encoder, talk({**SEEN, "fps": 4.0, "max_pixels": 28 * 28})).media["video_grid_thw"][0]
    assert usual.tolist() == [1, 4, 4] and finer.tolist() == [2, 2, 2]
    refused = encoder.encode(talk({**SEEN, "max_seconds": 0.5}))
    assert isinstance(refused, MediaError) and refused.reason == "too_long"


def test_a_strip_keeps_its_budget_through_the_processor(tmp_path: Path) -> None:
    from PIL import Image

    for size in ((100_000, 1), (1, 3_000), (1, 1), (13, 2_600)):
        Image.new("RGB", size, (9, 99, 9)).save(tmp_path / f"{size[0]}x{size[1]}.png")
    for family in ("qwen2_5_vl", "qwen2_5_omni"):
        model = load_model(f"tiny:{family}")
        for path in sorted(tmp_path.glob("*.png")):
            item = encoded(encoder_of(model, tmp_path), talk({"type": "image", "corpus": "made", "path": path.name}))
            _, height, width = item.media["image_grid_thw"][0].tolist()
            assert BUDGET.min_pixels <= height * width * 14 * 14 <= BUDGET.max_pixels, path.name


def test_what_the_processor_fails_over_costs_one_clip(root: Path) -> None:
    model = load_model("tiny:qwen2_audio")
    encoder = encoder_of(model, root)
    encoder.processor.feature_extractor.sampling_rate = 8_000  # it refuses every clip of ours
    try:
        error = encoder.encode(talk(HEARD))
    finally:
        encoder.processor.feature_extractor.sampling_rate = 16_000
    assert isinstance(error, MediaError) and (error.reason, error.path) == ("undecodable", "made:tone.wav")
    assert error.detail.startswith("ValueError: ") and "8000" in error.detail
    assert isinstance(encoder.encode(talk(HEARD)), Encoded)


def test_greedy_is_said_of_the_choice_that_the_model_would_write(root: Path) -> None:
    model = load_model("tiny:qwen2")
    encoder = encoder_of(model, root)
    prompt = encoded(encoder, talk()[:1], generation_prompt=True)
    tokens = model.model.generate(prompt.input_ids[None], max_new_tokens=1, do_sample=False)[0, prompt.length :]
    text = model.tokenizer.decode(tokens)
    other = "Q" if text != "Q" else "Z"
    assert [greedy for _, greedy in score_choices(model, encoder, prompt, [text, other])] == [True, False]


def test_the_self_test_hears_a_healthy_model_and_names_a_deaf_one(root: Path) -> None:
    model = load_model("tiny:qwen2_5_omni")
    encoder = encoder_of(model, root)
    talks = [talk(SEEN_AND_HEARD), talk(HEARD), talk(TRACK)]
    changes = check_modalities_heard(model, encoder, talks)
    assert set(changes) == {"video", "audio"}
    assert all(value > 1e-4 for change in changes.values() for value in change.values())
    torch.nn.init.zeros_(model.model.model.audio_tower.proj.weight)
    with pytest.raises(ModalityUnheard, match="audio does not reach"):
        check_modalities_heard(model, encoder, talks)


def test_a_full_omni_checkpoint_loads_as_its_thinker(tmp_path: Path) -> None:
    """Hub checkpoints hold a talker too; only the thinker is loaded, with its weights."""
    from transformers import Qwen2_5OmniConfig, Qwen2_5OmniForConditionalGeneration

    tiny = load_model("tiny:qwen2_5_omni")
    thinker = tiny.model.config.to_dict()
    config = Qwen2_5OmniConfig(thinker_config=thinker, enable_audio_output=False)
    whole = Qwen2_5OmniForConditionalGeneration(config)
    whole.thinker.load_state_dict(tiny.model.state_dict())
    whole.save_pretrained(tmp_path)
    tiny.processor.save_pretrained(tmp_path)
    loaded = load_model(str(tmp_path), family="qwen2_5_omni")
    for name, weight in tiny.model.state_dict().items():
        assert torch.equal(loaded.model.state_dict()[name], weight), name


def test_pictures_that_fill_rooms_of_different_sizes_share_a_batch(tmp_path: Path) -> None:
    from PIL import Image

    for side in (96, 480, 2_400):
        Image.radial_gradient("L").resize((side, side - side // 10)).convert("RGB").save(tmp_path / f"{side}.png")
    model = tiny_model("gemma4")
    encoder = encoder_of(model, tmp_path, budget=replace(BUDGET, max_pixels=10**8))
    sides = (480, 96, 2_400)
    items = [encoded(encoder, talk({**PICTURE, "path": f"{side}.png"})) for side in sides]
    assert [item.media["pixel_values"].shape[1] // 9 for item in items] == [140, 70, 1120]
    assert all(50 * tokens < item.of_clips <= 1122 for tokens, item in zip((1, 0, 20), items, strict=True))
    with torch.no_grad():
        together = model.model(**encoder.collate(items[:2])).logits
        for row, item in zip(together, items[:2], strict=True):
            alone = model.model(**encoder.collate([item])).logits[0]
            assert (row[: item.length] - alone).abs().max() < 2e-5
