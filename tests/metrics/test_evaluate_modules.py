"""The metrics elsewhere: as modules of Hugging Face evaluate, and under the same names in plain lm-eval pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from metric_examples import FORMS, SIZE, example, needs_more

from affectllm.cli import main
from affectllm.errors import NotFound
from affectllm.metrics import METRICS
from affectllm.metrics.evaluate_modules import module, write_modules

GOLD, ANSWERS = ["joy", "fear", "joy"], ["joy", "joy", None]


@pytest.fixture(autouse=True, scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One cache for all tests here: evaluate keeps the package of loaded modules for as long as the process lives."""
    import evaluate

    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_MODULES_CACHE", "HF_METRICS_CACHE"):
            patch.setattr(evaluate.config, name, str(tmp_path_factory.mktemp(name)))
        yield


def test_a_written_module_loads_offline_and_gives_our_value(tmp_path) -> None:
    import evaluate

    assert main(["modules", str(tmp_path / "out"), "uar", "macro_f1"]) == 0
    loaded = evaluate.load(str(tmp_path / "out" / "uar"))
    output = loaded.compute(references=GOLD, predictions=ANSWERS)
    ours = METRICS["uar"](GOLD, ANSWERS)
    assert (output["uar"], output["uar_low"], output["uar_high"]) == (ours.value, ours.low, ours.high)
    assert output["uar_unreadable"] == pytest.approx(1 / 3)
    assert "unweighted average recall" in loaded.description.lower()


def test_modules_pass_combine(tmp_path) -> None:
    import evaluate

    folders = write_modules(tmp_path, ["accuracy", "uar", "macro_f1"])
    output = evaluate.combine([str(folder) for folder in folders]).compute(references=GOLD, predictions=ANSWERS)
    assert {name: output[name] for name in ("accuracy", "uar", "macro_f1")} == {
        name: METRICS[name](GOLD, ANSWERS).value for name in ("accuracy", "uar", "macro_f1")
    }


def test_macro_f1_takes_sets_too(tmp_path) -> None:
    import evaluate

    (folder,) = write_modules(tmp_path, ["macro_f1"])
    sets = [["joy"], ["fear", "joy"]]
    assert evaluate.load(str(folder)).compute(references=sets, predictions=sets)["macro_f1"] == 1


@pytest.mark.parametrize("name", list(METRICS))
def test_every_metric_is_a_module(name, tmp_path) -> None:
    loaded = module(name)()
    metric = METRICS[name]
    if metric.form.name not in ("label", "set", "number", "text") or metric.columns or needs_more(metric):
        assert loaded.features is not None
        return
    given = example(metric, {}, 0)
    sides = {"pair": ("references", "predictions"), "predicted": ("predictions",), "gold": ("references",)}
    sides_of = {"references": given.gold, "predictions": given.answers}
    output = loaded.compute(**{side: sides_of[side] for side in sides[metric.takes]}, resamples=20, controls=False)
    assert (
        output[name] == pytest.approx(metric(given.gold, given.answers, controls=False).value)
        and output[f"{name}_n"] == SIZE
    )


def test_an_unknown_module_is_an_error(tmp_path) -> None:
    with pytest.raises(NotFound, match="no metric called 'nothing'"):
        write_modules(tmp_path, ["nothing"])


# ── lm-eval ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_lm_eval_knows_our_metrics_by_the_same_names() -> None:
    from lm_eval.api.registry import get_aggregation, get_metric, is_higher_better

    from affectllm.evaluate.scoring.lm_eval_metrics import register

    register()
    assert register() == [], "registering twice adds nothing"
    for name in ("uar", "weighted_f1", "jaccard", "ccc", "mae", "reccon_entailment", "rouge_l"):
        pair = get_metric(name)(references=["joy"], predictions=["joy"])
        assert pair == ("joy", "joy")
        assert is_higher_better(name) == (METRICS[name].better == "higher")
        assert callable(get_aggregation(name))
    pairs = list(zip(GOLD, ANSWERS, strict=True))
    assert get_aggregation("uar")(pairs) == METRICS["uar"](GOLD, ANSWERS).value
    assert get_aggregation("jaccard")([("joy, fear", "joy"), ("fear", "fear")]) == pytest.approx(0.75)


def test_examples_exist_for_every_form_that_takes_plain_values() -> None:
    forms = {metric.form.name for metric in METRICS.values()}
    assert forms - set(FORMS) <= {"raw"}
