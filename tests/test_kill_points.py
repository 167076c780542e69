"""A command killed before any change to the file system is finished by the same command, with the same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Worker, kill_everywhere, worker
from toy_corpus import toy_corpus

from affectllm.cli import main

MODULES = (
    *("affectllm.cli", "affectllm.build", "affectllm.report.dataset_card", "affectllm.report.talks"),
    *("affectllm.export", "affectllm.model.cut", "matplotlib.pyplot", "pyarrow.parquet", "pyarrow.compute", "av"),
)
PAGE = """
description: killed
seed: {seed}
order: {order}
deduplicate: [text]
mixture:
  - {{corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text], weight: 1.5}}
  - {{corpus: toy, template: empathetic_reply, space: toy_reply, rater: writer, modalities: [text]}}
"""


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    with worker(tmp_path_factory.mktemp("worker"), MODULES) as one:
        yield one


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A folder whose only content is what a command works in, and where the toy corpus lies."""
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger", "fear"))
    (tmp_path / "place").mkdir()
    return tmp_path / "place" / "run", f"toy={root}"


def mixture(folder: Path, order: str = "shuffled", seed: int = 1) -> Path:
    path = folder.parent.parent / "page.yaml"
    path.write_text(PAGE.format(order=order, seed=seed))
    return path


def test_samples_are_built(cli: Worker, place: tuple[Path, str]) -> None:
    folder, root = place
    kills, wrong = kill_everywhere(cli, "affectllm.cli", ["build", "toy", "--root", root, "--out", str(folder)], folder)
    assert not wrong
    assert kills >= 20


@pytest.mark.parametrize("order", ["given", "shuffled"])
def test_a_mixture_is_built_over_one_of_another_page(cli: Worker, place: tuple[Path, str], order: str) -> None:
    folder, root = place
    words = ["build", str(mixture(folder, order)), "--root", root, "--out", str(folder)]
    mixture(folder, order, seed=2)
    assert main(words) == 0
    before = folder.parent.parent / "before"
    shutil.copytree(folder, before)
    mixture(folder, order)
    kills, wrong = kill_everywhere(cli, "affectllm.cli", words, folder, before)
    assert not wrong
    assert kills > 40


def test_an_export_replaces_an_older_one(cli: Worker, place: tuple[Path, str]) -> None:
    folder, root = place
    built = folder.parent.parent / "built"
    assert main(["build", str(mixture(folder)), "--root", root, "--out", str(built)]) == 0
    words = ["export", str(built), "--to", "ms-swift", "--root", root, "--out", str(folder)]
    assert main([*words[:3], "trl", *words[4:]]) == 0
    before = folder.parent.parent / "before"
    shutil.copytree(folder, before)
    kills, wrong = kill_everywhere(cli, "affectllm.cli", words, folder, before)
    assert not wrong
    assert kills > 20
