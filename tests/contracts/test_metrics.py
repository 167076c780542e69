"""The contract that every metric keeps, whoever wrote it: bounds, order, best and worst, controls, its own words."""

from __future__ import annotations

import contextlib
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from metric_examples import FORMS, LABELS, SIZE, Example, example
from wheel_tables import write_2025

from affectllm.errors import Malformed, NotFound
from affectllm.metrics import METRICS, Metric, Result
from affectllm.metrics.core.statistic import Rows

# Metrics whose perfect answers do not reach the end of their range, with the reason.
NOT_PERFECT = {
    "meteor": "its penalty for chunks is above 0 even for the same words",
}

NOT_FREE = {
    "coverage_error": "it takes as many labels as there are",
    "cross_entropy": "of the votes of a crowd, which do not agree",
}


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory):
    from affectllm.metrics.wheels import read_tables

    return read_tables(write_2025(tmp_path_factory.mktemp("tables")), "2025")


def options_of(metric: Metric, tables) -> dict:
    options = {"tables": tables} if "tables" in metric.options else {}
    groups = {name: [row % 3 for row in range(SIZE)] for name in metric.columns}
    return {**options, **groups, "resamples": 50}


def judged(metric: Metric) -> bool:
    """Whether it needs a model or a judge, which have tests of their own."""
    return bool({"judge", "model", "classifier"} & set(metric.options))


def cases() -> list[str]:
    """Metrics that take pairs of a form for which examples can be made."""
    return [name for name, m in METRICS.items() if m.form.name in FORMS and m.takes == "pair" and not judged(m)]


def example_of(name: str, tables, seed: int = 0) -> tuple[Metric, Example]:
    metric = METRICS[name]
    return metric, example(metric, options_of(metric, tables), seed)


def sound(result: Result, metric: Metric) -> None:
    low, high = metric.range
    assert low - 1e-9 <= result.value <= high + 1e-9
    assert result.low <= result.value + 1e-9 and result.value <= result.high + 1e-9
    assert 0 <= result.unreadable <= 1 and 0 < result.n <= SIZE
    json.dumps(result.to_json(), allow_nan=False)


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", list(METRICS))
def test_its_page_has_a_definition_a_formula_edge_cases_and_a_source(name) -> None:
    metric = METRICS[name]
    page = metric.__doc__ or ""
    assert re.fullmatch(r"[A-Z“\"‘0-9].{15,}[.?]", metric.definition), metric.definition
    assert "Formula:" in page and "Edge cases:" in page
    assert re.search(r"(19|20)\d\d|\w/\w|MER\d|github|\.py", metric.source), "a paper with its year, or a repository"
    assert metric.range[0] < metric.range[1] and metric.better in ("higher", "lower", "none")
    assert all(len(what) > 10 for what in metric.compat.values())
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", cases())
def test_random_answers_give_a_sound_result(name, tables) -> None:
    for seed in range(3):
        metric, case = example_of(name, tables, seed)
        sound(metric(case.gold, case.answers, **case.options), metric)


@pytest.mark.parametrize("name", [name for name in cases() if name not in NOT_PERFECT])
def test_perfect_answers_are_best(name, tables) -> None:
    metric, case = example_of(name, tables)
    best = metric(case.gold, case.perfect, **case.options, controls=False)
    other = metric(case.gold, case.answers, **case.options, controls=False)
    sound(best, metric)
    if metric.better == "higher":
        assert best.value >= other.value
        assert math.isinf(metric.range[1]) or best.value == pytest.approx(metric.range[1], abs=1e-6)
    elif metric.better == "lower":
        assert best.value <= other.value
        assert name in NOT_FREE or best.value == pytest.approx(metric.range[0], abs=1e-6)


@pytest.mark.parametrize("name", cases())
def test_the_order_of_items_does_not_matter(name, tables) -> None:
    metric, case = example_of(name, tables)
    if "sequences" in metric.columns:
        pytest.skip("a trace has an order")
    order = np.random.default_rng(7).permutation(SIZE)
    moved = {key: [value[i] for i in order] if key in metric.columns else value for key, value in case.options.items()}
    first = metric(case.gold, case.answers, **case.options, controls=False)
    second = metric([case.gold[i] for i in order], [case.answers[i] for i in order], **moved, controls=False)
    assert second.value == pytest.approx(first.value, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in cases() if "overlap" not in name])  # these look words up
def test_resamples_that_are_computed_together_are_what_each_is_alone(name, tables) -> None:
    metric, case = example_of(name, tables)
    options = {key: value for key, value in case.options.items() if key != "resamples"}
    statistic = metric.statistic(case.gold, case.answers, **options)
    if isinstance(statistic, Rows):
        pytest.skip("its resamples are computed one by one")
    dice = np.random.default_rng(5)
    sums = np.stack([statistic.table[dice.integers(0, SIZE, SIZE)].sum(0, dtype=float) for _ in range(5)])
    together, alone = statistic.reduce(sums), [float(statistic.reduce(one)) for one in sums]
    assert np.shape(together) == (5,)
    np.testing.assert_allclose(together, alone, rtol=1e-9)


@pytest.mark.parametrize("name", cases())
def test_answers_that_cannot_be_read_never_help(name, tables) -> None:
    metric, case = example_of(name, tables)
    some = [None if row % 4 == 0 else answer for row, answer in enumerate(case.perfect)]
    best = metric(case.gold, case.perfect, **case.options, controls=False)
    result = metric(case.gold, some, **case.options, controls=False)
    assert result.unreadable == pytest.approx(0.25)
    sound(result, metric)
    if metric.better == "higher":
        assert result.value <= best.value + 1e-9
    elif metric.better == "lower":
        assert result.value >= best.value - 1e-9


@pytest.mark.parametrize("name", cases())
def test_nothing_readable_is_a_value_or_an_error_and_never_nan(name, tables) -> None:
    metric, case = example_of(name, tables)
    try:
        result = metric(case.gold, [None] * SIZE, **case.options)
    except Malformed as error:
        assert len(str(error)) > 20
    else:
        sound(result, metric)
        assert result.unreadable == 1


def too_large(value: object) -> list[object]:
    """A value with a number in it that is beyond all floats, in each way that it may come."""
    huge = 10**400
    if isinstance(value, dict):
        return [{**value, name: huge} for name in list(value)[:1]]
    return [huge, str(huge), json.dumps({"joy": huge}), json.dumps([huge])]


@pytest.mark.parametrize("name", cases())
def test_a_number_beyond_all_floats_is_unreadable_or_refused(name, tables) -> None:
    metric, case = example_of(name, tables)
    for side in ("gold", "answers"):
        values = getattr(case, side)
        for strange in too_large(values[3]) if values else ():
            given = {"gold": case.gold, "answers": case.answers, side: [*values[:3], strange, *values[4:]]}
            with contextlib.suppress(Malformed, NotFound):  # any other error is a fault
                sound(metric(given["gold"], given["answers"], **case.options), metric)


@pytest.mark.parametrize(("name", "system"), [(name, system) for name in cases() for system in METRICS[name].compat])
def test_a_compat_mode_is_known_wherever_its_name_comes_from(name, system, tables) -> None:
    metric, case = example_of(name, tables)
    options = {**case.options, "controls": False}
    one, other = (metric(case.gold, case.answers, compat=word, **options) for word in (system, "".join(list(system))))
    assert one.value == other.value


@pytest.mark.parametrize("name", cases())
def test_lengths_must_agree_and_something_must_be_given(name, tables) -> None:
    metric, case = example_of(name, tables)
    options = {key: value for key, value in case.options.items() if key not in metric.columns}
    with pytest.raises(Malformed, match="gold values but"):
        metric(case.gold, case.answers[:-1], **options)
    with pytest.raises(Malformed, match="nothing to score"):
        metric([], [], **options)


# ── what a bare number hides (no n, no interval, no share of unreadable answers) ─────────────────────────────────────


@pytest.mark.parametrize("name", cases())
def test_defect_d19_every_result_says_on_what_and_how_surely(name, tables) -> None:
    metric, case = example_of(name, tables)
    result = metric(case.gold, case.answers, **case.options).to_json()
    assert {"n", "low", "high", "unreadable", "controls", "coverage", "settings"} <= set(result)
    assert {"compat", "invalid", "resamples", "confidence", "seed", "clusters"} <= set(result["settings"])


def test_defect_d19_compat_gives_the_bare_number_too_but_never_alone() -> None:
    result = METRICS["uar"](["joy", "fear"], ["joy", "fear"], compat="emoclip", labels=("joy", "fear", "anger"))
    assert result.value == pytest.approx(2 / 3) and result.settings["compat"] == "emoclip" and result.n == 2


@pytest.mark.parametrize("name", cases())
def test_controls_come_with_every_score(name, tables) -> None:
    metric, case = example_of(name, tables)
    controls = metric(case.gold, case.answers, **case.options).controls
    assert {"majority", "chance", "empty", "shuffled"} <= set(controls)
    assert any(value is not None for value in controls.values())
    assert all(value is None or math.isfinite(value) for value in controls.values())


def test_controls_that_grade_labels_know_their_frequencies_only() -> None:
    gold = ["joy"] * 15 + ["fear"] * 5
    perfect = [{"joy": float(label == "joy"), "fear": float(label == "fear")} for label in gold]
    nll = METRICS["brier"](gold, perfect).controls
    # Shares of 0.75 and 0.25: a squared error of 2 · 0.25² for three quarters of the items, 2 · 0.75² for the others.
    assert nll["majority"] == pytest.approx(0.75 * 2 * 0.25**2 + 0.25 * 2 * 0.75**2)
    ranked = METRICS["top_k_accuracy"](gold, [[label] for label in gold], k=1).controls
    assert ranked["majority"] == 0.75 and ranked["empty"] == 0
    sets = [[label] for label in gold]
    scores = METRICS["roc_auc_macro"](sets, perfect).controls
    assert scores["majority"] == scores["say_all"] == pytest.approx(0.5)


def test_controls_of_labels_are_what_they_are_called() -> None:
    gold = ["joy"] * 15 + ["fear"] * 5
    controls = METRICS["accuracy"](gold, gold, labels=LABELS).controls
    assert controls["majority"] == 0.75 and controls["empty"] == controls["say_all"] == 0
    assert controls["chance"] < 0.6 and controls["shuffled"] < 0.95


# ── other ways in ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_defect_of_published_evaluators_has_its_test() -> None:
    """D1 to D19 of the published evaluators that strict mode must not inherit, each shown by name."""
    numbers = set()
    for path in Path(__file__).parents[1].rglob("test_*.py"):
        numbers |= set(map(int, re.findall(r"def test_defect_d(\d+)_", path.read_text(encoding="utf-8"))))
    assert numbers == set(range(1, 20))


def test_metrics_are_importable_by_name_and_listed() -> None:
    import affectllm.metrics as room

    assert all(getattr(room, name) is metric for name, metric in METRICS.items())
    assert set(METRICS) <= set(dir(room))
    with pytest.raises(ImportError):
        from affectllm.metrics import no_such_metric  # noqa: F401
