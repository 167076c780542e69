"""GoEmotions: 58,000 comments from Reddit, each judged by three or more readers for 27 emotions and neutral.

``train.tsv``, ``dev.tsv`` and ``test.tsv`` are the filtered release: text, label numbers joined by commas, comment id;
tab separated, without a header and without quoting, so that a quote sign is a quote sign. A comment has every label
that at least two readers chose, and may be neutral and something else. ``emotions.txt`` gives the names in the order of
the numbers. Names and religions are masked as ``[NAME]`` and ``[RELIGION]``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    is_lfs_pointer,
    missing_file,
    read_delimited,
    read_lines,
)
from affectllm.errors import Malformed
from affectllm.labels import Annotation
from affectllm.labels.taxonomies import GOEMOTIONS_28, GOEMOTIONS_28_NAMES

FILES = {"train.tsv": TRAIN, "dev.tsv": VALIDATION, "test.tsv": TEST}
SPACE, EMOTIONS = GOEMOTIONS_28, GOEMOTIONS_28_NAMES
CARD = CorpusCard(
    name="goemotions",
    title="GoEmotions",
    citation="Demszky, Movshovitz-Attias, Ko, Cowen, Nemade, Ravi: GoEmotions: A Dataset of Fine-Grained Emotions. "
    "ACL 2020",
    url="https://github.com/google-research/google-research/tree/master/goemotions",
    obtain="train.tsv, dev.tsv, test.tsv and emotions.txt from goemotions/data of "
    "https://github.com/google-research/google-research",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("text",),
    spaces=(SPACE,),
    raters={"crowd": "every label that at least two of three to five readers chose"},
    counts={TRAIN: 43410, VALIDATION: 5426, TEST: 5427},
    split_policy="official: train, dev and test tsv",
    notes=(
        "Multi-label: 7,102 / 878 / 837 comments have more than one label.",
        "The repository's code is Apache-2.0; the data are CC BY 4.0. The words are those of Reddit users.",
        "The raw annotations (full_dataset/) are not read.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "emotions.txt": "\n".join(EMOTIONS) + "\n",
    "train.tsv": 'My favourite food is "anything" I did not cook.\t27\teebbqej\n'
    "WHY, [NAME]?\t2,22\teezlygj\n"
    "One field too few\t3\n"
    "A label that is not there\t28\teezlyga\n",
    "dev.tsv": "I’ve never been this sad in my life!\t25\tedcu99z\n",
    "test.tsv": "It's wonderful because it's awful.\t0\ted5f85d\n",
}
_ROW = re.compile(r"[^\t]+\t\d+(,\d+)*\t\w+")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per comment, in the order of the tsv files."""
    base = folder_of(root, CARD, lambda folder: any(_is_ours(folder / name) for name in FILES), ", ".join(FILES))
    yield from _check_names(base, root)
    seen: set[str] = set()
    for name, split in FILES.items():
        if not (base / name).is_file():
            yield missing_file(name, CARD)
            continue
        for line in read_delimited(base / name, root, "\t", width=3):
            if isinstance(line, Rejection):
                yield line
            else:
                yield first_sight(seen, line[1][2].strip(), line[0]) or _sample(split, *line)


def _is_ours(path: Path) -> bool:
    """Whether train.tsv is of this corpus: it begins with text, label numbers and an id, or is a Git LFS pointer."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return bool(_ROW.fullmatch(stream.readline(2000).rstrip("\r\n"))) or is_lfs_pointer(path)


def _check_names(base: Path, root: Path) -> Iterator[Rejection]:
    """Check that names are in the known order; in another one every number would mean something else."""
    path = find_file(base, "emotions.txt")
    if path is None:
        yield missing_file("emotions.txt", CARD)
        return
    names = tuple(line[1].strip() for line in read_lines(path, root) if not isinstance(line, Rejection) and line[1])
    if names != EMOTIONS:
        raise Malformed("the label names are not the 28 of GoEmotions in their order", where=str(path), do=CARD.obtain)


def _sample(split: str, where: str, fields: list[str]) -> Sample | Rejection:
    text, comment = fields[0].strip(), fields[2].strip()
    if not text or not comment:
        return Rejection(where, "broken_row", where, "no words or no id")
    names = _names(fields[1])
    if names is None:
        return Rejection(comment, "unknown_label", where, fields[1])
    return Sample(
        id=comment,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "crowd", names),),
        source=where,
        text=text,
        language="en",
    )


@lru_cache(maxsize=4096)
def _names(numbers: str) -> tuple[str, ...] | None:
    """Return the emotions of numbers joined by commas, in the space's order; None when one is unknown."""
    parts = numbers.split(",")
    if not all(part.isdecimal() and int(part) < len(EMOTIONS) for part in parts):
        return None
    return tuple(EMOTIONS[number] for number in sorted({int(part) for part in parts}))
