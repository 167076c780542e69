"""Clips by name: one moment has a video and a sound, and every other file is reported."""

from __future__ import annotations

from pathlib import Path

from affectllm.corpus.files.clips import Clips


def put(root: Path, *names: str, content: bytes = b"clip") -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def reasons(rejections: object) -> list[tuple[str, str]]:
    return [(rejection.item, rejection.reason) for rejection in rejections]  # type: ignore[attr-defined]


def test_a_moment_has_the_video_and_the_sound_of_its_name(tmp_path: Path) -> None:
    clips = Clips(put(tmp_path, "b/one.wav", "a/one.AVI", "notes.txt", "a/._one.avi"), tmp_path)
    assert [(ref.path, ref.modality, ref.sound) for ref in clips.media("one", 1.0, 2.5)] == [
        ("a/one.AVI", "video", True),
        ("b/one.wav", "audio", False),
    ]
    assert [(ref.start, ref.end) for ref in clips.media("one", 1.0, 2.5)] == [(1.0, 2.5)] * 2
    assert not list(clips.left()) and not list(clips.odd())


def test_a_second_file_of_a_kind_is_reported_and_the_nearest_used(tmp_path: Path) -> None:
    clips = Clips(put(tmp_path, "one.mp4", "again/one.avi"), tmp_path)
    assert [ref.path for ref in clips.media("one")] == ["one.mp4"]
    assert reasons(clips.odd()) == [("again/one.avi", "duplicate_file")]


def test_what_nobody_asked_for_is_left(tmp_path: Path) -> None:
    clips = Clips(put(tmp_path, "one.mp4", "two.mp4"), tmp_path)
    clips.media("one")
    assert reasons(clips.left()) == [("two.mp4", "no_annotation")]


def test_a_missing_clip_is_reported_only_where_there_are_clips(tmp_path: Path) -> None:
    assert not list(Clips(tmp_path, tmp_path).missing("one", "one", "table.csv:2"))
    clips = Clips(put(tmp_path, "two.mp4"), tmp_path)
    assert reasons(clips.missing("one", "the first", "table.csv:2")) == [("the first", "media_missing")]
    assert not list(clips.missing("two", "two", ""))


def test_a_pointer_is_no_clip(tmp_path: Path) -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n".encode()
    clips = Clips(put(tmp_path, "one.mp4", content=pointer), tmp_path)
    assert not clips.media("one")
    assert reasons(clips.missing("one", "one", "")) == [("one", "lfs_pointer")]


def test_names_outside_the_scheme_and_folders_of_something_else(tmp_path: Path) -> None:
    put(tmp_path, "x_1.mp4", "holiday.mp4", "Full/x.mp4")
    clips = Clips(tmp_path, tmp_path, lambda path: path.stem if "_" in path.stem else None, without=("Full",))
    assert sorted(clips.files) == ["x_1"]
    assert reasons(clips.odd()) == [("holiday.mp4", "unknown_name")]
