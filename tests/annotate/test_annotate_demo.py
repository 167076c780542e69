"""The pages that ship run here: statements from labels, and every step of a description by tiny models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from affectllm.annotate.command import page_path
from affectllm.annotate.page import load_annotation
from affectllm.cli import main
from affectllm.run import read_manifest

PAGES = sorted(path.stem for path in page_path("demo").parent.glob("*.yaml"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_that_ships_is_right(name: str) -> None:
    assert load_annotation(page_path(name)).description


@pytest.mark.slow
@pytest.mark.thorough
def test_statements_about_synthetic_clips_are_not_told_by_their_words(tmp_path: Path) -> None:
    assert main(["annotate", "demo_statements", "--out", str(tmp_path / "out"), "--answers", str(tmp_path / "a")]) == 0
    manifest = read_manifest(tmp_path / "out")
    assert manifest is not None
    facts = manifest["outputs"]["steps"]["statements"]["facts"]
    assert facts["text_only"]["low"] <= 0.5 and manifest["outputs"]["samples"] == facts["text_only"]["n"] > 300


@pytest.mark.slow
@pytest.mark.thorough
def test_tiny_models_describe_clips_and_answers_are_kept(tmp_path: Path) -> None:
    words = ["annotate", "demo", "--set", "limit=4", "--answers", str(tmp_path / "a"), "--out"]
    assert main([*words, str(tmp_path / "one")]) == 0 and main([*words, str(tmp_path / "two")]) == 0
    for path in sorted((tmp_path / "one/steps").glob("*.jsonl")):
        assert path.read_bytes() == (tmp_path / "two/steps" / path.name).read_bytes()
    (first, *_) = (tmp_path / "one/steps/01-heard.jsonl").read_text().splitlines()
    assert json.loads(first)["notes"]["heard"]
