"""Runs on a few items: what is undefined on them is left out and said, and costs the other tasks nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from evaluating import miniatures

from affectllm.errors import Malformed
from affectllm.evaluate.run import evaluate


def test_a_metric_that_is_undefined_on_a_few_items_leaves_the_others(tmp_path: Path, capfd) -> None:
    roots = miniatures(tmp_path / "corpora", ["emobank", "goemotions"])
    tasks = ["goemotions", "emobank_valence", "emobank_arousal"]
    limit = ["--limit", "1"]
    scores = evaluate(tasks, "affectllm-oracle", tmp_path / "run", roots=roots, lm_eval_args=limit)
    assert set(scores) == {"goemotions"}  # one item has no correlation
    message = capfd.readouterr().err
    assert "emobank_valence: pearson is left out, undefined on 1 items: " in message
    kept = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert set(kept["goemotions"]) and set(kept) == {"goemotions"}


def test_a_suite_with_such_a_member_is_left_out_too(tmp_path: Path, monkeypatch, capfd) -> None:
    roots = miniatures(tmp_path / "corpora", ["emobank", "goemotions"])
    (tmp_path / "own" / "eval_tasks").mkdir(parents=True)
    page = "group: both\ntask: [goemotions, emobank_valence]\nmetadata: {version: 1, suite: {mean: headline}}\n"
    (tmp_path / "own" / "eval_tasks" / "both.yaml").write_text(page)
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path / "own"))
    scores = evaluate(["both"], "affectllm-oracle", tmp_path / "run", roots=roots, lm_eval_args=["--limit", "1"])
    assert set(scores) == {"goemotions"} and "both is left out" in capfd.readouterr().err


def test_on_all_items_it_is_an_error(tmp_path: Path) -> None:
    from affectllm.corpus.builder import load_builder
    from affectllm.corpus.miniature import materialise

    miniature = dict(load_builder("emobank").MINIATURE)
    table = next(name for name in miniature if name.endswith("emobank.csv"))
    header, *rows = str(miniature[table]).splitlines()
    tested = next(row for row in rows if ",test," in row)
    root = materialise({table: f"{header}\n{tested}\n"}, tmp_path / "emobank")
    with pytest.raises(Malformed, match="gold does not vary"):
        evaluate(["emobank_valence"], "affectllm-oracle", tmp_path / "run", roots={"emobank": root})
