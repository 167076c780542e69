"""Files of a finished stage that are missing, cut or changed are made again or told, and never exported in part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from killing import tree
from toy_corpus import toy_corpus

from affectllm.cli import main
from affectllm.corpus.store import Writer, read_rows, sample_schema
from affectllm.errors import Malformed, NotFound

PAGE = """
description: damaged
mixture:
  - {corpus: toy, template: emotion_choice, space: toy_3, rater: reader, modalities: [text]}
"""
FILES = (
    "build/conversations/train-00000-of-00001.parquet",
    "build/samples/toy/validation.parquet",
    "build/rejected.jsonl",
)


def _turned(data: bytes) -> bytes:
    """One bit in the middle is another one; the size is the same."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 4]) + data[middle + 1 :]


DAMAGES = {"missing": None, "cut": lambda data: data[: len(data) // 2], "turned": _turned, "empty": lambda data: b""}


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    root = toy_corpus(tmp_path, monkeypatch, classes=("joy", "anger", "fear"))
    (tmp_path / "page.yaml").write_text(PAGE)
    words = ["build", str(tmp_path / "page.yaml"), "--root", f"toy={root}", "--out", str(tmp_path / "run")]
    assert main(words) == 0
    return tmp_path / "run", words


def damage(path: Path, how: str) -> None:
    change = DAMAGES[how]
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", DAMAGES)
def test_the_same_command_makes_it_again(built: tuple[Path, list[str]], name: str, how: str, capsys) -> None:
    run, words = built
    before = tree(run)
    damage(run / name, how)
    assert main(words) == 0
    assert tree(run) == before
    assert "missing or changed" in capsys.readouterr().err


@pytest.mark.parametrize("how", DAMAGES)
def test_an_export_of_it_is_refused(built: tuple[Path, list[str]], how: str, capsys) -> None:
    run, words = built
    damage(run / FILES[0], how)
    out = run.parent / "export"
    assert main(["export", str(run), "--to", "trl", "--out", str(out), *words[2:4]]) == 2
    assert "are missing or changed" in capsys.readouterr().err and not out.exists()


def test_an_export_of_a_build_that_did_not_finish_is_refused(built: tuple[Path, list[str]], capsys) -> None:
    run, words = built
    manifest = json.loads((run / "build" / "manifest.json").read_text())
    (run / "build" / "manifest.json").write_text(json.dumps({**manifest, "finished": False}))
    out = run.parent / "export"
    assert main(["export", str(run), "--to", "trl", "--out", str(out), *words[2:4]]) == 2
    assert "this build did not finish" in capsys.readouterr().err and not out.exists()
    assert main(["gallery", str(run), *words[2:4]]) == 2


def test_a_file_of_a_set_that_nobody_vouches_for_is_missed_by_its_number(
    built: tuple[Path, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    run, words = built
    (run / "build" / "manifest.json").unlink()
    one = run / FILES[0]
    shutil.move(one, one.with_name("train-00000-of-00002.parquet"))
    assert main(["export", str(run), "--to", "trl", "--out", str(run / "x"), *words[2:4]]) == 2
    assert main(["gallery", str(run), *words[2:4]]) == 2
    assert capsys.readouterr().err.count("are not one whole set") == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"stage": 3}'])
def test_a_manifest_that_is_none_is_told(built: tuple[Path, list[str]], text: str, capsys) -> None:
    run, words = built
    (run / "build" / "manifest.json").write_text(text)
    assert main(words) == 2
    assert str(run / "build") in capsys.readouterr().err


def sample(number: int) -> dict[str, object]:
    texts = {name: f"{name} {number}" for name in ("id", "corpus", "text", "language", "speaker", "dialogue", "source")}
    return {**texts, "split": "train", "context": [], "media": [], "annotations": [], "attributes": {}}


@pytest.mark.parametrize("how", [how for how in DAMAGES if how != "missing"])
def test_a_damaged_parquet_file_is_named(tmp_path: Path, how: str) -> None:
    path = tmp_path / "x.parquet"
    with Writer(path, sample_schema()) as writer:
        for number in range(4000):
            writer.write(sample(number))
    damage(path, how)
    with pytest.raises(Malformed, match=r"x\.parquet: the file is damaged"):
        list(read_rows(path))


def test_a_missing_parquet_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"x\.parquet"):
        list(read_rows(tmp_path / "x.parquet"))
