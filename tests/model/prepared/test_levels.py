"""Prepared pixels: kept as 8-bit levels, found again as the processor's own numbers, and never taken for numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from family_clips import (
    BUDGET,
    PICTURE,
    SEEN,
    SEEN_AND_HEARD,
    clips_for,
    encoded,
    encoder_of,
    make_clips,
    talk,
    tiny_model,
)
from hypothesis import given
from hypothesis import strategies as st

from affectllm.model.cache import MediaCache
from affectllm.model.family import families
from affectllm.model.media_dtypes import converted
from affectllm.model.packed import packed
from affectllm.model.prepared.levels import Levels

SEEING = sorted(name for name, family in families().items() if {"video", "image"} & family.modalities)
# One of each kind of processor: patches, patches without a mean, tiles, whole pictures.
EACH_KIND = ("qwen2_5_omni", "gemma4", "llava_onevision", "affect_vision")
CLIP_NORM = Levels(1 / 255, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clips(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("shape", [(2, 3, 16, 16), (1, 2, 3, 8, 16), (8, 3 * 32), (1, 8, 3 * 32)])
@pytest.mark.parametrize("made", [CLIP_NORM, Levels(1 / 255), Levels(1 / 127.5, (1.0,) * 3, (1.0,) * 3)])
def test_every_level_is_found_again(made: Levels, shape: tuple[int, ...]) -> None:
    levels = torch.arange(torch.Size(shape).numel()).remainder(256).to(torch.uint8).reshape(shape)
    numbers = made.numbers(levels)
    kept = made.levels(numbers)
    assert kept is not None and torch.equal(kept, levels) and torch.equal(made.numbers(kept), numbers)


@given(st.integers(0, 255), st.floats(0.01, 0.99))
def test_what_lies_between_two_levels_is_not_rounded(level: int, part: float) -> None:
    numbers = CLIP_NORM.numbers(torch.full((1, 3, 4, 4), level, dtype=torch.uint8))
    numbers[0, 1, 2, 3] += part / 255 / CLIP_NORM.std[1]
    assert CLIP_NORM.levels(numbers) is None


def test_numbers_of_another_processor_stay_as_they_are() -> None:
    numbers = CLIP_NORM.numbers(torch.arange(48, dtype=torch.uint8).reshape(1, 3, 4, 4))
    assert Levels(1 / 255, (0.5,) * 3, (0.5,) * 3).levels(numbers) is None
    assert CLIP_NORM.levels(numbers.index_fill(3, torch.tensor(0), torch.nan)) is None
    assert CLIP_NORM.levels(torch.zeros(2, 4, 4, 4)) is None  # four channels


@pytest.mark.parametrize(
    "name", [name if name in EACH_KIND else pytest.param(name, marks=pytest.mark.thorough) for name in SEEING]
)
def test_a_family_keeps_its_pixels_as_levels(name: str, root: Path, tmp_path: Path) -> None:
    """The processor's numbers are found again from the entry on disk, to the last bit."""
    model = tiny_model(name)
    cache = MediaCache(tmp_path / "media")
    as_levels, as_numbers = encoder_of(model, root, cache), encoder_of(model, root)
    as_numbers.levels = {}
    for part in [part for part in clips_for(model.family) if part["type"] != "audio"]:
        exact, _, entry = as_numbers.prepare(part), as_levels.prepare(part), as_levels.prepare(part)
        assert isinstance(exact, dict) and isinstance(entry, dict) and cache.hits
        for tensor in {model.family.tensors["video"], model.family.tensors["image"]} & entry.keys():
            assert entry[tensor].dtype == torch.uint8
            assert torch.equal(as_levels.numbers(entry)[tensor], exact[tensor])


def test_batches_for_a_device_are_levels_until_they_are_there(root: Path) -> None:
    model = tiny_model("qwen2_5_omni")
    encoder = encoder_of(model, root)
    items = [encoded(encoder, talk(part)) for part in (SEEN, SEEN_AND_HEARD, PICTURE)]
    for join in (encoder.collate, lambda batch, **options: packed(encoder, batch, **options)):
        numbers, levels = join(items), join(items, levels=True)
        for name in ("pixel_values", "pixel_values_videos"):
            assert numbers[name].dtype == torch.float32 and levels[name].dtype == torch.uint8
            assert torch.equal(encoder.numbers(levels)[name], numbers[name])
        with pytest.raises(TypeError, match="holds levels"):
            converted(levels, {"pixel_values": torch.bfloat16})


def test_a_clip_without_levels_shares_a_batch_with_one_that_has_them(root: Path) -> None:
    model = tiny_model("qwen2_5_vl")
    encoder = encoder_of(model, root, budget=BUDGET)
    items = [encoded(encoder, talk(part)) for part in (SEEN, SEEN)]
    items[1].media["pixel_values_videos"] = encoder.numbers(items[1].media)["pixel_values_videos"] + 0.3
    batch = encoder.collate(items, levels=True)
    assert batch["pixel_values_videos"].dtype == torch.float32
    rows = len(items[0].media["pixel_values_videos"])
    first, second = batch["pixel_values_videos"][:rows], batch["pixel_values_videos"][rows:]
    assert torch.equal(first + 0.3, second)
