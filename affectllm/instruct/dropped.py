"""Find training samples of a mixture that repeat another: in words, nearly in words, or in the bytes of clips.

Several corpora, and several files of one corpus, ask different things about one text or clip: statements about the
pictures of another corpus, an intensity beside a set of labels. A copy goes only where it is asked the same again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, Sample
from affectllm.corpus.leaks.media_content import media_duplicates
from affectllm.corpus.store import read_rows
from affectllm.instruct.mixture_part import Part

# Two words in a shingle see one changed word in a sentence, at a similarity that unrelated corpora do not reach.
THRESHOLD, SHINGLE = 0.7, 2
Copy = tuple[str, Sequence[str]]
"""The sample (``corpus/id``) that one repeats, and which of its questions are asked of no copy before it."""


def find_duplicates(
    kinds: Sequence[str],
    parts: Sequence[Part],
    corpora: Sequence[str],
    build: Path,
    roots: Mapping[str, Path],
    languages: Sequence[str] | None = None,
) -> dict[str, dict[str, Copy]]:
    """Return corpus → training sample id → what it repeats; the first one in the mixture's order stays.

    Validation and test samples come first of all: a training sample that repeats one of them is asked nothing.

    Args:
        kinds: ``text``, ``near_text`` (which includes ``text``), ``media``.
        parts: what is asked.
        corpora: in the mixture's order.
        build: where their samples are stored.
        roots: where their clips lie.
        languages: of the samples that are asked; others repeat nothing. None for all.
    """
    repeats: dict[str, str] = {}
    if "text" in kinds or "near_text" in kinds:
        from affectllm.corpus.leaks.duplicates import TextDuplicates  # numpy, which most mixtures do without

        near = TextDuplicates(THRESHOLD, SHINGLE)
        finder = near if "near_text" in kinds else TextDuplicates(threshold=None)
        texts = ((_key(s), str(s.text), s.language) for s in _samples(corpora, build, languages) if _is_words_alone(s))
        repeats |= finder.find(texts)
    if "media" in kinds:
        repeats = media_duplicates(_samples(corpora, build, languages), roots) | repeats
    return _copies(repeats, parts, _samples(corpora, build, languages, (TRAIN,))) if repeats else {}


def _copies(repeats: Mapping[str, str], parts: Sequence[Part], samples: Iterator[Sample]) -> dict[str, dict[str, Copy]]:
    """Return the training samples that repeat another, each with the questions that it is still asked."""
    repeated = set(repeats.values())
    asked: dict[str, set[str]] = {}  # a training sample that is repeated → what it or a copy of it is asked
    copies: dict[str, dict[str, Copy]] = {}
    for sample in samples:
        key = _key(sample)
        if key not in repeats and key not in repeated:
            continue
        questions = {name for part in parts if part.corpus == sample.corpus for name in part.questions(sample)}
        of = repeats.get(key, key)
        if of == key:
            asked[key] = questions
            continue
        left = questions - asked[of] if of in asked else set()
        asked.get(of, set()).update(left)
        copies.setdefault(sample.corpus, {})[sample.id] = (of, sorted(left))
    return copies


def _is_words_alone(sample: Sample) -> bool:
    """Whether words identify the sample: actors say one sentence in every mood, and "Really?" depends on a dialogue."""
    return bool(sample.text) and not sample.context and not sample.media


def _key(sample: Sample) -> str:
    return f"{sample.corpus}/{sample.id}"


def _samples(
    corpora: Sequence[str],
    build: Path,
    languages: Sequence[str] | None,
    splits: Sequence[str] = (VALIDATION, TEST, TRAIN),
) -> Iterator[Sample]:
    for split in splits:
        for corpus in corpora:
            for row in read_rows(build / "samples" / corpus / f"{split}.parquet"):
                if not (languages and row["language"] and row["language"] not in languages):
                    yield Sample.from_json(row)
