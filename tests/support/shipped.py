"""What the tests of templates share: the corpora that ship, their samples, and every wording that fits a space."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise
from affectllm.errors import Malformed
from affectllm.instruct import Template, load_template, template_names
from affectllm.instruct.wording import load_wording
from affectllm.labels import LabelSpace

CORPORA = list(registry.names("data_builders"))
SINGLE = [name for name in template_names() if len(load_wording(name).slots) == 1 and not load_wording(name).given]


@cache
def miniature(corpus: str) -> tuple[Sample, ...]:
    builder = load_builder(corpus)
    with TemporaryDirectory() as folder:
        samples = [
            item for item in builder.samples(materialise(builder.MINIATURE, Path(folder))) if isinstance(item, Sample)
        ]
    return tuple(samples)


def spaces_of(corpus: str) -> Iterator[tuple[LabelSpace, str]]:
    """Every (space, rater) of a corpus that occurs in its miniature."""
    card = load_builder(corpus).CARD
    asked = {(a.space, a.rater) for sample in miniature(corpus) for a in sample.annotations}
    yield from ((card.space(space), rater) for space, rater in sorted(asked))


def bound(space: LabelSpace, rater: str, modalities: tuple[str, ...]) -> Iterator[Template]:
    """Every wording with one answer that fits the space, in every language that has words for it."""
    for name in SINGLE:
        for language in load_wording(name).speeches:
            try:
                yield load_template(name, space=space, rater=rater, modalities=modalities, language=language)
            except Malformed:
                continue


def given_by(sample: Sample) -> tuple[str, ...]:
    kinds = {ref.modality for ref in sample.media} | ({"audio"} if any(ref.sound for ref in sample.media) else set())
    return tuple(sorted(kinds | ({"text"} if sample.text else set())))
