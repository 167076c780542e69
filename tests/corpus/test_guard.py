"""The guard of every builder: it cannot be left out, and is put on once."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from affectllm.corpus import MediaRef, Rejection, Sample
from affectllm.corpus.guard import guarded


def samples(root: Path) -> Iterator[Sample | Rejection]:
    ref = MediaRef("clip.wav", "audio")
    yield Sample(id="a", corpus="toy", split="train", annotations=(), source="clip.wav", media=(ref,))


def test_a_link_out_is_refused_even_where_the_builder_decorates_its_function(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "secret").write_bytes(b"not yours")
    (tmp_path / "corpus" / "clip.wav").symlink_to(tmp_path / "secret")
    decorated = functools.wraps(samples)(lambda root: samples(root))
    refused, result = guarded(decorated)(tmp_path / "corpus")
    assert isinstance(refused, Rejection) and refused.reason == "unsafe_path"
    assert isinstance(result, Sample) and result.media == ()


def test_a_guard_is_put_on_once() -> None:
    once = guarded(samples)
    assert guarded(once) is once and once.__doc__ == samples.__doc__
