"""The shallow model: it learns from the training split, by words, sound and pictures, and not from what is scored."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluating import use

from affectllm.corpus import TEST, TRAIN, VALIDATION
from affectllm.errors import AffectError
from affectllm.evaluate.models.shallow import ShallowLM
from affectllm.evaluate.task import AffectTask
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.labels.reading import Unreadable
from affectllm.model.clip_statistics import frame_statistics, sound_statistics


def loaded(name: str) -> AffectTask:
    task: AffectTask = AffectTaskManager().load([name])["tasks"][name]
    task.build_all_requests(limit=None, samples=None, rank=0, world_size=1)
    return task


def right(task: AffectTask, replies: list[str]) -> float:
    pairs = zip(task.instances, replies, strict=True)
    return float(np.mean([reply == request.doc["answer"] for request, reply in pairs]))


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from affectllm.data_builders.video import demo_affect

    root = tmp_path_factory.mktemp("demo_affect")
    demo_affect.generate(root, 0, {TRAIN: 48, VALIDATION: 2, TEST: 24})
    return root


def test_it_hears_and_sees_and_never_looks_at_the_answers(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {"demo_affect": demo})
    task = loaded("demo_affect_emotion")
    replies = ShallowLM().generate_until(task.instances)
    assert right(task, replies) > 0.6
    blind = copy.deepcopy(task.instances)
    for request in blind:
        request.doc["gold"] = request.doc["answer"] = "anger"
    assert ShallowLM().generate_until(blind) == replies


def test_a_layer_without_an_encoder_is_refused() -> None:
    with pytest.raises(AffectError, match="there is none"):
        ShallowLM(layer=2)


def test_a_broken_clip_is_counted_and_answered_all_the_same(
    demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, {"demo_affect": demo})
    task = loaded("demo_affect_emotion")
    part: Any = next(part for part in task.instances[0].doc["messages"][-1]["content"] if part["type"] != "text")
    clip = demo / part["path"]
    whole = clip.read_bytes()
    clip.write_bytes(b"no film")
    try:
        reply = ShallowLM().generate_until(task.instances)[0]
    finally:
        clip.write_bytes(whole)
    assert not isinstance(task.template.read(reply), Unreadable)
    assert f"clips: 1 of {len(task.instances)} items" in capsys.readouterr().err


def emobank(folder: Path) -> Path:
    rows = ["id,split,V,A,D,text"]
    for split, count in (("train", 60), ("test", 8)):
        for number in range(count):
            value, words = ((4.2, "a lovely happy day"), (1.8, "a sad and awful day"))[number % 2]
            rows.append(f"{split}{number},{split},{value},3.0,{value},It was {words} number {number}.")
    (folder / "emobank.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_numbers_follow_the_words_within_their_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {"emobank": emobank(tmp_path)})
    task = loaded("emobank_vad")
    for request, reply in zip(task.instances, ShallowLM().generate_until(task.instances), strict=True):
        reading: Any = task.template.read(reply)
        gold = request.doc["gold"]
        assert {name: abs(reading.value[name] - gold[name]) < 0.7 for name in gold} == dict.fromkeys(gold, True), reply


@pytest.mark.parametrize(
    ("task", "corpus", "message"),
    [("empathetic_dialogues_reply", "empathetic_dialogues", "predicts labels, sets and numbers")],
)
def test_what_it_cannot_predict_is_refused(
    task: str, corpus: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from evaluating import miniatures

    use(monkeypatch, miniatures(tmp_path, [corpus]))
    with pytest.raises(AffectError, match=message):
        ShallowLM().generate_until(loaded(task).instances)


def test_statistics_have_one_length_and_are_finite_for_any_clip() -> None:
    draw = np.random.default_rng(0)
    sounds = [draw.normal(0, 0.1, size).astype(np.float32) for size in (1, 300, 16_000)] + [np.zeros(5, np.float32)]
    assert len({len(sound_statistics(sound)) for sound in sounds}) == 1
    frames = [draw.integers(0, 255, (count, *size, 3), dtype=np.uint8) for count, size in ((1, (5, 90)), (4, (56, 56)))]
    vectors = [*map(sound_statistics, sounds), *map(frame_statistics, frames)]
    assert all(np.isfinite(vector).all() for vector in vectors)
    assert len(frame_statistics(frames[0])) == len(frame_statistics(frames[1]))
