"""Endings that our readers open, in one list."""

from __future__ import annotations

import pytest

from affectllm.corpus.suffixes import AUDIO, IMAGE, VIDEO, kind_of


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(
            ("voice.opus", "audio"),
            ("voice.AMR", "audio"),
            ("a.aac", "audio"),
            ("a.weba", "audio"),
            ("a.aiff", "audio"),
        ),
        *(
            ("film.m4v", "video"),
            ("film.3gp", "video"),
            ("film.flv", "video"),
            ("film.ts", "video"),
            ("A.MP4", "video"),
        ),
        *(("scan.tif", "image"), ("face.avif", "image"), ("face.JPEG", "image")),
        *(("notes.txt", None), ("README", None), (".wav", None), ("clip.mp4.part", None)),
    ],
)
def test_the_ending_says_what_a_file_holds(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_no_ending_stands_for_two_kinds() -> None:
    endings = (*VIDEO, *AUDIO, *IMAGE)
    assert len(set(endings)) == len(endings) and all(ending == ending.lower() for ending in endings)
