"""Hints of action units: what tables of OpenFace and py-feat say of a face, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from affectllm.corpus import TEST, MediaRef, Sample
from affectllm.errors import Malformed, NotFound
from affectllm.hinting.kind import Work
from affectllm.hinting.kinds import action_units
from affectllm.hints.table import Hint

# OpenFace puts a blank before each name.
_OPENFACE = "frame, face_id, timestamp, confidence, success, AU04_r, AU12_r, AU45_r, AU04_c, AU12_c\n"


def frames(count: int, au4: float, au12: float, *, start: int = 0, sure: float = 0.98, seen: int = 1) -> str:
    return "".join(
        f"{n + 1}, 0, {n / 10:.1f}, {sure}, {seen}, {au4}, {au12}, 0.1, {int(au4 > 0.5)}, {int(au12 > 0.5)}\n"
        for n in range(start, start + count)
    )


def made(tmp_path: Path, tables: dict[str, str], *clips: MediaRef, unused: Counter[str] | None = None) -> list[Hint]:
    for name, text in tables.items():
        path = tmp_path / "aus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    samples = [Sample(str(n), "made_up", TEST, (), "x", media=(ref,)) for n, ref in enumerate(clips)]
    work = Work(samples, tmp_path, action_units.Options("aus"), tmp_path / "kept", tmp_path, tmp_path)
    if unused is not None:
        work = replace(work, unused=unused)
    return list(action_units.find(work))


CLIP = MediaRef("a/b.mp4", "video")


def test_openface_is_told_by_units_with_their_strength(tmp_path: Path) -> None:
    (hint,) = made(tmp_path, {"a/b.csv": _OPENFACE + frames(10, 3.1, 0.9)}, CLIP)
    assert hint.words == "Face: brows lowered (AU4, strong), lip corners pulled up (AU12, slight)"
    assert hint.values == {"AU4": 3.1, "AU12": 0.9, "AU45": 0.1}


def test_a_passing_expression_is_told_and_a_unit_that_the_classifier_denies_is_not(tmp_path: Path) -> None:
    passing = frames(18, 0.0, 0.0) + frames(2, 2.0, 0.0, start=18)
    denied = (_OPENFACE + frames(10, 3.0, 0.0)).replace(", 1, 0\n", ", 0, 0\n")
    first, second = made(
        tmp_path, {"a/b.csv": _OPENFACE + passing, "c.csv": denied}, CLIP, MediaRef("x/c.mp4", "video")
    )
    assert first.words == "Face: brows lowered (AU4, clear)" and second.words == "Face: nothing moves much"


def test_py_feat_gives_probabilities(tmp_path: Path) -> None:
    table = "FaceScore,AU04,AU12,anger\n" + "0.99,0.1,0.9,0.2\n" * 4
    assert made(tmp_path, {"b.csv": table}, CLIP)[0].words == "Face: lip corners pulled up (AU12, strong)"


def test_frames_of_another_span_another_face_and_lost_ones_do_not_count(tmp_path: Path) -> None:
    table = _OPENFACE + frames(10, 3.0, 0.0) + frames(10, 0.0, 3.0, start=10)
    table += frames(5, 5.0, 5.0, start=10).replace(", 0, ", ", 1, ", 1)
    lost = _OPENFACE + frames(10, 3.0, 0.0, seen=0) + frames(10, 3.0, 0.0, sure=0.2, start=10)
    spans = [MediaRef("b.mp4", "video", start=start, end=start + 0.9) for start in (0.0, 1.0, 7.0)]
    first, second, none, unseen = made(tmp_path, {"b.csv": table, "c.csv": lost}, *spans, MediaRef("c.mp4", "video"))
    assert "AU4, strong" in str(first.words) and "AU12" not in str(first.words)
    assert "AU12, strong" in str(second.words)
    assert (none.reason, unseen.reason) == ("no_frames_in_span", "face_not_tracked")


@pytest.mark.parametrize(("table", "reason"), [("frame,x\n1,2\n", "no_action_units"), ("", "no_action_units")])
def test_a_table_of_something_else_is_no_hint(tmp_path: Path, table: str, reason: str) -> None:
    hint, other, sound = made(
        tmp_path, {"a/b.csv": table}, CLIP, MediaRef("z.mp4", "video"), MediaRef("s.wav", "audio")
    )
    assert [hint.words, other.words, sound.words] == [None] * 3
    assert (hint.reason, other.reason, sound.reason) == (reason, "no_table", "no_video")


def test_a_name_that_two_clips_have_is_of_neither(tmp_path: Path) -> None:
    clips = [MediaRef(f"{folder}/b.mp4", "video") for folder in ("a", "c")]
    hints = made(tmp_path, {"b.csv": _OPENFACE + frames(10, 3.0, 0.0)}, *clips)
    assert {hint.reason for hint in hints} == {"no_table"}


def test_without_tables_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="tables of action units"):
        made(tmp_path, {}, CLIP)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", 3.0, 0.0, ", ", 99, 0.0, ", "AU04_r is 99, and goes from 0 to 5"),
        (", 3.0, 0.0, ", ", 3.0, -4, ", "AU12_r is -4, and goes from 0 to 5"),
        (", 3.0, 0.0, ", ", inf, 0.0, ", "AU04_r is inf, and"),
        ("0.98", "98", "confidence is 98, and goes from 0 to 1"),
    ],
)
def test_a_value_beyond_its_scale_is_an_error_with_its_line(old: str, new: str, message: str, tmp_path: Path) -> None:
    table = _OPENFACE + frames(3, 3.0, 0.0) + frames(1, 3.0, 0.0, start=3).replace(old, new)
    with pytest.raises(Malformed, match=message) as caught:
        made(tmp_path, {"b.csv": table}, CLIP)
    assert caught.value.where == f"{tmp_path / 'aus/b.csv'}:5"


def test_frames_and_tables_that_are_in_no_hint_are_counted(tmp_path: Path) -> None:
    unsure = _OPENFACE + frames(6, 3.0, 0.0).replace("0.98", "nan")
    some = _OPENFACE + frames(4, 3.0, 0.0) + frames(2, 1.0, 0.0, start=4, seen=0)
    some += frames(1, 3.0, 0.0, start=6).replace(", 3.0, 0.0, ", ", x, 0.0, ")
    unused: Counter[str] = Counter()
    tables = {"b.csv": unsure, "c.csv": some, "nobodys.csv": some}
    first, second = made(tmp_path, tables, CLIP, MediaRef("c.mp4", "video"), unused=unused)
    assert first.reason == "face_not_tracked" and second.words == "Face: brows lowered (AU4, strong)"
    assert unused == {
        "frames without a tracked face": 8, "frames with a unit that is no number": 1, "tables of no sample": 1
    }  # fmt: skip


def test_a_frame_without_a_time_is_in_no_span(tmp_path: Path) -> None:
    table = _OPENFACE + frames(4, 3.0, 0.0) + "5, 0, nan, 0.98, 1, 0.0, 5.0, 0.1, 0, 1\n" * 4
    (hint,) = made(tmp_path, {"b.csv": table}, MediaRef("b.mp4", "video", start=0.0, end=9.0))
    assert hint.words == "Face: brows lowered (AU4, strong)"
