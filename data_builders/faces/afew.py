"""AFEW, Acted Facial Expressions in the Wild: short clips of films in seven emotions, the corpus of EmotiW.

``Train_AFEW/`` and ``Val_AFEW/`` have a folder for every emotion with clips such as ``000046280.avi``; ``Test_…`` has
clips without emotions. The aligned faces lie in ``AlignedFaces_LBPTOP_Points/Faces/000046280/`` beside them. Copies
used with other models have the faces only, as ``AFEW_Face/train/Anger/000046280/`` with a frame a file. Some clips
have no faces, because none was found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.faces._frames import clip_or_frame, picture_names

from affectllm.corpus import TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content, Picture
from affectllm.corpus.reading import first_sight, folder_of, folders_below, list_media, missing_file, relative
from affectllm.labels import Annotation
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

TRAIN_NAMES, VALIDATION_NAMES = ("train_afew", "train"), ("val_afew", "validation", "val")
SPLITS = {**dict.fromkeys(TRAIN_NAMES, TRAIN), **dict.fromkeys(VALIDATION_NAMES, VALIDATION)}
CARD = CorpusCard(
    name="afew",
    title="AFEW",
    citation="Dhall, Goecke, Lucey, Gedeon: Collecting Large, Richly Annotated Facial-Expression Databases from "
    "Movies. IEEE MultiMedia 19(3), 2012",
    url="https://sites.google.com/view/emotiw2023",
    obtain="by the agreement of the EmotiW challenge, https://sites.google.com/view/emotiw2023 ; Train_AFEW/ and "
    "Val_AFEW/ side by side",
    licence="AFEW agreement (academic research only)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio", "image"),
    spaces=(EKMAN_6_NEUTRAL,),
    raters={"annotators": "two annotators, who were shown what the subtitles for the deaf say"},
    counts={TRAIN: 773, VALIDATION: 383},
    split_policy="official: Train_AFEW and Val_AFEW, of different films; the 653 clips of test have no public emotions",
    max_seconds=20.0,
    notes=(
        "Clips of test are rejected as no_annotation.",
        "Where there are frames only, the one in the middle is the medium; `frames` names the folder.",
        "Some clips have no aligned faces.",
        "The counts are those of EmotiW 2017 and later (AFEW 7.0); older releases have other clips.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "Train_AFEW/Angry/000000001.avi": Clip(),
    "Train_AFEW/Angry/._000000001.avi": b"\x00\x05\x16\x07",
    "Train_AFEW/Happy/000000002.avi": Clip(),
    "Train_AFEW/Sleepy/000000003.avi": Clip(),
    "Train_AFEW/Happy/000000001.avi": Clip(),
    "Train_AFEW/AlignedFaces_LBPTOP_Points/Faces/000000001/000.jpg": Picture(),
    "Val_AFEW/Neutral/000000004.avi": Clip(),
    "Test_2017/000000005.avi": Clip(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, by split, emotion and name."""
    base = folder_of(root, CARD, lambda folder: bool(_splits(folder)), "Train_AFEW/Angry and so on")
    folders = _splits(base)
    seen: set[str] = set()
    for split in CARD.counts:
        if not (places := [place for place, folder_split in folders if folder_split == split]):
            yield missing_file("Train_AFEW" if split == TRAIN else "Val_AFEW", CARD)
        for place in places:
            yield from _split(place, split, root, seen)
    for place in sorted(base.iterdir()):
        if place.is_dir() and re.match(r"test", place.name, re.IGNORECASE):
            for path in list_media(place, FILMS, depth=2):
                yield Rejection(path.stem, "no_annotation", relative(path, root), "test has no public emotions")


def _splits(folder: Path) -> list[tuple[Path, str]]:
    """Return the folders of the splits, in which at least two folders are named after an emotion."""
    children = sorted(child for child in folder.iterdir() if child.is_dir()) if folder.is_dir() else []
    named = [(child, SPLITS[child.name.lower()]) for child in children if child.name.lower() in SPLITS]
    return [(child, split) for child, split in named if any(EKMAN_6_NEUTRAL.resolve(c.name) for c in child.iterdir())]


def _split(place: Path, split: str, root: Path, seen: set[str]) -> Iterator[Sample | Rejection]:
    faces = next((folder for folder in folders_below(place, 2) if folder.name == "Faces"), None)
    for folder in sorted(child for child in place.iterdir() if child.is_dir() and not child.name.startswith(".")):
        emotion = EKMAN_6_NEUTRAL.resolve(folder.name)
        clips = {path.stem: path for path in list_media(folder, FILMS)}
        frames = {child.name: child for child in folder.iterdir() if child.is_dir() and picture_names(child)}
        for name in sorted(clips.keys() | frames.keys()):
            path = clips.get(name) or frames[name]
            where = relative(path, root)
            if emotion is None:
                if not folder.name.startswith("AlignedFaces"):
                    yield Rejection(name, "unknown_label", where, folder.name)
            elif duplicate := first_sight(seen, f"{split}/{name}", where):
                yield duplicate
            else:
                pictures = frames.get(name) or (faces / name if faces else None)
                yield from _sample(name, split, emotion, where, clips.get(name), pictures, root)


def _sample(
    name: str, split: str, emotion: str, where: str, clip: Path | None, frames: Path | None, root: Path
) -> Iterator[Sample | Rejection]:
    video = relative(clip, root) if clip else None
    result = clip_or_frame(root, (name, where), video, frames, expected=True, sound=True)
    yield from result.trouble
    aligned = {"frames": relative(frames, root)} if frames is not None and frames.is_dir() else {}
    yield Sample(
        id=f"{split}/{name}",
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(EKMAN_6_NEUTRAL.name, "annotators", emotion),),
        source=where,
        language="en",
        media=result.media,
        attributes={**aligned, **result.facts},
    )
