"""Windows of recordings with a continuous trace: their means, their clips, and the rest at the end."""

from __future__ import annotations

import pytest
from evaluating import miniatures, use

from affectllm.corpus import MediaRef, Rejection, Sample
from affectllm.corpus.windows import Windows, windowed
from affectllm.errors import Malformed
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.tasks import AffectTaskManager
from affectllm.labels import Annotation, LabelSpace

VALENCE = LabelSpace("valence", "dimension", ("valence",), source="test", bounds=(-1.0, 1.0))
CUT = Windows("curve", seconds=2, rate=2)


def _recording(trace: str, *media: MediaRef) -> Sample:
    annotations = (Annotation("valence", "listener", {"valence": 0.5}), Annotation("curve", "listener", trace))
    return Sample("r", "films", "test", annotations, "r.csv", media=media, attributes={"story": "3"})


def test_a_window_has_the_mean_of_its_part_and_that_part_of_the_clip() -> None:
    clip = MediaRef("r.mp4", "video", sound=True, start=10.0)
    first, second, rest = windowed([_recording("0 0 1 1 -1 -1 -1 0 1 1 ", clip)], CUT, VALENCE, "listener")
    assert [one.annotation("valence", "listener").value for one in (first, second, rest)] == [
        {"valence": 0.5},
        {"valence": -0.75},
        {"valence": 1.0},
    ]
    assert [(one.media[0].start, one.media[0].end) for one in (first, second, rest)] == [(10, 12), (12, 14), (14, 15)]
    assert first.id == "r@1" and rest.attributes == {"story": "3", "recording": "r", "window": "3"}


def test_what_is_left_counts_from_half_a_window_on() -> None:
    whole, rest = windowed([_recording("0 0 1 1 1")], CUT, VALENCE, "listener")
    assert isinstance(whole, Sample)
    assert isinstance(rest, Rejection) and (rest.reason, rest.detail) == ("short_window", "1 of 4 numbers")


def test_a_recording_without_a_trace_is_not_asked_about_as_a_whole() -> None:
    bare = Sample("r", "films", "test", (Annotation("valence", "listener", {"valence": 0.5}),), "r.csv")
    (kept,) = windowed([bare], CUT, VALENCE, "listener")
    assert kept.annotation("valence", "listener") is None


def test_the_task_scores_the_trace_of_each_listener(tmp_path, monkeypatch) -> None:
    use(monkeypatch, miniatures(tmp_path, ["omg_empathy"]))
    task = AffectTaskManager().load(["omg_empathy_windows_subject"])["tasks"]["omg_empathy_windows_subject"]
    assert len(task.task_docs) == 6 and task.facts()["windows"]["seconds"] == 5
    assert [document["gold"]["valence"] for document in task.task_docs][:2] == [-0.5, -0.25]
    assert [document["messages"][0]["content"][0]["start"] for document in task.task_docs][:2] == [0, 5]
    assert {document["facts"]["speaker"] for document in task.task_docs} == {"Subject_4", "Subject_5", "Subject_6"}
    assert {one.reason for one in task.rejected} >= {"short_window"}


@pytest.mark.parametrize("windows", [{"curve": "c"}, {"curve": "c", "seconds": 0, "rate": 25}, 5])
def test_windows_that_say_too_little_are_refused(windows) -> None:
    page = {"corpus": "x", "split": "test", "template": "t", "gold": {"space": "s", "rater": "r"}, "metrics": ["mse"]}
    with pytest.raises(Malformed, match="windows must be"):
        TaskPage.take({**page, "modalities": ["video"], "windows": windows}, "here")
