"""A person whom a box marks in a picture is shown beside it or alone, and a picture is cut where the box says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import AffectError, Malformed
from affectllm.instruct.content_parts import box_of, with_person
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.mixture_part import Part
from affectllm.instruct.stage import build_mixture
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.clips.picture import open_image
from affectllm.train.data import load_rows

ASKS: dict[str, Any] = {
    **{"corpus": "emotic", "template": "emotion_set", "space": "emotic_26", "rater": "combined"},
    "modalities": ("image",),
}


@pytest.mark.parametrize(
    ("words", "box"),
    [("1,2,30,40", [1, 2, 30, 40]), ("", None), ("1,2,3", None), ("1,2,3,nan", None), ("1,2,3,wide", None)],
)
def test_a_box_is_four_numbers(words: str, box: Any) -> None:
    assert box_of(Sample("a", "c", "train", (), "f:1", attributes={"box": words})) == box


@pytest.mark.parametrize(("person", "boxes"), [("beside", [False, True]), ("alone", [True]), (None, [False])])
def test_rows_show_the_person(person: Any, boxes: list[bool], tmp_path: Path) -> None:
    root = materialise(load_builder("emotic").MINIATURE, tmp_path / "emotic")
    build_mixture(Mixture((Part(**ASKS, person=person),)), 0, {"emotic": root}, tmp_path / "run")
    rows = list(load_rows(tmp_path / "run" / "build", "train"))
    assert rows
    for row in rows:
        parts = [part for part in row["messages"][0]["content"] if part["type"] == "image"]
        assert ["box" in part for part in parts] == boxes
        assert len({part["path"] for part in parts}) == 1


def test_a_sample_without_a_box_is_counted(tmp_path: Path) -> None:
    root = materialise(load_builder("emoset").MINIATURE, tmp_path / "emoset")
    card = load_builder("emoset").CARD
    (space, *_) = card.spaces
    (rater, *_) = card.raters
    asks = {"corpus": "emoset", "template": "evoked_choice", "space": space.name, "rater": rater}
    part = Part(**asks, modalities=("image",), person="beside")
    with pytest.raises(AffectError, match=r"no training conversation .* × no_box"):
        build_mixture(Mixture((part,)), 0, {"emoset": root}, tmp_path / "run")


def test_a_person_is_cut_out_of_pictures_only() -> None:
    with pytest.raises(Malformed, match="cut out of a picture"):
        Part(**{**ASKS, "modalities": ("text",)}, person="beside").bind()


def test_parts_that_are_no_pictures_stay() -> None:
    sample = Sample("a", "c", "train", (), "f:1", attributes={"box": "0,0,5,5"})
    parts = [{"type": "video", "path": "a.mp4"}, {"type": "image", "path": "a.png"}, {"type": "text", "text": "Who?"}]
    (message,) = with_person([{"role": "user", "content": parts}], sample, beside=False)
    assert message["content"] == [parts[0], {**parts[1], "box": [0, 0, 5, 5]}, parts[2]]


def test_a_picture_is_cut_to_its_box(tmp_path: Path) -> None:
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[10:50, 20:60] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    budget = Budget(min_pixels=1, max_pixels=10_000)
    inside = open_image(tmp_path / "a.png", budget, 1, (20, 10, 60, 50))
    assert isinstance(inside, np.ndarray) and inside.shape == (40, 40, 3) and inside.min() == 255
    beyond = open_image(tmp_path / "a.png", budget, 1, (60, -5, 400, 400))
    assert isinstance(beyond, np.ndarray) and beyond.shape == (60, 40, 3) and beyond.max() == 0
    empty = open_image(tmp_path / "a.png", budget, 1, (100, 0, 120, 10))
    assert isinstance(empty, MediaError) and empty.reason == "empty_box"
