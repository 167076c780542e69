"""What a score is made of: by group with the gap, runs against each other, and how sure a model is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from logged_run import LABELS, TASK, logged, make_logged

from affectllm.errors import Malformed
from affectllm.evaluate.scoring.groups import Grouping, groupings
from affectllm.metrics import METRICS
from affectllm.metrics.core.groups import gap_of_groups, scores_of_groups
from affectllm.report.breakdowns.calibration import calibrations
from affectllm.report.breakdowns.groups import by_group, gap_in_words
from affectllm.report.breakdowns.paired import paired
from affectllm.report.html import render_report
from affectllm.report.runfolder import read_run


def by_name(folder: Path) -> dict[str, Grouping]:
    return {one.name: one for one in groupings(folder, TASK)}


def test_a_group_that_is_served_worse_is_seen_with_its_gap(tmp_path: Path) -> None:
    rows = logged(480, skill=lambda about: 0.9 if about["sex"] == "male" else 0.4)
    own = by_name(make_logged(tmp_path / "run", rows))
    sex, level = own["sex"], own["level"]
    for group, result in sex.scores.items():
        part = [row for row in rows if row["doc"]["about"]["sex"] == group]
        plain = METRICS["uar"](
            [row["doc"]["gold"] for row in part],
            [row["reading"] for row in part],
            clusters=[row["doc"]["speaker"] for row in part],
            labels=LABELS,
        )
        assert result is not None
        assert (result.value, result.low, result.high) == (plain.value, plain.low, plain.high)
    assert sex.gap is not None and level.gap is not None
    values = [result.value for result in sex.scores.values() if result]
    assert sex.gap.value == pytest.approx(max(values) - min(values))
    assert (sex.gap.largest, sex.gap.smallest, sex.cluster) == ("male", "female", "speaker")
    assert sex.gap.low is not None and sex.gap.low > 0.2 and sex.gap.p < 0.05
    assert level.gap.low == 0.0 and level.gap.p > 0.05
    assert own["speaker"].cluster == "item" and len(own["speaker"].scores) == 12
    assert list(own["characters"].scores) == ["20 to 139", "140 to 259", "260 to 379", "380 to 499"]
    assert {"language", "note"}.isdisjoint(own), "what all items have alike divides nothing"


def test_facts_of_a_few_items_and_facts_that_divide_alike_are_told_once_or_not_at_all(tmp_path: Path) -> None:
    rows = logged(60)
    for number, row in enumerate(rows):
        about = row["doc"]["about"]
        row["doc"]["about"] = {"gender": about["sex"], **about, "scene": f"scene {number}"}
        if number < 20:
            row["doc"]["about"]["rare"] = "ab"[number % 2]
    own = by_name(make_logged(tmp_path / "run", rows))
    assert "gender" in own and {"sex", "scene", "rare"}.isdisjoint(own)


def test_groups_with_few_items_have_scores_and_no_gap(tmp_path: Path) -> None:
    own = by_name(make_logged(tmp_path / "run", logged(18)))
    assert own["sex"].gap is None and "fewer than two groups" in gap_in_words(own["sex"])
    assert own["sex"].scores["male"] is not None


def test_a_gap_of_few_clusters_has_no_interval_and_one_that_no_cluster_moves_none_either() -> None:
    gold, given = ["a", "b"] * 20, ["a", "b"] * 10 + ["a", "a"] * 10
    groups = ["one"] * 20 + ["two"] * 20
    few = gap_of_groups(METRICS["accuracy"], gold, given, groups, clusters=["x", "y", "z", "w"] * 10)
    assert few is not None and few.value == 0.5 and few.low is None
    rigid = gap_of_groups(METRICS["accuracy"], gold, given, groups, clusters=[n // 2 % 10 for n in range(40)])
    assert rigid is not None and rigid.value == 0.5 and rigid.low is None


def test_metrics_that_are_no_sums_and_metrics_with_columns_have_groups() -> None:
    random = np.random.default_rng(0)
    gold = random.normal(size=120).tolist()
    given = [one + random.normal() * (0.1 if number < 60 else 3) for number, one in enumerate(gold)]
    groups = ["clear"] * 60 + ["noisy"] * 60
    for name in ("ccc", "spearman"):
        scores = scores_of_groups(METRICS[name], gold, given, groups)
        gap = gap_of_groups(METRICS[name], gold, given, groups)
        assert gap is not None and scores["clear"] and scores["noisy"]
        assert gap.value == pytest.approx(scores["clear"].value - scores["noisy"].value) and gap.p < 0.05
    labels = ["a", "b"] * 60
    columns = {"groups": ["x", "y", "z"] * 40}
    parts = scores_of_groups(METRICS["accuracy_per_group"], labels, labels, groups, options=columns)
    assert all(part is not None and part.value == 1.0 for part in parts.values())


@pytest.mark.thorough
def test_gaps_between_groups_that_are_alike_are_rarely_called_unlikely() -> None:
    random, low = np.random.default_rng(1), 0
    for _ in range(40):
        right = random.random(120) < np.repeat(random.uniform(0.4, 0.9, 12), 10)
        groups = np.repeat(["a", "b", "c"] * 4, 10).tolist()
        given = ["yes" if one else "no" for one in right]
        speakers = np.repeat(np.arange(12), 10).tolist()
        gap = gap_of_groups(METRICS["accuracy"], ["yes"] * 120, given, groups, clusters=speakers)
        assert gap is not None
        low += gap.p <= 0.05
    assert low <= 6  # of 40, one in twenty by chance


def test_runs_are_compared_item_by_item_in_the_report(tmp_path: Path) -> None:
    rows = logged(240, skill=0.9)
    good = make_logged(tmp_path / "good", rows)
    bad = make_logged(tmp_path / "bad", logged(240, skill=0.3, seed=3))
    one = paired([read_run(good), read_run(bad)], TASK)
    assert one is not None and one.board is not None
    (pair,) = one.pairs
    assert (pair.first, pair.second, pair.how) == ("good", "bad", "beats") and pair.low is not None and pair.low > 0
    html = render_report([good, bad], tmp_path / "out").read_text(encoding="utf-8")
    assert "Runs against each other" in html and "outcome=differ" in html
    (bad / "sources.json").unlink()
    lost = paired([read_run(good), read_run(bad)], TASK)
    assert lost is not None and "bad has no answers" in lost.problem
    assert paired([read_run(good)], TASK) is None


def test_calibration_is_that_of_the_metric_and_only_of_compared_likelihoods(tmp_path: Path) -> None:
    rows = logged(200, likelihoods=True)
    run = read_run(make_logged(tmp_path / "run", rows))
    (one,) = calibrations([run], TASK)
    readable = [row for row in rows if row["reading"]]
    shares, right = [], []
    for row in readable:
        weights = np.exp([float(value) for value, _ in row["filtered_resps"]])
        shares.append(dict(zip(LABELS, (weights / weights.sum()).tolist(), strict=True)))
        right.append(row["doc"]["gold"])
    plain = METRICS["ece"](right, shares, bins=10, clusters=[row["doc"]["speaker"] for row in readable])
    assert one.ece["value"] == pytest.approx(plain.value) and one.ece["low"] == pytest.approx(plain.low)
    assert one.unread == len(rows) - len(readable) and sum(part.count for part in one.bins) == len(readable)
    html = render_report([run.folder]).read_text(encoding="utf-8")
    assert f"ECE {one.ece['value']:.3f}" in html
    assert calibrations([read_run(make_logged(tmp_path / "other", logged(20)))], TASK) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    folder = make_logged(tmp_path / "run", logged(40))
    path = folder / f"samples_{TASK}.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    row: dict[str, Any] = json.loads(lines[3])
    del row["doc"]["speaker"]
    path.write_text("\n".join([*lines[:3], json.dumps(row), *lines[4:]]) + "\n", encoding="utf-8")
    with pytest.raises(Malformed, match="speaker") as caught:
        by_group([read_run(folder)], TASK)
    assert path.name in str(caught.value)


def test_a_metric_whose_wheels_are_not_here_says_so_and_has_the_rest_of_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AFFECTLLM_WHEELS", raising=False)
    folder = make_logged(tmp_path / "run", logged(40))
    for place in (folder, make_logged(folder / "reference" / "chance", logged(40, skill=0.3))):
        facts = json.loads((place / "results.json").read_text(encoding="utf-8"))
        own = facts["configs"][TASK]["metadata"]["affectllm"]
        own |= {"metrics": ["wheel_f1"], "metric_options": {"wheel_f1": {"tables": "2025"}}}
        (place / "results.json").write_text(json.dumps(facts), encoding="utf-8")
        scores = json.loads((place / "scores.json").read_text(encoding="utf-8"))
        (place / "scores.json").write_text(json.dumps({TASK: {"wheel_f1": scores[TASK]["uar"]}}), encoding="utf-8")
    html = render_report([folder]).read_text(encoding="utf-8")
    assert "No scores by group: words are to be compared by the emotion wheels of 2025" in html
