"""The samples that are annotated: of a corpus, or of files, folders and tables as ``affectllm predict`` takes them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from affectllm.annotate.page import Annotated
from affectllm.corpus import TRAIN, Rejection, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.identity import identity
from affectllm.corpus.roots import Roots
from affectllm.errors import Malformed, NotFound, placed
from affectllm.labels import LabelSpace
from affectllm.predict.items import Item, read_items
from affectllm.run import digest


@dataclass(frozen=True)
class Source:
    """What is annotated.

    Args:
        items: samples, and what cannot be used.
        corpus: as which the clips of the samples are referred to.
        root: folder of the clips.
        spaces: label spaces of the samples' own annotations.
        raters: who gave these.
        identity: what decides the samples, as JSON values.
    """

    items: list[Sample | Rejection]
    corpus: str
    root: Path
    spaces: tuple[LabelSpace, ...]
    raters: Mapping[str, str]
    identity: Mapping[str, object]


def source_of(page: Annotated, roots: Roots) -> Source:
    """Read the samples of a page.

    Raises:
        NotFound, MissingCorpus: when the corpus, a folder of it, or a file that the page names is not there, or nothing
            of it can be annotated.
        Malformed: when a table cannot be read, or two samples have one id.
    """
    source = _of_corpus(page, roots) if page.corpus else _of_files(page)
    if not any(isinstance(item, Sample) for item in source.items):
        reasons = Counter(item.reason for item in source.items if isinstance(item, Rejection))
        told = ", ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common())
        do = (
            f"rejected: {told}"
            if told
            else f"there is none of split {page.split}"
            if page.corpus
            else "the tables have no row"
        )
        where = page.lines.where(("corpus",) if page.corpus else ("files",))
        raise NotFound("there is no sample to annotate", where=where, do=do)
    return source


def _of_corpus(page: Annotated, roots: Roots) -> Source:
    builder, root = load_builder(page.corpus), roots.find(page.corpus)
    wanted = (item for item in builder.samples(root) if _is_wanted(item, page))
    items = list(_limited(wanted, page.limit))
    card = builder.CARD
    return Source(items, page.corpus, root, card.spaces, card.raters, {page.corpus: identity(page.corpus, root)})


def _is_wanted(item: Sample | Rejection, page: Annotated) -> bool:
    return isinstance(item, Rejection) or page.split in ("all", item.split)


def _limited(items: Iterator[Sample | Rejection], limit: int | None) -> Iterator[Sample | Rejection]:
    """Yield items up to the last sample that is wanted; what is rejected does not count."""
    if limit is None:
        yield from items
        return
    count = 0
    for item in items:
        yield item
        count += isinstance(item, Sample)
        if count == limit:
            return


def _of_files(page: Annotated) -> Source:
    for number, name in enumerate(page.files):
        if not Path(name).exists():
            raise NotFound(f"there is no {name}", where=page.lines.where(("files", number)), do="mend the path")
    with placed(page.lines.where(("files",))):
        items = list(_limited(iter(read_items(page.files)), page.limit))
    _refuse_twice(items)
    clips = [Path(ref.path) for item in items if isinstance(item, Sample) for ref in item.media]
    root = Path(os.path.commonpath([clip.parent for clip in clips])) if clips else Path(page.files[0]).parent
    samples = [item if isinstance(item, Rejection) else _below(item, root, page) for item in items]
    facts = [item.to_json() for item in samples]
    stats = [[str(clip), clip.stat().st_size, clip.stat().st_mtime_ns] for clip in clips if clip.is_file()]
    return Source(samples, page.name, root, (), {}, {"files": digest([facts, stats])})


def _refuse_twice(items: list[Item]) -> None:
    """Raise ``Malformed`` when two samples have one id: steps and corpora tell them apart by it."""
    places: dict[str, str] = {}
    for item in items:
        if not isinstance(item, Sample):
            continue
        if item.id in places:
            message = f"the id {item.id!r} is that of {places[item.id]} too"
            raise Malformed(message, where=item.source, do="give the tables a column id, each value once")
        places[item.id] = item.source


def _below(sample: Sample, root: Path, page: Annotated) -> Sample:
    """Return a sample of files with its clips relative to their common folder."""
    media = tuple(replace(ref, path=Path(ref.path).relative_to(root).as_posix()) for ref in sample.media)
    known = Path(sample.id).expanduser().absolute()
    name = known.relative_to(root).as_posix() if sample.media and known.is_relative_to(root) else sample.id
    return replace(
        sample, id=name, corpus=page.name, split=TRAIN, media=media, language=sample.language or page.language
    )
