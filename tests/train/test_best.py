"""The best checkpoint by what the model answers: chosen by a task's metric, and the training stopped early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tuning import PAGE, logged, page_of, succeed, write_page

from affectllm.errors import BadRecipe
from affectllm.instruct.slots import Slot
from affectllm.labels import LabelSpace
from affectllm.metrics.core.metric import find_metric
from affectllm.model.heads.answers import Answers
from affectllm.report.runfolder import read_run
from affectllm.train.head_rows import held_out_scores
from affectllm.train.pages.scored import value_of
from affectllm.train.recipe import load_recipe

TRAINER = {
    **{"max_steps": 12, "eval_strategy": "steps", "eval_steps": 3, "save_strategy": "steps", "save_steps": 3},
    **{"per_device_eval_batch_size": 4, "per_device_train_batch_size": 4, "learning_rate": 2e-3},
}


def _page(folder: Path, **best: object) -> Path:
    data = {"validation_rows": 8}
    return write_page(folder, data=data, trainer=TRAINER, best={"metric": "uar", "max_new_tokens": 4, **best})


@pytest.mark.slow
def test_the_checkpoint_with_the_best_answers_is_kept_and_training_stops_early(
    small_demo: Path, tmp_path: Path
) -> None:
    page, out = _page(tmp_path, patience=1), tmp_path / "run"
    told = succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out))
    values, unreadable = logged(out, "eval_uar"), logged(out, "eval_unreadable")
    state = json.loads((out / "train" / "trainer_state.json").read_text(encoding="utf-8"))
    assert len(values) == len(unreadable) and all(0 <= value <= 1 for value in values + unreadable)
    assert state["best_metric"] == max(values) and state["best_global_step"] == 3 * (values.index(max(values)) + 1)
    # The first that is no better than the best before it ends the training.
    ends = next((at for at in range(1, len(values)) if values[at] <= max(values[:at])), len(values) - 1)
    assert len(values) == ends + 1 and state["global_step"] == 3 * len(values)
    kept = f"checkpoint-{state['best_global_step']} of {state['global_step']} steps, by uar {max(values):.3f}"
    assert told == f"model: {out / 'train' / 'final'} ({kept})\n"
    titles = [one.curve.title for one in read_run(out).histories]
    assert any("answers to validation rows" in title for title in titles)


@pytest.mark.slow
@pytest.mark.thorough
def test_two_processes_score_their_answers_together(small_demo: Path, tmp_path: Path) -> None:
    values = []
    for launch, processes in (("cpu", "1"), ("ddp", "2")):
        page = _page(tmp_path)
        text = page.read_text(encoding="utf-8").replace("launch: cpu", f"launch: {launch}")
        page.write_text(text.replace("max_steps: 12", "max_steps: 3"), encoding="utf-8")
        words = ["--set", f"trainer.per_device_train_batch_size={4 // int(processes)}", "--num-processes", processes]
        out = tmp_path / launch
        succeed("train", str(page), "--root", f"demo_affect={small_demo}", "--out", str(out), *words)
        values.append((logged(out, "eval_uar"), logged(out, "eval_unreadable")))
    assert values[0] == values[1]


@pytest.mark.parametrize(
    ("best", "trainer", "message"),
    [
        ({"metric": "no_such"}, {}, "no_such"),
        ({"rows": 0}, {}, "best.rows must be 1 or more"),
        ({"patience": 0}, {}, "best.patience must be 1 or more"),
        ({}, {"eval_strategy": "no"}, "nothing is evaluated while the model is trained"),
    ],
)
def test_what_cannot_choose_a_checkpoint_is_refused_with_its_line(
    best: dict[str, object], trainer: dict[str, str], message: str, tmp_path: Path
) -> None:
    page = write_page(tmp_path, trainer={**TRAINER, **trainer}, best={"metric": "uar", **best})
    with pytest.raises(BadRecipe, match=message) as error:
        load_recipe(str(page))
    assert "small.yaml:" in str(error.value)


EACH = {"eval_strategy": "epoch"}
SCORES = {
    **{"corpus": "deam", "template": "music_scores", "space": "deam_va", "rater": "mean"},
    "modalities": ["audio"],
}


@pytest.mark.parametrize(
    ("method", "part", "best", "message", "line"),
    [
        ("sft", {}, {"metric": "ccc"}, "scored as label values", "  metric:"),
        ("sft", {}, {"metric": "wheel_f1"}, "does not score the answers to emotion_choice", "  metric:"),
        ("dpo", {}, {"metric": "preference_rate"}, "does not score the answers", "  metric:"),
        ("sft", SCORES, {"metric": "uar"}, "choose of loss, vad_error", "  metric:"),
        ("head", {}, {"metric": "weighted_f1"}, "choose of loss, uar, accuracy", "  metric:"),
        ("head", SCORES, {"metric": "ccc"}, "choose of loss, vad_ccc", "  metric:"),
        ("head", {}, {"metric": "uar", "rows": 3}, "best.rows is about answers that are written", "  rows:"),
        ("sft", {}, {"metric": "loss", "max_new_tokens": 3}, "about answers that are written", "  max_new_tokens:"),
        ("reward", {}, {"metric": "uar"}, "choose of loss, accuracy", "  metric:"),
        ("contrastive", {}, {"metric": "uar"}, "choose of loss", "  metric:"),
    ],
    ids=str,
)  # fmt: skip
def test_a_metric_that_such_a_training_has_not_is_refused(
    method: str, part: dict[str, object], best: dict[str, object], message: str, line: str, tmp_path: Path
) -> None:
    data = {"data": {"mixture": [{**PAGE["data"]["mixture"][0], **part}]}} if part else {}
    model = {"model": {"path": "tiny:qwen2_audio", "backbone": "qwen2_audio"}} if part else {}
    page = page_of(method, tmp_path, **data, **model, trainer=EACH, best=best)
    with pytest.raises(BadRecipe, match=message) as caught:
        load_recipe(str(page))
    assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith(line)


@pytest.mark.parametrize(
    ("method", "part", "metric"),
    [("head", {}, "uar"), ("head", SCORES, "vad_ccc"), ("reward", {}, "accuracy"), ("sft", SCORES, "vad_ccc"),
     ("sft", {}, "macro_f1"), ("contrastive", {}, "loss")],
)  # fmt: skip
def test_a_metric_that_such_a_training_has_is_taken(
    method: str, part: dict[str, object], metric: str, tmp_path: Path
) -> None:
    data = {"data": {"mixture": [{**PAGE["data"]["mixture"][0], **part}]}} if part else {}
    model = {"model": {"path": "tiny:qwen2_audio", "backbone": "qwen2_audio"}} if part else {}
    page = page_of(method, tmp_path, **data, **model, trainer=EACH, best={"metric": metric})
    assert load_recipe(str(page)).best.metric == metric


@pytest.mark.parametrize(
    ("key", "value"),
    [("metric_for_best_model", "loss"), ("load_best_model_at_end", False), ("greater_is_better", False)],
)
def test_what_best_says_is_not_said_twice(key: str, value: object, tmp_path: Path) -> None:
    page = write_page(tmp_path, trainer={**TRAINER, key: value}, best={"metric": "uar"})
    with pytest.raises(BadRecipe, match=f"trainer.{key} is not set here: best says it") as caught:
        load_recipe(str(page))
    assert page.read_text().splitlines()[int(caught.value.where.rpartition(":")[2]) - 1].startswith(f"  {key}:")


@pytest.mark.parametrize(
    ("method", "metric", "taken"),
    [
        ("sft", "eval_loss", True),
        ("dpo", "rewards/margins", True),
        ("head", "uar", True),
        ("sft", "uar", False),
        ("grpo", "rewards", False),
    ],
)
def test_what_no_evaluation_logs_chooses_no_checkpoint(method: str, metric: str, taken: bool, tmp_path: Path) -> None:
    page = page_of(method, tmp_path, trainer={**EACH, "metric_for_best_model": metric})
    if taken:
        assert load_recipe(str(page)).trainer["metric_for_best_model"] == metric
        return
    with pytest.raises(BadRecipe, match=f"logs no {metric}.*\n.*choose of .*loss"):
        load_recipe(str(page))


VA = LabelSpace("va", "dimension", ("valence", "arousal"), "a test", bounds=(-1.0, 1.0))
SLOT = Slot("answer", "scores", VA, "me")


def test_rows_without_a_dimension_count_for_the_others() -> None:
    """Training takes such rows, so choosing a checkpoint does: the mean of the concordances, each of its own rows."""
    v, a = ([-0.5, 0.1, 0.8, 0.3], [-0.2, 0.4, 0.5]), ([0.2, -0.6, 0.4], [0.1, -0.9, 0.9])
    read = [
        ({"valence": -0.5, "arousal": 0.2}, {"valence": -0.2, "arousal": 0.1}),
        ({"valence": 0.1, "arousal": None}, {"valence": 0.4, "arousal": 0.7}),
        ({"valence": 0.8, "arousal": -0.6}, {"valence": 0.5, "arousal": -0.9}),
        ({"valence": 0.3, "arousal": 0.4}, {"arousal": 0.9}),
    ]
    ccc = find_metric("ccc").statistic
    expected = ccc(v[0], [*v[1], None], bounds=VA.bounds).value() + ccc(*a).value()
    assert value_of(find_metric("vad_ccc"), SLOT, read) == pytest.approx(expected / 2)


def test_a_head_of_several_numbers_logs_their_mean_concordance() -> None:
    from types import SimpleNamespace

    import numpy as np

    scores = held_out_scores(Answers("numbers", VA.names, "scores", VA))
    gold = np.array([[0.1, 0.5], [0.6, np.nan], [0.9, 0.2]])
    logged_scores = scores(SimpleNamespace(predictions=gold * 0.5 + 0.1, label_ids=gold))
    parts = [logged_scores["ccc_valence"], logged_scores["ccc_arousal"]]
    assert logged_scores["vad_ccc"] == pytest.approx(sum(parts) / 2) and parts[0] != parts[1]
