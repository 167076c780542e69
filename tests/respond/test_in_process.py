"""A loaded model as a responder: every question by its own settings, unusable clips by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from affectllm.corpus.miniature import Tone, materialise
from affectllm.errors import AffectError
from affectllm.evaluate.models.requests import kept_replies
from affectllm.model.load import Model, load_model
from affectllm.respond.in_process import InProcess
from affectllm.respond.responder import Ask, Responder, Unanswered


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    loaded = load_model("tiny:qwen2_audio", device="cpu")
    loaded.model.eval()
    yield loaded


def _asked(text: str, *clips: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"type": "audio", "corpus": "x", "path": clip} for clip in clips]
    return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    files = {"a.wav": Tone(0.4), "b.wav": Tone(0.5, pitch=500), "broken.wav": b"RIFF"}
    return {"x": materialise(files, tmp_path / "x")}


def test_each_question_is_answered_with_its_own_settings(model: Model, roots: dict[str, Path]) -> None:
    responder = InProcess(model, batch_size=4)
    assert isinstance(responder, Responder)
    asks = [
        Ask(_asked("What is felt?", "a.wav"), 12),
        Ask(_asked("What is felt?", "a.wav"), 2),
        Ask(_asked("What is felt?", "broken.wav"), 12),
        Ask(_asked("What is felt?", "b.wav"), 12),
    ]
    replies = dict(responder.replies(asks, roots))
    long, short, broken, other = (replies[number] for number in range(4))
    assert isinstance(long, str) and isinstance(short, str) and long.startswith(short) and len(long) > len(short)
    assert broken == Unanswered("unreadable", broken.detail, "x:broken.wav") and other != long
    assert replies == dict(InProcess(model, batch_size=1).replies(asks, roots))
    stop = long[len(short) : len(short) + 3]
    (stopped,) = dict(responder.replies([Ask(asks[0].messages, 12, (stop,))], roots)).values()
    assert stopped == long[: long.index(stop)].strip()


def test_choices_have_likelihoods_that_depend_on_the_clip(model: Model, roots: dict[str, Path]) -> None:
    asks = [(_asked("Which?", clip), ["anger", "joy"]) for clip in ("a.wav", "b.wav", "broken.wav")]
    values = dict(InProcess(model).likelihoods(asks, roots))
    assert values[0] != values[1] and all(value < 0 for value in (*values[0], *values[1]))
    assert isinstance(values[2], Unanswered)


def test_kept_replies_are_those_of_the_same_question_clip_and_settings(model, roots, tmp_path) -> None:
    class Counting(InProcess):
        """Counts what it is asked."""

        asked = 0

        def replies(self, asks: Any, roots: Any) -> Any:
            self.asked += len(asks)
            return super().replies(asks, roots)

    responder, store = Counting(model), tmp_path / "store"

    def ask(*asks: Ask) -> list[Any]:
        return kept_replies(responder, asks, roots, store, False)

    question = Ask(_asked("Felt?", "a.wav"), 4)
    sampled = Ask(question.messages, 4, (), {"do_sample": True})
    first = ask(question, sampled)
    assert responder.asked == 2 and ask(question)[0] == first[0] and responder.asked == 2
    ask(sampled, Ask(question.messages, 5), Ask(_asked("Felt?", "b.wav"), 4))
    assert responder.asked == 5
    materialise({"a.wav": Tone(0.4, pitch=900)}, roots["x"])
    ask(question)
    assert responder.asked == 6


def test_a_clip_that_the_model_does_not_take_is_explained(model: Model, roots: dict[str, Path]) -> None:
    picture = [{"role": "user", "content": [{"type": "image", "corpus": "x", "path": "p.png"}]}]
    with pytest.raises(AffectError, match="does not take image"):
        list(InProcess(model).replies([Ask(picture, 4)], roots))
