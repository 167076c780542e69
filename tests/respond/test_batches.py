"""Batches: their size where memory is short, clips prepared ahead, and nothing that is lost or asked twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from little_memory import little_memory

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError
from affectllm.evaluate.models.requests import kept_replies
from affectllm.model.load import Model, load_model
from affectllm.respond.ahead import ahead
from affectllm.respond.batch_size import BatchSize
from affectllm.respond.batches import Batches
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask, Unanswered

PATIENCE = 30.0  # seconds after which a thread that nobody wakes is given up


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    loaded = load_model("tiny:qwen2", device="cpu", dtype="float32")
    loaded.model.eval()
    yield loaded


def _asked(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": text}]}]


@pytest.fixture(scope="module")
def asks() -> list[Ask]:
    return [Ask(_asked(f"How does number {n} feel{' today' * (n % 3)}?"), 4) for n in range(11)]


@pytest.fixture(scope="module")
def alone(model: Model, asks: list[Ask]) -> dict[int, Any]:
    """The replies when each question is asked on its own."""
    return dict(InProcess(model, batch_size=1).replies(asks, {}))


@pytest.mark.parametrize("size", ["auto", "auto:3", 8])
def test_what_does_not_fit_into_memory_is_asked_in_halves_once_each(model, asks, alone, tmp_path, capsys, size) -> None:
    with little_memory(model, 150) as shapes:
        replies = kept_replies(InProcess(model, batch_size=size), asks, {}, tmp_path, False)
    assert dict(enumerate(replies)) == alone
    assert sum(rows for rows, _ in shapes) == len(asks) and max(rows for rows, _ in shapes) > 1
    assert max(rows * length for rows, length in shapes) <= 150
    (kept,) = tmp_path.glob("*.jsonl")
    assert len(kept.read_text().splitlines()) == len(asks)
    assert capsys.readouterr().err.count("do not fit into memory at once") == 1


def test_after_a_batch_that_did_not_fit_no_other_one_is_as_large(model, asks) -> None:
    failed = 0

    def count(_: Any, __: Any, inputs: dict[str, Any]) -> None:
        nonlocal failed
        failed += inputs["input_ids"].numel() > 150

    handle = model.model.register_forward_pre_hook(count, with_kwargs=True)
    with little_memory(model, 150):
        list(InProcess(model, batch_size=8).replies(asks * 4, {}))
    handle.remove()
    assert 1 <= failed <= 3  # 8, 4 and perhaps 2 conversations; afterwards it is known


def test_a_conversation_that_does_not_fit_alone_is_explained_and_the_others_are_kept(model, asks, tmp_path) -> None:
    long = Ask(_asked("Well. " * 100), 4)
    with (
        little_memory(model, 150),
        pytest.raises(AffectError, match=r"one conversation of \d+ tokens does not fit") as error,
    ):
        kept_replies(InProcess(model, batch_size=1), [*asks[:3], long], {}, tmp_path, False)
    assert "load_in_4bit" in error.value.do
    (kept,) = tmp_path.glob("*.jsonl")
    assert kept.read_text().splitlines()


def test_choices_that_do_not_fit_at_once_are_scored_in_halves(model) -> None:
    asks = [
        (_asked("Which?"), [f"{one}, and more of it all" * 2 for one in ("anger", "joy", "fear", "sadness", "calm")])
    ]
    (expected,) = dict(InProcess(model).likelihoods(asks, {})).values()
    with little_memory(model, 40) as shapes:
        (values,) = dict(InProcess(model).likelihoods(asks, {})).values()
    assert len(shapes) > 2 and values == pytest.approx(expected, abs=1e-4)


def test_other_errors_of_the_model_are_raised_at_once(model, asks) -> None:
    calls = []

    def fail(*_: Any) -> None:
        calls.append(1)
        torch.ones(2) @ torch.ones(3)

    handle = model.model.register_forward_pre_hook(fail)
    try:
        with pytest.raises(RuntimeError, match="size"):
            list(InProcess(model, batch_size="auto").replies(asks, {}))
    finally:
        handle.remove()
    assert len(calls) == 1


def test_an_automatic_batch_is_bounded_by_tokens_in_the_machines_own_memory(model, asks) -> None:
    long = [Ask(_asked("Well, well. " * (80 + n)), 2) for n in range(12)]
    with little_memory(model, 10**9) as shapes:
        list(InProcess(model, batch_size="auto").replies([*long, *asks], {}))
    assert max(rows * length for rows, length in shapes) <= 8192
    assert len({rows for rows, _ in shapes}) > 1 and max(rows for rows, _ in shapes) <= 16


@pytest.mark.parametrize("size", [0, -1, "many", "auto:", "1.5", ""])
def test_a_size_that_is_none_is_refused(size) -> None:
    with pytest.raises(AffectError, match="neither a number nor auto"):
        BatchSize(size, on_cpu=True)


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_clips_are_prepared_ahead_and_answers_are_the_same(tmp_path, workers) -> None:
    root = materialise({**{f"{n}.wav": Tone(0.2, pitch=150 + 60 * n) for n in range(6)}, "x.wav": b"RIFF"}, tmp_path)
    clips = [f"{n}.wav" for n in (0, 1)] + ["x.wav", "gone.wav"] + [f"{n}.wav" for n in (2, 3, 4, 5)]
    parts = [[{"type": "audio", "corpus": "x", "path": clip}, {"type": "text", "text": "Felt?"}] for clip in clips]
    asks = [Ask([{"role": "user", "content": content}], 4) for content in parts]
    hearing = load_model("tiny:qwen2_audio", device="cpu", dtype="float32")
    hearing.model.eval()
    replies = dict(InProcess(hearing, batch_size=2, workers=workers).replies(asks, {"x": root}))
    assert [one.reason for n in (2, 3) if isinstance(one := replies[n], Unanswered)] == ["unreadable", "missing"]
    assert replies == dict(InProcess(hearing, batch_size=1, workers=0).replies(asks, {"x": root}))


def test_the_next_item_is_worked_at_while_the_caller_is_busy_with_the_one_before() -> None:
    begun = [threading.Event() for _ in range(6)]

    def work(number: int) -> int:
        begun[number].set()
        return number * number

    for number, square in ahead(work, range(6), 1, lambda: 2):
        assert square == number * number
        assert all(event.wait(PATIENCE) for event in begun[: number + 3])


def test_no_more_is_prepared_than_was_allowed() -> None:
    begun: list[int] = []
    for number, _ in ahead(begun.append, range(50), 3, lambda: 4):
        assert len(begun) <= number + 1 + 4
    assert sorted(begun) == list(range(50))


def test_an_error_comes_in_its_items_place_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        return 1 // (number - 5)

    results = ahead(work, range(1000), 2, lambda: 8)
    assert [number for number, _ in (next(results) for _ in range(5))] == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert len(begun) <= 15


def test_threads_end_with_a_caller_that_stops_early() -> None:
    before = threading.active_count()
    for _ in ahead(Path, (str(n) for n in range(100)), 3, lambda: 5):
        break
    results = ahead(Path, (str(n) for n in range(100)), 3, lambda: 5)
    next(results)
    results.close()
    assert threading.active_count() == before


class Letters:
    """Encodes at once."""

    def encode(self, messages: Any, generation_prompt: bool) -> SimpleNamespace:
        return SimpleNamespace(length=len(str(messages)))


@pytest.mark.parametrize("count", [2, 7])
def test_the_time_of_the_last_batch_counts_as_work_too(count: int) -> None:
    batches = Batches(Letters(), BatchSize(4, on_cpu=True), workers=0)

    def ask(questions: Any, prompts: Any) -> list[int]:
        time.sleep(0.2)
        return list(questions)

    assert len(list(batches.answered(range(count), lambda n: _asked(f"{n}"), ask))) > 0
    assert batches.worked >= 0.2 * -(-count // 4) and batches.waited < batches.worked
