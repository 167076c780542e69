"""lm-eval's own arguments: what asks for nothing, or for what is not there, is an error before anything is scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluating import miniatures, use

from affectllm.cli import main
from affectllm.errors import AffectError
from affectllm.evaluate.run import evaluate


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--limit", "0"], "--limit 0 is no number of items"),
        (["--limit", "-3"], "--limit -3 is no number of items"),
        (["--limit=nan"], "--limit nan is no number of items"),
        (["-L", "1.5"], "--limit 1.5 is no number of items"),
        (["--samples", "first"], "--samples is no JSON"),
        (["--samples", '["emodb_emotion"]'], "must be a mapping of tasks"),
        (["--samples", '{"emodb_emotion": []}'], "must list indices of emodb_emotion"),
        (["-E", '{"emodb_emotion": [-1]}'], "must list indices of emodb_emotion"),
        (["--samples", '{"emodb_emotion": [true]}'], "must list indices of emodb_emotion"),
        (["--model", "affectllm-majorty"], "did you mean affectllm-majority"),
        (["--model", "afectllm-api"], "did you mean affectllm-api"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_argument_that_asks_nothing_is_refused(words, message, tmp_path: Path, monkeypatch, capsys) -> None:
    use(monkeypatch, miniatures(tmp_path, ["emodb"]))
    assert main(["eval", "--model", "affectllm-mute", "--tasks", "emodb_emotion", *words]) == 2
    error = capsys.readouterr().err
    assert message in error and "\n  → " in error


def test_a_missing_corpus_is_told_before_a_model_is_loaded(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.delenv("AFFECTLLM_CORPORA", raising=False)
    words = [
        "--model",
        "affectllm",
        "--model_args",
        "pretrained=no/such/model",
        "--tasks",
        "mer_unibench,emodb_emotion",
    ]
    assert main(["eval", *words]) == 2
    error = capsys.readouterr().err
    assert "the corpus emodb was not found" in error or "the corpus ch_sims was not found" in error


@pytest.mark.parametrize(
    ("picked", "message"),
    [({"emodb_emoton": [0]}, "emodb_emoton, which is not among the tasks"), ({"emodb_emotion": [0, 9]}, "item 9")],
)
def test_items_that_are_not_there_are_refused(picked: dict[str, list[int]], message: str, tmp_path: Path) -> None:
    roots = miniatures(tmp_path / "corpora", ["emodb"])
    words = ["--samples", json.dumps(picked)]
    with pytest.raises(AffectError, match=message):
        evaluate(["emodb_emotion"], "affectllm-mute", tmp_path / "run", roots=roots, lm_eval_args=words)


def test_items_are_picked_by_text_and_by_file(tmp_path: Path) -> None:
    roots = miniatures(tmp_path / "corpora", ["meld"])
    picked = json.dumps({"meld_emotion": [1]})
    (tmp_path / "picked.json").write_text(picked)
    for number, given in enumerate((picked, str(tmp_path / "picked.json"))):
        words = ["--samples", given]
        scores = evaluate(["meld_emotion"], "affectllm-oracle", tmp_path / f"{number}", roots=roots, lm_eval_args=words)
        assert scores["meld_emotion"]["accuracy"]["n"] == 1
