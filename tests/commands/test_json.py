"""``--json`` of build and show: one document for programs on the standard output, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from affectllm.cli import main
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    monkeypatch.delenv("AFFECTLLM_PATH", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def emodb(tmp_path: Path) -> str:
    return f"emodb={materialise(load_builder('emodb').MINIATURE, tmp_path / 'emodb')}"


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a command printed, all of which is one JSON document."""
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_build_of_a_recipe_tells_counts_and_paths(emodb: str, capsys: pytest.CaptureFixture[str]) -> None:
    (built,) = said(capsys, "build", "emodb_tiny", "--root", emodb, "--out", "out")
    assert built["name"] == "emodb_tiny" and built["conversations"]["train"] == 8
    assert built["samples"]["emodb"]["train"] == 2 and sum(built["rejected"].values()) > 0
    assert Path(built["folder"]) == Path("out/build") and all(Path(path).is_file() for path in built["written"])


def test_build_of_a_mixture_tells_what_is_missing(emodb: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(
        "# Two corpora\ndescription: two corpora\nmissing: skip\nmixture:\n"
        "  - {corpus: emodb, template: emotion_choice, space: emodb_7, rater: actor, modalities: [audio]}\n"
        "  - {corpus: ravdess, template: emotion_choice, space: ravdess_8, rater: actor, modalities: [audio]}\n",
        encoding="utf-8",
    )
    (built,) = said(capsys, "build", "mine.yaml", "--root", emodb, "--out", "out")
    assert set(built["missing"]) == {"ravdess"} and built["conversations"]["train"] > 0


def test_build_of_corpora_tells_one_object_each(emodb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meld = f"meld={materialise(load_builder('meld').MINIATURE, tmp_path / 'meld')}"
    built = said(capsys, "build", "emodb", "meld", "--root", emodb, "--root", meld, "--out", "out", "--stats")
    assert [one["name"] for one in built] == ["emodb", "meld"] and built[0]["samples"]["train"] == 2
    assert built[0]["stats"]["emodb"]["splits"]["train"] == 2 and (Path(built[1]["folder"]) / "manifest.json").is_file()


def test_show_gives_the_card_of_a_corpus_and_samples_where_there_are_some(
    emodb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(capsys, "show", "emodb", "-n", "1", "--root", emodb)
    assert (
        shown["kind"] == "corpus" and shown["card"]["licence"] == "CC0-1.0" and shown["card"]["counts"]["train"] == 277
    )
    assert [sample["id"] for sample in shown["samples"]] == ["03a01Fa"]
    without = said(capsys, "show", "dfew")
    assert without["samples"] is None and "--root dfew=DIR" in without["missing"] and without["also"] == ["task"]


@pytest.mark.parametrize(
    ("words", "path", "value"),
    [
        (["recipe", "quickstart"], ("page", "model", "path"), "tiny:qwen2_5_omni"),
        (["emodb_emotion"], ("page", "gold", "rater"), "actor"),
        (["meld_emotion_video"], ("page", "modalities"), ["video", "audio", "text"]),
        (["metric", "uar"], ("range",), [0, 1]),
        (["qwen2_audio"], ("modalities",), ["audio", "text"]),
    ],
    ids=("recipe", "task", "variant", "metric", "family"),
)
def test_show_gives_pages_metrics_and_families_as_values(
    words: list[str], path: tuple[str, ...], value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = said(capsys, "show", *words)
    assert shown["name"] == words[-1]
    for key in path:
        shown = shown[key]
    assert shown == value


def test_a_page_that_does_not_load_is_shown_with_its_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "torn.yaml").write_text("model: [", encoding="utf-8")
    shown = said(capsys, "show", "torn")
    assert shown["page"] is None and "torn.yaml:" in shown["broken"] and shown["text"] == "model: ["
