"""Suites: the mean of what their members lead with, its interval, folds pooled, and what cannot be averaged."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from evaluating import use

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.scoring.suites import Suite, mean_score
from affectllm.metrics import METRICS, Score
from affectllm.report.html import render_report


def score(value: float, low: float | None, high: float | None, n: int = 10, **controls: float) -> Score:
    both: dict[str, Any] = {"low": low, "high": high}
    return Score(value=value, n=n, clusters=n, unreadable=0.1, controls=dict(controls), **both)


def test_independent_members_add_in_squares_and_related_ones_plainly() -> None:
    scores = [score(0.5, 0.4, 0.7, majority=0.2), score(0.7, 0.6, 0.8, majority=0.4, chance=0.1)]
    apart = mean_score(scores, [frozenset("ab"), frozenset("cd")])
    related = mean_score(scores, [frozenset("ab"), frozenset("bc")])
    assert apart["value"] == related["value"] == pytest.approx(0.6)
    assert apart["low"] == pytest.approx(0.6 - math.hypot(0.1, 0.1) / 2)
    assert apart["high"] == pytest.approx(0.6 + math.hypot(0.2, 0.1) / 2)
    assert related["low"] == pytest.approx(0.5) and related["high"] == pytest.approx(0.75)
    assert apart["controls"] == {"majority": pytest.approx(0.3)}
    assert (apart["n"], apart["unreadable"]) == (20, pytest.approx(0.1))


def test_members_are_related_through_others() -> None:
    scores = [score(0.5, 0.4, 0.6)] * 3
    chain = mean_score(scores, [frozenset("ab"), frozenset("cd"), frozenset("bc")])
    assert chain["low"] == pytest.approx(0.4)


def test_a_member_without_an_interval_leaves_none() -> None:
    mean = mean_score([score(0.5, 0.4, 0.6), score(0.7, None, None)], [frozenset("a"), frozenset("b")])
    assert mean["value"] == pytest.approx(0.6) and mean["low"] is None and mean["high"] is None


@pytest.mark.parametrize("given", [{"mean": "uars"}, {"average": "uar"}, {"pooled": 1}, "headline"])
def test_a_suite_that_says_something_else_is_refused(given: Any) -> None:
    with pytest.raises(Malformed, match="here:3"):
        Suite.read("mine", ["a"], {"suite": given}, "here:3")


TASK = """# Mine.
task: {name}
class: !function affectllm.evaluate.task.AffectTask
corpus: emodb
{split}
template: emotion_choice
gold: {{space: emodb_7, rater: actor}}
modalities: [audio]
cluster: speaker
metrics: [{metrics}]
metadata: {{version: 1}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six texts of six speakers; each text, which the corpus calls ``text``, is a fold."""
    names = [
        f"{who}{text}{label}a"
        for who in ("03", "08", "11", "12", "14", "16")
        for text in ("a01", "a02", "b01")
        for label in "WN"
    ]
    root = materialise({f"wav/{name}.wav": Tone(0.1) for name in names}, tmp_path / "emodb")
    use(monkeypatch, {"emodb": root})
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    (tmp_path / "eval_tasks").mkdir()
    return tmp_path / "eval_tasks"


def run(folder: Path, suite: str, tasks: dict[str, tuple[str, str]], model: str = "affectllm-chance") -> Any:
    for name, (split, metrics) in tasks.items():
        (folder / f"{name}.yaml").write_text(TASK.format(name=name, split=split, metrics=metrics), encoding="utf-8")
    page = f"group: mine\ntask: [{', '.join(tasks)}]\nmetadata: {{version: 1, suite: {suite}}}\n"
    (folder / "mine.yaml").write_text(page, encoding="utf-8")
    out = folder.parent / "out"
    lm_eval_main(["--model", model, "--tasks", "mine", "--output_path", str(out)])
    return tuple(json.loads((out / name).read_text(encoding="utf-8")) for name in ("scores.json", "details.json"))


FOLDS = {f"fold_{text}": (f"fold: {{sentence: {text}}}", "uar, accuracy") for text in ("a01", "a02", "b01")}


def test_folds_have_a_mean_and_are_pooled(folder: Path) -> None:
    scores, details = run(folder, "{mean: headline, pooled: true}", FOLDS)
    own = [scores[name]["uar"]["value"] for name in FOLDS]
    assert scores["mine"]["mean.uar"]["value"] == pytest.approx(sum(own) / 3)
    assert scores["mine"]["pooled.uar"]["n"] == 36 == sum(scores[name]["uar"]["n"] for name in FOLDS)
    assert scores["mine"]["pooled.uar"]["clusters"] == 6  # the same speakers in each fold
    assert details["mine"]["suite"]["fold_a02"] == {"metric": "uar", "value": own[1]}
    rows = [json.loads(line) for path in (folder.parent / "out").glob("samples_*") for line in path.open()]
    gold, answers = [row["doc"]["gold"] for row in rows], [row["reading"] for row in rows]
    assert scores["mine"]["pooled.uar"]["value"] == pytest.approx(METRICS["uar"](gold, answers).value)
    page = render_report([folder.parent / "out"]).read_text(encoding="utf-8")
    assert "mine: members" in page and f">{own[1]:.3f}</data></td>" in page


def test_members_that_lead_with_unlike_metrics_are_averaged_under_no_metrics_name(folder: Path) -> None:
    tasks = {"one": ("split: test", "uar"), "two": ("split: test", "accuracy, uar")}
    scores, _ = run(folder, "{mean: headline}", tasks)
    values = [scores["one"]["uar"]["value"], scores["two"]["accuracy"]["value"]]
    assert set(scores["mine"]) == {"mean"}
    assert scores["mine"]["mean"]["value"] == pytest.approx(sum(values) / 2)


@pytest.mark.parametrize(
    ("suite", "second", "named"),
    [
        ("{mean: macro_f1}", "uar, accuracy", "is not scored by macro_f1"),
        ("{mean: headline, pooled: true}", "{uar: {compat: emoclip}}", "cannot be pooled"),
    ],
)
def test_what_cannot_be_averaged_is_named(folder: Path, suite: str, second: str, named: str) -> None:
    tasks = {"one": ("split: test", "uar"), "two": ("split: test", second)}
    with pytest.raises(AffectError, match=named):
        run(folder, suite, tasks)
