"""Benchmark predictions about a folder of clips, in batches and one at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path

from affectllm.model.clips.media import Budget
from affectllm.model.load import Model, load_model
from affectllm.predict.answering import Answering
from affectllm.predict.items import ROOTS, read_items
from affectllm.predict.predicting import Prediction, predict
from affectllm.predict.question import Question
from affectllm.respond.in_process import InProcess
from benchmarks.clips import make_clips
from benchmarks.row import Row, alternate, duration

CLIPS = {"full": 24, "quick": 16, "tiny": 3}
ROUNDS = {"full": 5, "quick": 3, "tiny": 1}
SECONDS = 3.0
BATCH = 8
_BUDGET = Budget(max_frames=4, max_pixels=64 * 28 * 28)
_WRITTEN = "emotion_open"


def measure(size: str) -> list[Row]:
    """Measure likelihoods of seven labels, and replies; both ways must answer alike."""
    model = load_model("tiny:qwen2_5_omni", dtype="float32")
    model.model.eval()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_clips(folder, [SECONDS + 0.1 * (number % 5) for number in range(CLIPS[size])], (180, 320))
        return [_row(model, folder, Question(), size), _row(model, folder, Question(_WRITTEN), size)]


def _row(model: Model, folder: Path, question: Question, size: str) -> Row:
    def in_batches_of(count: int) -> list[Prediction]:
        responder = InProcess(model, budget=_BUDGET, batch_size=count, end_of_turn=True)
        return list(predict(read_items([str(folder)]), question, Answering(responder, ROOTS)))

    pairs = zip(in_batches_of(BATCH), in_batches_of(1), strict=True)
    assert all(one.answer == other.answer and one.reply == other.reply for one, other in pairs)
    times = alternate(lambda: in_batches_of(BATCH), lambda: in_batches_of(1), ROUNDS[size])
    kind = "replies" if question.template == _WRITTEN else "likelihoods of 7 labels"
    what = (
        f"predict {CLIPS[size]} clips of {SECONDS:.0f} s from the cache in batches of {BATCH}: {kind}, tiny omni model"
    )
    return Row(what, "one at a time", duration(times[0]), duration(times[1]), times[1] / times[0])
