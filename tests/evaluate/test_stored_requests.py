"""Requests that are looked up in columns: lm-eval and its filters see in them what they see in lm-eval's own."""

from __future__ import annotations

import gc
import json
import tracemalloc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from evaluating import corpus_of, miniatures, use

from affectllm.evaluate import environment
from affectllm.evaluate.on_disk import kept_on_disk
from affectllm.evaluate.protocol import Protocol
from affectllm.evaluate.shared import once_each, shared
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager

# A reply; a likelihood of each choice; a likelihood of each level of each name; several slots.
TASKS = (
    "demo_affect_emotion",
    "demo_affect_emotion_choice",
    "emobank_vad_likelihood",
    "emobench_eu_en",
)


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return miniatures(tmp_path_factory.mktemp("corpora"), map(corpus_of, TASKS))


def _built(name: str, *, on_disk: bool) -> AffectTask:
    with kept_on_disk() if on_disk else nullcontext():
        task: AffectTask = AffectTaskManager().load([name])["tasks"][name]
        task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


def _asked(request: Any) -> tuple[Any, ...]:
    known = request.request_type, request.task_name, request.doc_id, request.idx, request.repeats, request.metadata
    return *known, request.arguments, request.args, json.dumps(dict(request.doc))


def _replies(task: AffectTask) -> Iterator[tuple[Any, Any]]:
    """Yield each request as often as it is to be answered, with replies that mostly differ."""
    for number, request in enumerate(task.instances):
        for draw in range(request.repeats or 1):
            likely = (-float(number * 7 % 5) - draw, draw == 0)
            yield request, f"reply {number % 3}.{draw}" if request.request_type == "generate_until" else likely


def _answered(task: AffectTask) -> list[Any]:
    """Answer all requests as lm-eval does, and return what it sees of each, and what it gets for each document."""
    for request, reply in _replies(task):
        request.resps.append(reply)
    task.apply_filters()
    seen: list[Any] = [([*one.resps], one.resps[0], one.resps[:1], dict(one.filtered_resps)) for one in task.instances]
    for name in task.instances[0].filtered_resps:
        for _, group in groupby(task.instances, key=lambda request: request.doc_id):
            requests = sorted(group, key=lambda request: request.idx)
            seen.append(task.process_results(requests[0].doc, [one.filtered_resps[name] for one in requests]))
    return seen


@pytest.mark.parametrize(("name", "votes"), [*((name, 1) for name in TASKS), ("demo_affect_emotion", 3)])
def test_requests_on_disk_are_those_of_lm_eval(roots, monkeypatch, name, votes) -> None:
    use(monkeypatch, roots)
    with environment.settings({}, None, protocol=Protocol(votes=votes)):
        theirs, ours = (_built(name, on_disk=on_disk) for on_disk in (False, True))
    assert [*map(_asked, ours.instances)] == [*map(_asked, theirs.instances)]
    assert {request.repeats for request in ours.instances} == {votes}
    assert not any([*request.resps] or [*request.filtered_resps] for request in ours.instances)
    assert _answered(ours) == _answered(theirs)


def test_a_filter_of_one_request_is_none_of_another(roots, monkeypatch) -> None:
    use(monkeypatch, roots)
    first, second, *_ = _built(TASKS[1], on_disk=True).instances
    first.filtered_resps["mine"] = "joy"
    assert dict(first.filtered_resps) == {"mine": "joy"} and len(second.filtered_resps) == 0
    with pytest.raises(KeyError):
        second.filtered_resps["mine"]
    del first.filtered_resps["mine"]
    assert "mine" not in first.filtered_resps


def test_shared_values_stay_of_their_type() -> None:
    values = [1, 1.0, True, 0, 0.0, -0.0, False, "1", None, ["a"], ("a",), [1], [1.0], [True], ["a", None], []]
    again = [shared(value) for value in [*values, *values]]
    assert [repr(value) for value in again] == [repr(value) for value in [*values, *values]]
    assert all(one is other for one, other in zip(again, again[len(values) :], strict=False))
    assert repr(shared(float("nan"))) == "nan"


def test_shared_mappings_keep_their_order_and_types() -> None:
    for value in ({"a": "joy", "b": None}, {"b": None, "a": "joy"}, {"a": 0.5, "b": 1}, {"a": [True, "x" * 99]}, {}):
        assert repr(shared({**value})) == repr(value)
    assert shared({"a": "joy"}) is shared({"a": "joy"})
    vectors = [shared({"valence": 0.25}), shared({"valence": float("0.25")})]
    assert all(one is other for one, other in zip(*(vector.values() for vector in vectors), strict=True))


def test_a_value_is_converted_once_while_it_lives() -> None:
    convert = once_each(lambda value: [*value])
    labels = ["joy"]
    assert convert(labels) is convert(labels)
    assert [convert([str(number)]) for number in range(200)] == [[str(number)] for number in range(200)]


def _bytes_each(folder: Path, count: int, monkeypatch: pytest.MonkeyPatch) -> float:
    """Return the bytes that one of this many documents leaves in memory when it has been asked about and read."""
    folder.mkdir()
    (folder / "test.tsv").write_text("".join(f"Comment {n}.\t{n % 28}\tid{n}\n" for n in range(count)))
    use(monkeypatch, {"goemotions": folder})
    with kept_on_disk():
        task: AffectTask = AffectTaskManager().load(["goemotions_sentiment"])["tasks"]["goemotions_sentiment"]
    tracemalloc.start()
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    values: dict[str, list[Any]] = defaultdict(list)
    for request, reply in zip(task.instances, ["negative"] * count, strict=True):
        request.resps.append(reply)
        for name, value in task.process_results(request.doc, [request.filtered_resps["none"]]).items():
            values[name].append(value)
    gc.collect()
    each = tracemalloc.get_traced_memory()[0] / count
    tracemalloc.stop()
    return each


def test_requests_and_what_is_read_of_the_replies_are_small(tmp_path: Path, monkeypatch) -> None:
    _bytes_each(tmp_path / "first", 50, monkeypatch)  # what is made once
    assert _bytes_each(tmp_path / "second", 1_500, monkeypatch) < 250  # an empty dictionary takes 64
