"""Find what training samples and scored samples of any corpora share.

Along the family tree of the corpora the exact things are compared: ids, clips and dialogues within a corpus, speakers
where its card promises disjoint splits, words between two corpora of a family. Content is compared between all
corpora: near-duplicate texts of at least six words, files of the same bytes under other names, and where fingerprints
are given clips that sound or look the same. Sentences within one corpus are not compared, since those of an acted
corpus are the same in every split.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from affectllm.corpus.builder import load_builder
from affectllm.corpus.family import descent
from affectllm.corpus.leaks.media_content import Clip, Contents, clips, span
from affectllm.corpus.leaks.normalised import SHORT_WORDS, normalised
from affectllm.corpus.sample import Sample

if TYPE_CHECKING:
    from affectllm.corpus.leaks.resemblance import Resemblance, Words

Source = Callable[[], Iterable[Sample]]
SAMPLE, CLIP, DIALOGUE, SPEAKER, TEXT = "sample", "clip", "dialogue", "speaker", "text"
NEAR, CONTENT, RECODED = "near-duplicate text", "copied clip", "re-encoded clip"
KINDS = (SAMPLE, CLIP, CONTENT, RECODED, DIALOGUE, SPEAKER, TEXT, NEAR)
EXAMPLES = 5
THRESHOLD = 0.5  # of near-duplicate texts; unrelated corpora of 40,000 and 5,000 sentences share some fifty by chance
SAME_TEXT, SAME_BYTES = "same text", "same bytes"
_CHUNK = 4096
Mark = tuple[str, str, bytes]  # kind, name, digest
Content = tuple[bytes | None, str]  # SHA-256, span


@dataclass(frozen=True)
class Place:
    """The location of a sample: its corpus, its id, and ``file:line`` below the root."""

    corpus: str
    id: str
    source: str

    def __str__(self) -> str:
        return f"{self.corpus}/{self.id} ({self.source})"


@dataclass(frozen=True)
class Example:
    """One shared item.

    Attributes:
        name: of the thing.
        train, scored: a sample on either side.
        similarity: of texts the share of the shorter one's words, weighted by their rarity; of clips the share of what
            was compared that agrees; None for what is the same by its name.
        sameness: what was seen to be the same: ``same text``, ``near text``, ``part of``, ``same bytes``, ``same
            sound``, ``same picture``; "" for what is the same by its name.
    """

    name: str
    train: Place
    scored: Place
    similarity: float | None = None
    sameness: str = ""


@dataclass
class Shared:
    """All shared things of one kind between two corpora.

    Attributes:
        kind: ``sample``, ``clip``, ``dialogue``, ``speaker``, ``text``, ``near-duplicate text``, ``copied clip`` or
            ``re-encoded clip``.
        train, scored: the corpora.
        path: how they are related (``reccon ← dailydialog``), "" where they are not or are the same.
        count: distinct things; for near-duplicates, texts of the scored side.
        examples: the first few.
    """

    kind: str
    train: str
    scored: str
    path: str
    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON types."""
        return asdict(self)


class PrintIndex(Protocol):
    """An index of fingerprints to compare others with."""

    def matches(self, asked: Any) -> Iterable[tuple[int, str, float]]:
        """Yield the position of each indexed fingerprint that matches, what is the same, and the similarity."""


class Fingerprints(Protocol):
    """Computes fingerprints of what is heard and seen in clips; implemented in ``model.alike``, which decodes them."""

    def prints(self, clips: Sequence[Clip]) -> Sequence[Any]:
        """Return one fingerprint for each clip."""

    def index(self, prints: Sequence[Any]) -> PrintIndex:
        """Return an index of ``prints``."""


def find_shared(
    train: Mapping[str, Source],
    scored: Mapping[str, Source],
    *,
    roots: Mapping[str, Path] | None = None,
    threshold: float | None = None,
    contents: Contents | None = None,
    fingerprints: Fingerprints | None = None,
) -> dict[str, list[Shared]]:
    """Compare all that is trained on with each of several things that are scored, reading either side once.

    Memory grows with the scored side (about 0.5 KiB a sample, and as much again for its content), not with the other.
    Time: reading the samples; with ``threshold`` some 0.2 ms a text; with ``roots`` a look at the size of every file,
    and the reading of those files whose size a file of the other side has; with ``fingerprints`` the decoding of every
    clip of either side, once.

    Args:
        train: corpus → its samples.
        scored: any name, for instance a task's → its samples, of one corpus.
        roots: folders of the corpora; without them the content of clips is not compared.
        threshold: least similarity of near-duplicates, in (0, 1]; None leaves them out.
        contents: what is known of files already.
        fingerprints: to compare clips by what is heard and seen in them; needs ``roots``.

    Returns:
        name → what it shares, in a stable order; empty where it shares nothing.

    Raises:
        AffectError: when the threshold is out of its bounds, or a file that must be hashed cannot be read.
        MissingCorpus: when ``roots`` lacks the folder of a corpus with clips.
    """
    if threshold is not None:
        from affectllm.corpus.leaks.minhash import check_threshold

        check_threshold(threshold)
    kin, files = _Kin(), None if roots is None else _Files(roots, contents or Contents())
    prints = fingerprints if files else None
    sides = {name: _Side(source(), kin, threshold, files, prints) for name, source in scored.items()}
    everything = any(side.near or side.has_clips for side in sides.values())
    for corpus, source in train.items():
        if everything or any(kin(corpus, other) for side in sides.values() for other in side.corpora):
            _stream(source(), kin, files, prints, list(sides.values()))
    return {name: side.shared() for name, side in sides.items()}


class _Kin:
    """Whether two corpora are of one family, or the same; cards are read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def __call__(self, one: str, other: str) -> bool:
        if (one, other) not in self._known:
            self._known[one, other] = bool(descent(one, other))
        return self._known[one, other]


def _stream(
    samples: Iterable[Sample],
    kin: _Kin,
    files: _Files | None,
    fingerprints: Fingerprints | None,
    sides: Sequence[_Side],
) -> None:
    source = iter(samples)
    while chunk := list(islice(source, _CHUNK)):
        heard: dict[Clip, Sample] = {}
        for sample in chunk:
            related = any(other != sample.corpus and kin(sample.corpus, other) for s in sides for other in s.corpora)
            marks, sized = _marks(sample, words=related), files.sized(sample) if files else []
            for side in sides:
                side.compare(sample, marks)
                side.compare_clips(sample, sized)
            for clip, _ in sized:
                heard.setdefault(clip, sample)
        if any(side.near for side in sides):
            asked = _words(chunk)  # once for all
            for side in sides:
                side.compare_texts(chunk, asked)
        if fingerprints and any(side.has_clips for side in sides):
            prints = fingerprints.prints(list(heard))
            for side in sides:
                side.compare_prints(heard, prints)


class _Side:
    """The samples scored under one name, and what training samples share with them."""

    def __init__(
        self,
        samples: Iterable[Sample],
        kin: _Kin,
        threshold: float | None,
        files: _Files | None,
        fingerprints: Fingerprints | None,
    ) -> None:
        self.corpora: dict[str, bool] = {}  # whether the card promises disjoint speakers
        self._places: list[Place] = []
        self._marks: dict[tuple[str, bytes], int] = {}
        self._shared: dict[tuple[str, str, str], Shared] = {}
        self._counted: set[tuple[str, str, str, object]] = set()
        self._clips: dict[int, dict[Clip, int]] = {}  # by size
        self._contents: dict[int, dict[Content, list[tuple[Clip, int]]]] = {}
        self._kin, self._files = kin, files
        texts = []
        for sample in samples:
            self._add(sample)
            texts.append(("" if threshold is None else sample.text or "", sample.language))
        self.near = None if threshold is None else _resemblance(texts, threshold)
        self._prints: PrintIndex | None = None
        if fingerprints:
            self._held = [(clip, number) for of_size in self._clips.values() for clip, number in of_size.items()]
            self._prints = fingerprints.index(fingerprints.prints([clip for clip, _ in self._held]))

    def _add(self, sample: Sample) -> None:
        number = len(self._places)
        self._places.append(_place(sample))
        if sample.corpus not in self.corpora:
            self.corpora[sample.corpus] = load_builder(sample.corpus).CARD.speaker_disjoint
        for kind, _, digest in _marks(sample, words=True):
            if kind != SPEAKER or self.corpora[sample.corpus]:
                self._marks.setdefault((kind, digest), number)
        for clip, size in self._files.sized(sample) if self._files else ():
            self._clips.setdefault(size, {}).setdefault(clip, number)

    def compare(self, sample: Sample, marks: Iterable[Mark]) -> None:
        """Note what a sample to train on shares, but for near-duplicates."""
        for kind, name, digest in marks:
            number = self._marks.get((kind, digest))
            if number is not None and (kind != TEXT or self._related(sample, number)):
                self._note(kind, digest, name, sample, number, sameness=SAME_TEXT if kind == TEXT else "")

    def compare_clips(self, sample: Sample, sized: Iterable[tuple[Clip, int]]) -> None:
        """Note clips of the same content and span under another name."""
        for ours, size in sized:
            if self._files and size in self._clips:
                for theirs, number in self._hashed(size, self._files).get(self._files.content(ours), ()):
                    if ours.name != theirs.name:
                        what = f"{ours.name} = {theirs.name}"
                        self._note(CONTENT, theirs.name, what, sample, number, None, SAME_BYTES)

    def _hashed(self, size: int, files: _Files) -> dict[Content, list[tuple[Clip, int]]]:
        """Return the clips of a size by their content: read when a file of the other side has that size."""
        if size not in self._contents:
            by_content = self._contents[size] = {}
            for clip, number in self._clips[size].items():
                by_content.setdefault(files.content(clip), []).append((clip, number))
        return self._contents[size]

    def compare_texts(self, samples: Sequence[Sample], asked: Words) -> None:
        """Note near-duplicates; the same words within one family are noted as text already."""
        for at, number, similarity, sameness in self.near.matches(asked) if self.near else ():
            sample, same = samples[at], sameness == SAME_TEXT
            if sample.corpus != self._places[number].corpus and not (same and self._related(sample, number)):
                text = " ".join(str(sample.text).split())
                self._note(NEAR, number, text, sample, number, similarity, sameness)

    def compare_prints(self, asked: Mapping[Clip, Sample], prints: Sequence[Any]) -> None:
        """Note clips that sound or look the same under another name, but for those of the same bytes."""
        for (ours, sample), fingerprint in zip(asked.items(), prints, strict=True):
            for place, sameness, score in self._prints.matches(fingerprint) if self._prints else ():
                theirs, number = self._held[place]
                copied = (CONTENT, ours.corpus, theirs.corpus, theirs.name) in self._counted
                if ours.name != theirs.name and not copied:
                    what = f"{ours.name} = {theirs.name}"
                    self._note(RECODED, theirs.name, what, sample, number, score, sameness)

    @property
    def has_clips(self) -> bool:
        """Whether there are clips to compare by content."""
        return bool(self._clips)

    def _related(self, sample: Sample, number: int) -> bool:
        other = self._places[number].corpus
        return other != sample.corpus and self._kin(sample.corpus, other)

    def _note(
        self,
        kind: str,
        thing: object,
        name: str,
        sample: Sample,
        number: int,
        similarity: float | None = None,
        sameness: str = "",
    ) -> None:
        scored = self._places[number]
        key = (kind, sample.corpus, scored.corpus)
        if (*key, thing) in self._counted:
            return
        self._counted.add((*key, thing))
        path = descent(*key[1:]) if sample.corpus != scored.corpus and key not in self._shared else ""
        shared = self._shared.setdefault(key, Shared(*key, path))
        shared.count += 1
        if len(shared.examples) < EXAMPLES:
            shared.examples.append(Example(name, _place(sample), scored, similarity, sameness))

    def shared(self) -> list[Shared]:
        """Return all that is shared, sorted by corpora and kind."""
        return sorted(self._shared.values(), key=lambda s: (s.train, s.scored, KINDS.index(s.kind)))


class _Files:
    """The files of clips: their sizes, and their content where it is asked for."""

    def __init__(self, roots: Mapping[str, Path], contents: Contents) -> None:
        self._roots, self._contents = roots, contents

    def sized(self, sample: Sample) -> list[tuple[Clip, int]]:
        """Return the clips of a sample whose files exist, with their sizes in bytes."""
        sizes = ((clip, self._contents.size(clip.file)) for clip in clips(sample, self._roots))
        return [(clip, size) for clip, size in sizes if size]

    def content(self, clip: Clip) -> Content:
        """Return a key of the clip's content, independent of its name."""
        return self._contents.digest(clip.file), span(clip.ref)


def _resemblance(texts: Iterable[tuple[str, str | None]], threshold: float) -> Resemblance:
    from affectllm.corpus.leaks.resemblance import Resemblance

    return Resemblance(texts, threshold)


def _words(samples: Sequence[Sample]) -> Words:
    from affectllm.corpus.leaks.resemblance import Words

    return Words.of((sample.text, sample.language) for sample in samples)


def _place(sample: Sample) -> Place:
    return Place(sample.corpus, sample.id, sample.source)


def _marks(sample: Sample, *, words: bool) -> list[Mark]:
    """Return the keys that identify a sample within its corpus, and with ``words`` within its family."""
    named = [(SAMPLE, f"{sample.corpus}/{sample.id}")]
    named += [(CLIP, f"{sample.corpus}/{ref.path}{span(ref)}") for ref in sample.media]
    if sample.dialogue:
        named.append((DIALOGUE, f"{sample.corpus}/{sample.dialogue}"))
    if sample.speaker:
        named.append((SPEAKER, f"{sample.corpus}/{sample.speaker}"))
    if words and sample.text:
        form, _, short = normalised(sample.text, sample.language)
        if form and (not short or len(sample.text.split()) >= SHORT_WORDS):
            named.append((TEXT, form))
    # Where the words of a text are parted is the taste of a tokenizer.
    exact = (name.replace(" ", "") if kind == TEXT else name for kind, name in named)
    digests = (blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest() for name in exact)
    return [(*one, digest) for one, digest in zip(named, digests, strict=True)]
