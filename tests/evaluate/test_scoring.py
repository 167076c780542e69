"""Options of metrics in a task page: attributes as columns, compat modes, emotion wheels, some labels only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from evaluating import use
from wheel_tables import write_2025

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate import environment
from affectllm.evaluate.harness import lm_eval_main
from affectllm.evaluate.scoring.slots import Scored
from affectllm.evaluate.scoring.task_scoring import Item, Scoring
from affectllm.evaluate.shelf import check_pages
from affectllm.labels import LabelSpace
from affectllm.metrics import METRICS
from affectllm.metrics.wheels import read_tables
from affectllm.report.html import render_report

PAGE = """# Mine: how the actor sounds.
task: mine
class: !function affectllm.evaluate.task.AffectTask
corpus: emodb
split: test
template: {template}
gold: {gold}
modalities: {modalities}
cluster: speaker
metrics: {metrics}
metadata: {{version: 1}}
{more}
"""
CHOICE = "{space: emodb_7, rater: actor}"
USUAL = {"template": "emotion_choice", "gold": CHOICE, "modalities": "[audio]", "metrics": "[uar]", "more": ""}
NAMES = [f"{who}a0{n}{label}a" for who in ("11", "12", "13", "14", "15") for n, label in enumerate("WNTWF", 1)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = materialise({f"wav/{name}.wav": Tone(0.1) for name in NAMES}, tmp_path / "emodb")
    use(monkeypatch, {"emodb": root})
    monkeypatch.setenv("AFFECTLLM_PATH", str(tmp_path))
    monkeypatch.delenv(environment.WHEELS, raising=False)
    (tmp_path / "eval_tasks").mkdir()
    return tmp_path


def run(folder: Path, *words: str, model: str = "affectllm-chance", **page: str) -> tuple[Any, Any, list[Any]]:
    """Score the page; return its scores, its details and its rows."""
    text = PAGE.format(**{**USUAL, **page})
    (folder / "eval_tasks" / "mine.yaml").write_text(text, encoding="utf-8")
    out = folder / "out"
    lm_eval_main(["--model", model, "--tasks", "mine", "--output_path", str(out), *words])
    scores, details = (json.loads((out / name).read_text(encoding="utf-8")) for name in ("scores.json", "details.json"))
    rows = [json.loads(line) for line in next(out.glob("samples_mine*")).open(encoding="utf-8")]
    return scores["mine"], details["mine"], rows


def test_only_some_labels_are_counted_and_the_others_still_err(folder: Path) -> None:
    more = "score_labels: [anger, sadness]"
    scores, _, rows = run(folder, metrics="[micro_f1, accuracy, macro_f1]", more=more)
    gold, answers = [row["doc"]["gold"] for row in rows], [row["reading"] for row in rows]
    counted = [(g, a) for g, a in zip(gold, answers, strict=True) if "anger" in (g, a) or "sadness" in (g, a)]
    hits = sum(g == a for g, a in counted)
    missed = sum(g in ("anger", "sadness") for g, _ in counted)
    claimed = sum(a in ("anger", "sadness") for _, a in counted)
    assert scores["micro_f1"]["value"] == pytest.approx(2 * hits / (missed + claimed))
    assert scores["accuracy"]["value"] == pytest.approx(
        sum(g == a for g, a in zip(gold, answers, strict=True)) / len(rows)
    )


@pytest.mark.parametrize(
    ("page", "error", "named"),
    [
        ({"metrics": "[uar]", "more": "score_labels: [anger]"}, Malformed, "uar is of all labels"),
        ({"metrics": "[micro_f1]", "more": "score_labels: [rage]"}, NotFound, "rage"),
        ({"metrics": "[{uar: {compat: nobody}}]"}, NotFound, "no compat mode 'nobody'"),
        ({"metrics": "[{uar: {average: macro}}]"}, NotFound, "takes no option 'average'"),
        ({"metrics": "[{uar: emoclip}]"}, Malformed, "options of uar"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(folder: Path, page: Any, error: type, named: str) -> None:
    with pytest.raises(AffectError, match=named) as caught:
        run(folder, **page)
    assert isinstance(caught.value, error)


@pytest.mark.parametrize("page", [{"modalities": "[audio, smell]"}, {"modalities": "[]"}, {"more": "language: tlh"}])
def test_what_a_template_cannot_ask_is_told_with_the_page(folder: Path, page: dict[str, str]) -> None:
    with pytest.raises(AffectError, match=r"mine\.yaml"):
        run(folder, **page)


def test_a_compat_mode_scores_as_the_published_evaluator(folder: Path) -> None:
    scores, _, rows = run(folder, metrics="[{uar: {compat: emoclip}}, balanced_accuracy]", model="affectllm-majority")
    gold, answers = [row["doc"]["gold"] for row in rows], [row["reading"] for row in rows]
    names = ["anger", "boredom", "disgust", "fear", "happiness", "sadness", "neutral"]
    expected = METRICS["uar"](gold, answers, labels=names, compat="emoclip").value
    assert scores["uar"]["value"] == pytest.approx(expected)
    assert scores["uar"]["value"] < scores["balanced_accuracy"]["value"]  # it divides by absent classes, too


def test_open_words_are_compared_by_the_wheels_that_are_given(folder: Path) -> None:
    page = {"template": "emotion_open", "gold": "{space: emodb_7, rater: actor, map: words}"}
    page |= {"metrics": "[{hit_rate: {tables: '2025', neutral: skip}}, jaccard]"}
    with pytest.raises(NotFound, match="--wheels DIR"):
        run(folder, **page)
    wheels = write_2025(folder / "wheels")
    scores, _, rows = run(folder, "--wheels", str(wheels), model="affectllm-oracle", **page)
    assert scores["hit_rate"]["value"] == 1
    gold = [row["doc"]["gold"] for row in rows]
    tables = read_tables(wheels, "2025")
    assert scores["hit_rate"]["n"] == METRICS["hit_rate"](gold, gold, tables=tables, neutral="skip").n


def test_a_column_is_an_attribute_of_the_samples() -> None:
    space = LabelSpace("intensity", "dimension", ("intensity",), source="", bounds=(0.0, 1.0))
    scoring = Scoring((Scored("", "scores", space),), {"pearson_per_group": {"groups": "emotion"}})
    rows = [(n % 2, n / 9, n / 9 if n % 2 else 1 - n / 9) for n in range(10)]
    items = [Item({"intensity": g}, {"intensity": a}, {"emotion": "ab"[group]}) for group, g, a in rows]
    assert scoring.columns() == ("emotion",)
    assert scoring.statistic("pearson_per_group", items).value() == pytest.approx(0.0)
    assert scoring.result("pearson_per_group", items[1::2], None).value == pytest.approx(1.0)


def test_an_item_without_the_attribute_is_counted(folder: Path) -> None:
    with pytest.raises(AffectError, match="no_mood 12"):
        run(folder, metrics="[{uar: {}}, {mcc: {}}, {statement_judgement: {dimensions: mood}}]")


def test_fewer_items_than_the_release_has_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, details, _ = run(folder, more="n: 200")
    assert f"items asked: {details['n']}; items of the whole release: 200" in capsys.readouterr().err
    assert details["released"] == 200 > details["n"]


FIGURE = "{system: A, metric: uar, value: 0.5, source: table 1, evidence: checked}"


def test_published_figures_stand_beside_the_scores(folder: Path) -> None:
    other = FIGURE.replace("system: A", "system: B").replace("}", ", differs: trained on it}")
    _, details, _ = run(folder, more=f"published: [{other}, {FIGURE}]")
    assert details["published"][1] == {
        **{"system": "A", "metric": "uar", "value": 0.5, "source": "table 1", "evidence": "checked", "differs": ""}
    }
    page = render_report([folder / "out"]).read_text(encoding="utf-8")
    assert "published: A" in page and "published: B" not in page  # in the charts
    assert page.index('<th scope="row">A</th>') < page.index('<th scope="row">B</th>') < page.index("trained on it")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("checked", "heard"), "'heard' is no evidence"),
        (("0.5", "high"), "no number"),
        ((", source: table 1", ""), "source"),
    ],
)
def test_a_figure_that_nobody_has_checked_is_refused_with_its_line(folder: Path, change: Any, named: str) -> None:
    text = PAGE.format(**{**USUAL, "more": f"published: [{FIGURE}]"})
    (folder / "eval_tasks" / "mine.yaml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(Malformed, match=rf"mine\.yaml:12: .*{named}"):
        check_pages()


@pytest.mark.parametrize(
    "page",
    [
        {"gold": "{space: {}, rater: actor}"},
        {"gold": "{space: emodb_7, rater: [actor]}"},
        {"more": "also: {explanation: {space: null, rater: actor}}"},
        {"more": f"published: [{FIGURE.replace('checked', '{}')}]"},
        {"more": f"published: [{FIGURE.replace('table 1', '[]')}]"},
    ],
    ids=str,
)
def test_what_must_be_a_name_or_a_text_is_told_with_the_page(folder: Path, page: dict[str, str]) -> None:
    with pytest.raises(Malformed, match=r"mine\.yaml:\d+: .*(must be a name|and no text)"):
        run(folder, **page)
