"""Judges of every kind say what they find: a model of ours, and classifiers of transformers' pipelines."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from damaging import RATE, write
from PIL import Image

from affectllm.cli import main
from affectllm.fidelity.judges.judgement import Judgement

NAMES = {0: "ang", 1: "hap"}


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Two sounds and two pictures, and a table of each."""
    time = np.arange(RATE) / RATE
    for number in range(2):
        write(tmp_path / f"s{number}.wav", (0.3 * np.sin(6.28 * (200 + 300 * number) * time)).astype(np.float32))
        Image.new("RGB", (40, 40), (250 * number, 40, 90)).save(tmp_path / f"p{number}.png")
    for name, ending in (("s", "wav"), ("p", "png")):
        with (tmp_path / f"{name}.csv").open("w", newline="") as stream:
            rows = [[f"{name}{number}.{ending}", "happiness", f"{name}0.{ending}"] for number in range(2)]
            csv.writer(stream).writerows([["clip", "target", "reference"], *rows])
    return tmp_path


def judged(folder: Path, table: str, judge: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    page = f"table: {table}\nanswers: kept\nlabels: [anger, happiness]\njudges:\n  - {{name: one, {judge}}}\n"
    (folder / "page.yaml").write_text(page)
    assert main(["fidelity", str(folder / "page.yaml"), "--out", str(folder / "run")]) == 0
    lines = (folder / "run/judgements.jsonl").read_text().splitlines()
    return json.loads((folder / "run/fidelity.json").read_text())["judges"]["one"], [json.loads(one) for one in lines]


def heard(folder: Path) -> Path:
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForSequenceClassification

    small: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    small |= {"intermediate_size": 16, "conv_dim": [8, 8], "conv_kernel": [10, 8], "conv_stride": [80, 8]}
    config = Wav2Vec2Config(
        **small, num_feat_extract_layers=2, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2,
        id2label=NAMES, label2id={name: number for number, name in NAMES.items()},
    )  # fmt: skip
    Wav2Vec2ForSequenceClassification(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


def seen(folder: Path) -> Path:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    small: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = ViTConfig(**small, intermediate_size=16, image_size=32, patch_size=16, id2label=NAMES)
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("table", "task", "make"),
    [("s.csv", "audio-classification", heard), ("p.csv", "image-classification", seen)],
)
def test_a_classifier_of_a_pipeline_judges_in_the_words_of_the_page(clips: Path, table: str, task: str, make) -> None:
    model = make(clips / "classifier")
    judge, lines = judged(clips, table, f"pipeline: {task}, model: '{model}', rename: {{ang: anger, hap: happiness}}")
    assert judge["judge"]["revision"] and judge["real"] is None
    for line in lines:
        assert set(line["after"]["shares"]) == {"anger", "happiness"}
        assert sum(line["after"]["shares"].values()) == pytest.approx(1, abs=1e-3)
        assert line["after"]["label"] == max(line["after"]["shares"], key=line["after"]["shares"].get)
    assert lines[0]["after"] == lines[0]["before"] and lines[0]["after"] != lines[1]["after"]
    assert "have no ceiling" in (clips / "run/fidelity.md").read_text()


def test_a_model_of_ours_judges_by_the_likelihoods_of_the_labels(clips: Path) -> None:
    judge, lines = judged(clips, "s.csv", "model: 'tiny:qwen2_audio'")
    assert judge["judge"]["fingerprint"] and not judge["unjudged"]
    assert all(sum(line["after"]["shares"].values()) == pytest.approx(1) for line in lines)
    assert judge["systems"][""]["metrics"]["emotion_preservation"]["n"] == 2


def test_labels_that_become_one_in_other_words_are_added() -> None:
    judgement = Judgement("joy", {"joy": 0.4, "amusement": 0.35, "anger": 0.25})
    renamed = judgement.renamed({"joy": "happiness", "amusement": "happiness"})
    assert renamed.label == "happiness" and renamed.shares["happiness"] == pytest.approx(0.75)
    close = Judgement("anger", {"anger": 0.4, "joy": 0.35, "amusement": 0.25})
    assert close.renamed({"joy": "happiness", "amusement": "happiness"}).label == "happiness"
