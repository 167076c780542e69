"""What a training is of: its conversations by their bytes, so that a corpus that was copied anew costs no training."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tuning import PAGE, page_of

from affectllm.instruct.stage import build_mixture
from affectllm.train.recipe import load_recipe
from affectllm.train.stage import train_inputs

PART = PAGE["data"]["mixture"][0]


@pytest.fixture
def corpus(small_demo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_demo, tmp_path / "corpus"))


def inputs(folder: Path, corpus: Path, **keys: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    recipe = load_recipe(str(page_of("sft", folder, data={"mixture": [{**PART, **keys}]})))
    build_mixture(recipe.data, recipe.seed, {"demo_affect": corpus}, folder / "run")
    return train_inputs(recipe, folder / "run")


def aged(corpus: Path) -> None:
    for path in (path for path in corpus.rglob("*") if path.is_file()):
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 10**9))


def test_a_corpus_that_was_copied_anew_is_trained_on_again_for_its_clips_alone(
    tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words: dict[str, Any] = {"modalities": ["text"], "rater": "words"}
    of_words, of_clips = inputs(tmp_path / "words", corpus, **words), inputs(tmp_path / "clips", corpus)
    aged(corpus)
    assert inputs(tmp_path / "words", corpus, **words) == of_words
    assert "the finished build in it was of other inputs (corpora.demo_affect.files)" in capsys.readouterr().err
    assert inputs(tmp_path / "clips", corpus) != of_clips  # another clip of the same size may lie there


def test_other_words_are_another_training(tmp_path: Path, corpus: Path) -> None:
    before = inputs(tmp_path, corpus, modalities=["text"], rater="words")
    table = next(path for path in sorted(corpus.rglob("*.csv")) if path.is_file())
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-15]), encoding="utf-8")
    after = inputs(tmp_path, corpus, modalities=["text"], rater="words")
    assert after != before and after["recipe"] == before["recipe"]
