"""Reference models: the oracle is perfect on every task, the mute model unreadable, majority and chance as expected."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from evaluating import TASKS, corpus_of, miniatures, shipped, use

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.models.reference import ChanceLM, MajorityLM, MuteLM, OracleLM, ReferenceLM
from affectllm.evaluate.scoring.task_scoring import metric_of
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.metrics import uar

NAN_WITHOUT_A_HIT = {"ov_merd_open_compat"}
"""Tasks of a published evaluator that divides by the number of right answers."""


def leaves_out_unread(task: AffectTask) -> bool:
    """Whether the task follows a published evaluator that leaves unreadable answers out, and so has none to count."""
    return any(options.get("compat") == "emobench_m" for options in task.page.metric_options.values())


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return miniatures(tmp_path_factory.mktemp("corpora"), map(corpus_of, TASKS))


@pytest.fixture
def emodb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine test recordings: six of anger (W), three neutral (N), of three speakers."""
    names = [
        f"{who}a0{text}{emotion}a" for who in ("11", "12", "14") for text, emotion in ((1, "W"), (2, "W"), (4, "N"))
    ]
    use(monkeypatch, {"emodb": materialise({f"wav/{name}.wav": Tone(0.1) for name in names}, tmp_path)})


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred and ten test recordings, thirty of each emotion."""
    texts = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
    names = [f"{who}{text}{emotion}a" for who in ("11", "12", "14") for text in texts for emotion in "WLEAFTN"]
    use(monkeypatch, {"emodb": materialise({f"wav/{name}.wav": b"RIFF" for name in names}, tmp_path)})


def _task(name: str) -> AffectTask:
    task: AffectTask = shipped().load([name])["tasks"][name]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


def _answered(task: AffectTask, model: ReferenceLM) -> list[dict]:
    """What lm-eval does: answers to all requests, and the results per document."""
    answers = getattr(model, task.instances[0].request_type)(task.instances)
    per_document: dict[int, list] = {}
    for request, answer in zip(task.instances, answers, strict=True):
        per_document.setdefault(request.doc_id, []).append(answer)
    return [task.process_results(task.task_docs[i], results) for i, results in per_document.items()]


def _run(model: ReferenceLM, name: str) -> tuple[AffectTask, list[dict]]:
    task = _task(name)
    return task, _answered(task, model)


def _values(task: AffectTask, results: list[dict]) -> dict[str, float]:
    functions = task.aggregation()
    return {name: functions[name]([result[name] for result in results]) for name in functions}


@pytest.mark.parametrize("name", TASKS)
def test_the_oracle_is_perfect(roots, monkeypatch, name) -> None:
    use(monkeypatch, roots)
    values = _values(*_run(OracleLM(), name))
    assert values.pop("unreadable") == 0
    for diversity in [key for key in values if "distinct" in key]:  # not about being right
        assert 0 <= values.pop(diversity) <= 1
    assert values.pop("kl_divergence", 0) < 1e-4  # it is smoothed, so that perfect shares cost a little, too
    assert values == pytest.approx({key: _best(key) for key in values}, abs=1e-9)


def _best(key: str) -> float:
    """What a perfect answer scores; ``reading`` and ``right`` are shares."""
    if key in ("reading", "right"):
        return 1
    metric = metric_of(key)
    return metric.range[metric.better == "higher"]


@pytest.mark.parametrize("name", TASKS)
def test_the_mute_model_is_all_unreadable_and_scores_nothing(roots, monkeypatch, name) -> None:
    use(monkeypatch, roots)
    task, results = _run(MuteLM(), name)
    if name in NAN_WITHOUT_A_HIT:
        with pytest.raises(Malformed, match="published evaluator gives NaN"):
            _values(task, results)
        return
    if leaves_out_unread(task):
        with pytest.raises(Malformed, match="no item is left"):
            _values(task, results)
        return
    values = _values(task, results)
    assert values.pop("unreadable") == 1
    assert values.pop("reading") == values.pop("right", 0) == 0
    for key, value in values.items():
        metric = metric_of(key)
        worse = value < _best(key) if metric.better == "higher" else value > _best(key)
        labels = metric.form.name in ("label", "set", "text", "span") and metric.range[0] == 0
        # A published evaluator may take silence for an answer: "same", or negative.
        strict = "compat" not in task.page.metric_options.get(key, {})
        assert value == 0 if labels and strict else worse, key


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("model", [MajorityLM(), ChanceLM()], ids=lambda model: model.kind)
def test_answers_without_understanding_are_read_and_lie_between(roots, monkeypatch, name, model) -> None:
    use(monkeypatch, roots)
    values = _values(*_run(model, name))
    assert values.pop("unreadable") == 0 and values.pop("reading") == 1
    for key, value in values.items():
        low, high = (0, 1) if key == "right" else metric_of(key).range
        assert low <= value <= high, key


@pytest.mark.parametrize("name", ["emodb_emotion", "emodb_emotion_choice"])
def test_majority_gives_the_values_worked_out_by_hand(emodb, name) -> None:
    values = _values(*_run(MajorityLM(), name))
    # anger: recall 1, precision 6/9, F1 = 12/15; neutral: never found.
    assert values["accuracy"] == pytest.approx(6 / 9)
    assert values["uar"] == pytest.approx(1 / 2)
    assert values["macro_f1"] == pytest.approx(0.8 / 2)
    assert values["weighted_f1"] == pytest.approx(6 / 9 * 0.8)


@pytest.mark.parametrize("name", ["emodb_emotion", "emodb_emotion_choice"])
def test_one_in_seven_lies_in_the_interval_of_chance(many, name) -> None:
    task, covered = _task(name), 0
    for seed in range(20):
        gold, predicted = zip(*(result["uar"] for result in _answered(task, ChanceLM(seed=seed))), strict=True)
        row = uar(gold, predicted, labels=task.template.space.names).score()
        covered += row["low"] <= 1 / 7 <= row["high"]
    assert covered >= 17


@pytest.mark.parametrize("name", ["emodb_emotion", "emodb_emotion_choice"])
def test_chance_gives_every_answer_equally_often(many, name) -> None:
    task, rounds = _task(name), 10
    drawn = Counter(result["reading"] for seed in range(rounds) for result in _answered(task, ChanceLM(seed=seed)))
    draws, share = rounds * 210, 1 / 7
    assert len(drawn) == 7
    assert all(abs(count - draws * share) < 4 * (draws * share * (1 - share)) ** 0.5 for count in drawn.values())


def test_chance_depends_on_the_seed_and_on_nothing_else(emodb) -> None:
    first, again, other = (_run(ChanceLM(seed=seed), "emodb_emotion")[1] for seed in (0, 0, 1))
    assert first == again != other
    task = AffectTaskManager().load(["emodb_emotion"])["tasks"]["emodb_emotion"]
    task.build_all_requests(limit=None, samples=None, rank=1, world_size=3)
    share = ChanceLM(seed=0).generate_until(task.instances)
    assert share == [first[request.doc_id]["reading"] for request in task.instances]


def test_foreign_tasks_are_refused() -> None:
    from lm_eval.api.instance import Instance

    request = Instance("generate_until", {"question": "?"}, ("?", {}), 0, ("foreign", 0, 1))
    with pytest.raises(AffectError, match="foreign is no task of affectllm"):
        OracleLM().generate_until([request])
