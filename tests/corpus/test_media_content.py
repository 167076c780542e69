"""Clips of the same content under other names: sizes first, then bytes; links, gaps and spans."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from affectllm.corpus import MediaRef, Sample
from affectllm.corpus.leaks.media_content import Contents, media_duplicates
from affectllm.errors import AffectError, MissingCorpus


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return {"one": tmp_path / "one", "two": tmp_path / "two"}


def clip(roots: dict[str, Path], where: str, content: bytes | None = None, **fields: object) -> Sample:
    """A sample ``corpus/name`` with one clip of that name, written when there is content."""
    corpus, _, name = where.partition("/")
    if content is not None:
        (roots[corpus] / name).write_bytes(content)
    ref = replace(MediaRef(name, "audio"), **fields)  # type: ignore[arg-type]
    return Sample(name, corpus, "train", (), f"list.csv:{name}", media=(ref,))


def test_the_same_bytes_under_another_name_are_found_across_corpora(roots: dict[str, Path]) -> None:
    samples = [
        clip(roots, "one/a.wav", b"happy sound"),
        clip(roots, "one/b.wav", b"other sound"),  # of the same size
        clip(roots, "two/c.wav", b"happy sound"),
        clip(roots, "one/d.wav", b"happy sound"),
    ]
    assert media_duplicates(samples, roots) == {"two/c.wav": "one/a.wav", "one/d.wav": "one/a.wav"}


def test_files_whose_size_is_their_own_are_not_read(roots: dict[str, Path]) -> None:
    contents = Contents()
    samples = [clip(roots, f"one/{length}.wav", bytes([7]) * length) for length in range(1, 30)]
    assert media_duplicates(samples, roots, contents) == {} and contents.hashed == 0
    samples += [clip(roots, "two/x.wav", b"x" * 10), clip(roots, "two/y.wav", b"y" * 10)]
    assert media_duplicates(samples, roots, contents) == {} and contents.hashed == 30
    assert media_duplicates(samples, roots, contents) == {} and contents.hashed == 30  # remembered


def test_a_file_that_changes_is_read_again(roots: dict[str, Path]) -> None:
    contents = Contents()
    samples = [clip(roots, "one/a.wav", b"aaaa"), clip(roots, "two/b.wav", b"bbbb")]
    assert media_duplicates(samples, roots, contents) == {}
    os.utime(roots["two"] / "b.wav", ns=(1, 1))
    (roots["two"] / "b.wav").write_bytes(b"aaaa")
    assert media_duplicates(samples, roots, contents) == {"two/b.wav": "one/a.wav"}


@pytest.mark.parametrize(
    "other", [{"start": 1.0}, {"end": 2.0}, {"start": 0.0, "end": 1.0}, {"modality": "video"}, {"sound": True}]
)
def test_another_span_modality_or_track_is_another_clip(roots: dict[str, Path], other: dict[str, object]) -> None:
    samples = [clip(roots, "one/a.mp4", b"film"), clip(roots, "two/b.mp4", b"film", **other)]
    assert media_duplicates(samples, roots) == {}
    assert media_duplicates([samples[1], clip(roots, "one/c.mp4", b"film", **other)], roots) == {
        "one/c.mp4": "two/b.mp4"
    }


def test_several_questions_about_one_clip_are_not_duplicates(roots: dict[str, Path]) -> None:
    first = clip(roots, "one/a.wav", b"sound")
    copy = clip(roots, "two/b.wav", b"sound")
    samples = [first, replace(first, id="again"), copy, replace(copy, id="again")]
    assert media_duplicates(samples, roots) == {"two/b.wav": "one/a.wav", "two/again": "one/a.wav"}


def test_all_clips_of_a_sample_must_be_the_same(roots: dict[str, Path]) -> None:
    a, b, c = (clip(roots, f"one/{name}", content) for name, content in (("a", b"aa"), ("b", b"bb"), ("c", b"aa")))
    both = replace(a, id="both", media=(*a.media, *b.media))
    assert media_duplicates([both, c], roots) == {}
    assert media_duplicates([both, replace(c, media=(*c.media, *b.media))], roots) == {"one/c": "one/both"}


def test_links_lead_to_what_they_point_at(roots: dict[str, Path]) -> None:
    first = clip(roots, "one/a.wav", b"sound")
    (roots["two"] / "link.wav").symlink_to(roots["one"] / "a.wav")
    os.link(roots["one"] / "a.wav", roots["two"] / "hard.wav")
    samples = [first, clip(roots, "two/link.wav"), clip(roots, "two/hard.wav")]
    assert media_duplicates(samples, roots) == {"two/link.wav": "one/a.wav", "two/hard.wav": "one/a.wav"}


def test_what_is_missing_empty_or_no_file_is_left_alone(roots: dict[str, Path]) -> None:
    for root in roots.values():
        (root / "folder").mkdir()
    (roots["one"] / "loop").symlink_to("loop")
    (roots["one"] / "broken").symlink_to("nowhere")
    names = ("gone", "gone2", "folder", "loop", "broken", "nul\0", "a.wav/below")
    samples = [clip(roots, "one/a.wav", b"sound"), clip(roots, "one/empty", b""), clip(roots, "two/empty", b"")]
    samples += [clip(roots, f"one/{name}") for name in names] + [clip(roots, "two/folder")]
    samples.append(Sample("words", "three", "train", (), "f:1", text="no clip, so no folder is needed"))
    assert media_duplicates(samples, roots) == {}


def test_a_sample_with_one_missing_clip_is_left_alone(roots: dict[str, Path]) -> None:
    one, other = clip(roots, "one/a.wav", b"sound"), clip(roots, "one/b.wav", b"sound")
    gone = MediaRef("gone.wav", "audio")
    samples = [replace(sample, media=(*sample.media, gone)) for sample in (one, other)]
    assert media_duplicates(samples, roots) == {}


def test_a_corpus_without_a_folder_is_an_error_that_says_so(roots: dict[str, Path]) -> None:
    sample = replace(clip(roots, "one/a.wav", b"sound"), corpus="three")
    with pytest.raises(MissingCorpus, match="--root three=DIR"):
        media_duplicates([sample], roots)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_error_that_names_it(roots: dict[str, Path]) -> None:
    samples = [clip(roots, "one/a.wav", b"sound"), clip(roots, "two/b.wav", b"sound")]
    (roots["two"] / "b.wav").chmod(0)
    with pytest.raises(AffectError, match=r"two/b\.wav.*permissions"):
        media_duplicates(samples, roots)
