"""Training samples of a mixture that another one repeats: in words, nearly in words, or in the bytes of their clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, Sample
from affectllm.corpus.duplicates import TextDuplicates
from affectllm.corpus.media_content import media_duplicates
from affectllm.corpus.shared import SHINGLE, THRESHOLD
from affectllm.corpus.store import read_rows


def find_duplicates(
    kinds: Sequence[str],
    corpora: Sequence[str],
    build: Path,
    roots: Mapping[str, Path],
    languages: Sequence[str] | None = None,
) -> dict[str, dict[str, str]]:
    """Corpus → sample id → the sample (``corpus/id``) that it repeats; the first one in the mixture's order stays.

    Validation and test samples come first of all, so that a training sample that repeats one of them is dropped too.

    Args:
        kinds: ``text``, ``near_text`` (which includes ``text``), ``media``.
        corpora: in the mixture's order.
        build: where their samples are stored.
        roots: where their clips lie.
        languages: of the samples that are asked; others repeat nothing. None for all.
    """
    found: dict[str, dict[str, str]] = {}
    if "text" in kinds or "near_text" in kinds:
        near = TextDuplicates(THRESHOLD, SHINGLE)
        finder = near if "near_text" in kinds else TextDuplicates(threshold=None)
        texts = ((_key(s), str(s.text), s.language) for s in _samples(corpora, build, languages) if _is_words_alone(s))
        _add(found, finder.find(texts))
    if "media" in kinds:
        _add(found, media_duplicates(_samples(corpora, build, languages), roots))
    return found


def _is_words_alone(sample: Sample) -> bool:
    """Actors say one sentence in every mood, and "Really?" is another utterance in another dialogue."""
    return bool(sample.text) and not sample.context and not sample.media


def _key(sample: Sample) -> str:
    return f"{sample.corpus}/{sample.id}"


def _add(found: dict[str, dict[str, str]], dropped: Mapping[str, str]) -> None:
    for key, kept in dropped.items():
        corpus, _, identifier = key.partition("/")
        found.setdefault(corpus, {}).setdefault(identifier, kept)


def _samples(corpora: Sequence[str], build: Path, languages: Sequence[str] | None) -> Iterator[Sample]:
    for split in (VALIDATION, TEST, TRAIN):
        for corpus in corpora:
            for row in read_rows(build / "samples" / corpus / f"{split}.parquet"):
                if not (languages and row["language"] and row["language"] not in languages):
                    yield Sample.from_json(row)
