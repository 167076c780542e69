"""Shared reader of corpora of pictures in class folders: ``{split}/{class}/*.jpg``, or ``{class}/*.jpg``.

Not a corpus. Between class and picture there may be one more folder (a style); the names of folders vary in case.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.reading import first_sight, folder_of, list_files, list_media, missing_file, relative
from affectllm.corpus.splits import by_hash
from affectllm.labels import Annotation, LabelSpace

SPLITS = {"train": TRAIN, "val": VALIDATION, "valid": VALIDATION, "validation": VALIDATION, "test": TEST}


def read_folders(root: Path, card: CorpusCard, space: LabelSpace, rater: str) -> Iterator[Sample | Rejection]:
    """Yield one sample per picture, by split, class and name."""

    def looks_right(folder: Path) -> bool:
        # The folder of one split would be divided again, so it is not taken for the corpus.
        is_split = folder.absolute().name.lower() in SPLITS
        return not is_split and any(_classes(place, space) for _, place in _splits(folder))

    base = folder_of(root, card, looks_right, "train/, val/ and test/ with a folder for every emotion")
    places = _splits(base)
    for split in card.counts:
        if len(places) > 1 and split not in dict(places):
            yield missing_file(split, card)
    seen: set[str] = set()
    for split_name, place in places:
        for folder in sorted(child for child in place.iterdir() if child.is_dir() and not child.name.startswith(".")):
            emotion = space.resolve(folder.name)
            if emotion is not None:
                yield from _class(folder, root, base, split_name, seen, Annotation(space.name, rater, emotion), card)
            elif _classes(place, space):
                for path in list_media(folder, PICTURES, depth=1):
                    yield Rejection(relative(path, base), "unknown_label", relative(path, root), folder.name)


def _class(
    folder: Path,
    root: Path,
    base: Path,
    split_name: str | None,
    seen: set[str],
    annotation: Annotation,
    card: CorpusCard,
) -> Iterator[Sample | Rejection]:
    """Yield the pictures of one class; every other file in it is counted."""
    for path in list_files(folder, depth=1):
        if path.suffix.lower() in PICTURES:
            split = split_name or by_hash(path.stem, salt=card.name)
            yield _sample(path, root, base, folder, split, seen, annotation, card)
        else:
            detail = f"{path.suffix or 'no ending'} is no picture"
            yield Rejection(relative(path, base), "unknown_name", relative(path, root), detail)


def _splits(folder: Path) -> list[tuple[str | None, Path]]:
    """Return (split, folder) for every split; the folder itself, without one, where classes lie in it directly."""
    children = sorted(child for child in folder.iterdir() if child.is_dir())
    splits: list[tuple[str | None, Path]] = []
    for child in children:
        if split := SPLITS.get(child.name.lower()):
            splits.append((split, child))
    order = list(dict.fromkeys(SPLITS.values()))
    return sorted(splits, key=lambda item: order.index(item[0] or TRAIN)) or [(None, folder)]


def _classes(folder: Path, space: LabelSpace) -> bool:
    """Whether several names of the space have a folder here; a single ``fear/`` may be of another corpus."""
    names = {space.resolve(child.name) for child in folder.iterdir() if child.is_dir()}
    return len(names - {None}) >= 2


def _sample(
    path: Path,
    root: Path,
    base: Path,
    folder: Path,
    split: str,
    seen: set[str],
    annotation: Annotation,
    card: CorpusCard,
) -> Sample | Rejection:
    where = relative(path, root)
    identifier = f"{annotation.value}/{relative(path, folder).rpartition('.')[0]}"
    if duplicate := first_sight(seen, identifier, where):
        return duplicate
    if trouble := unusable(root, where, identifier):
        return trouble
    style = path.parent.name if path.parent != folder else ""
    return Sample(
        id=identifier,
        corpus=card.name,
        split=split,
        annotations=(annotation,),
        source=where,
        media=(MediaRef(where, "image"),),
        attributes={"style": style} if style else {},
    )
