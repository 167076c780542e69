"""DFEW, Dynamic Facial Expression in-the-Wild: 16,372 clips of faces from over 1,500 films, ten votes each.

Every clip was judged by ten people as one of seven emotions. Where enough agreed, a clip is *single-labelled*
(11,697); only these are in the five folds of ``EmoLabel_DataSplit``: ``train(single-labeled)/set_1.csv`` and so on,
with the label as a number from 1. The test parts of the folds are disjoint, so the fold in which a clip is tested says
all about it. ``Annotation/annotation.xlsx`` has the votes, also of the clips on which people did not agree.

Clips are ``Clip/original/1.mp4`` (the name is the number as it stands) or folders of frames such as
``Clip/clip_224x224/00001/`` and ``Clip/jpg_256/00001/`` (five digits). Lists of the form ``DFEW_set_1_train.txt``
(path, number of frames, label from 0), which circulate with models, are read where the official ones are missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.faces._frames import clip_or_frame

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.media_files import clips_below
from affectllm.corpus.miniature import Clip, Content, Picture
from affectllm.corpus.panel import Panel, agreed
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    folders_below,
    missing_file,
    read_lines,
    relative,
)
from affectllm.corpus.records.workbook import read_sheet
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")  # 1 to 7
FOLDS = tuple(str(fold) for fold in range(1, 6))
FRAME_FOLDERS = ("clip_224x224", "jpg_256", "jpg_224_16f", "clip_224x224_16f")
_SOURCE = "Jiang et al., DFEW, ACM Multimedia 2020"
SPACE = LabelSpace("dfew_7", "category", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
VOTES = LabelSpace("dfew_votes", "distribution", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
CARD = CorpusCard(
    name="dfew",
    title="DFEW",
    citation="Jiang, Zong, Zheng, Tang, Xia, Lu, Liu: DFEW: A Large-Scale Database for Recognizing Dynamic Facial "
    "Expressions in the Wild. ACM Multimedia 2020",
    url="https://dfew-dataset.github.io/",
    obtain="by the licence agreement at https://dfew-dataset.github.io/ ; unpack it so that EmoLabel_DataSplit/, Clip/ "
    "and Annotation/ lie beside each other",
    licence="DFEW licence agreement (academic research only)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("video", "audio", "image"),
    spaces=(SPACE, VOTES),
    raters={"majority": "the emotion on which enough of ten people agreed", "crowd": "the votes of ten people"},
    counts={TRAIN: 9356, TEST: 2341},
    panels=(Panel(SPACE.name, "majority", agreed(0.6), votes="crowd", ratings=VOTES.name),),
    split_policy="official: fold 1 of five, set_1.csv; `fold` names the fold in which a clip is tested",
    max_seconds=60.0,
    notes=(
        "There is no validation split; the field reports the mean of five folds.",
        "The 4,675 clips on which people did not agree are in no fold and are rejected as not_in_split.",
        "Frame folders are named with five digits, mp4 files without leading zeros.",
        "Where there are only frames, the one in the middle is the medium; `frames` names the folder.",
        "Films are not identified, so an actor may be in train and test.",
    ),
)


def _votes_workbook() -> bytes:
    import io

    from openpyxl import Workbook

    book, stream = Workbook(), io.BytesIO()
    sheet = book.active
    sheet.append(["1happy", "2sad", "3neutral", "4angry", "5surprise", "6disgust", "7fear", "order", "label"])
    for row in ([9, 0, 1, 0, 0, 0, 0, 1, 1], [0, 0, 0, 8, 0, 2, 0, 2, 4], [3, 3, 4, 0, 0, 0, 0, 7, 0]):
        sheet.append(row)
    book.save(stream)
    return stream.getvalue()


MINIATURE: Mapping[str, Content] = {
    "EmoLabel_DataSplit/train(single-labeled)/set_1.csv": "video_name,label\n1,1\n2,4\n3,6\n3,6\n4,9\nfive,1\n6,7\n",
    "EmoLabel_DataSplit/test(single-labeled)/set_1.csv": "video_name,label\n12,3\n",
    "EmoLabel_DataSplit/test(single-labeled)/set_2.csv": "video_name,label\n1,1\n2,4\n",
    "Annotation/annotation.xlsx": _votes_workbook,
    "Clip/original/1.mp4": Clip(scene=4),
    "Clip/original/12.mp4": Clip(scene=3),
    "Clip/original/._1.mp4": b"\x00\x05\x16\x07",
    "Clip/clip_224x224/00002/2.jpg": Picture(224, 224),
    "Clip/clip_224x224/00002/10.jpg": Picture(224, 224),
    "Clip/clip_224x224/00003/1.jpg": Picture(224, 224),
}
_LIST = re.compile(r"DFEW_set_(\d)_(train|test)\.txt", re.IGNORECASE)
_PART = re.compile(r"(train|test)\b", re.IGNORECASE)
_Entry = tuple[str, str, str]  # number of the clip, label, file:line


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per single-labelled clip: train of fold 1, then its test."""
    base = folder_of(root, CARD, lambda folder: bool(_lists(folder)), "EmoLabel_DataSplit with set_1.csv")
    lists = _lists(base)
    votes = dict(_votes(base))
    folds = {
        clip: fold
        for (fold, part), path in lists.items()
        if part == "test"
        for clip, _, _ in (entry for entry in _entries(path, root) if not isinstance(entry, Rejection))
    }
    media = _media(base, root)
    seen: set[str] = set()
    for part, split in (("train", TRAIN), ("test", TEST)):
        path = lists.get(("1", part))
        if path is None:
            yield missing_file(f"set_1.csv of {part}", CARD)
            continue
        for entry in _entries(path, root):
            if isinstance(entry, Rejection):
                yield entry
            elif duplicate := first_sight(seen, entry[0], entry[2]):
                yield duplicate
            else:
                yield from _sample(entry, split, folds.get(entry[0]), votes.get(entry[0]), media, root)
    sheet = find_file(base, "annotation.xlsx")
    for clip in (clip for clip in votes if clip not in seen and sheet):
        yield Rejection(clip, "not_in_split", relative(sheet, root) if sheet else "", "not single-labelled")


def _lists(base: Path) -> dict[tuple[str, str], Path]:
    """Return (fold, part) → its list, in the folder itself, in EmoLabel_DataSplit, or in a folder of a part."""
    lists: dict[tuple[str, str], Path] = {}
    for place in (base, base / "EmoLabel_DataSplit"):
        folders = sorted(child for child in place.iterdir() if child.is_dir()) if place.is_dir() else []
        for folder in (place, *(child for child in folders if _PART.match(child.name))):
            part = _PART.match(folder.name) if "multi" not in folder.name else None
            for path in sorted(folder.glob("*set_*")):
                if name := _LIST.fullmatch(path.name):
                    lists.setdefault((name[1], name[2].lower()), path)
                elif part and re.fullmatch(r"set_\d\.csv", path.name):
                    lists[path.stem[-1], part[1].lower()] = path
    return lists


def _entries(path: Path, root: Path) -> Iterator[_Entry | Rejection]:
    if path.suffix == ".txt":
        yield from _other_list(path, root)
        return
    columns = {"video_name": ("video", "name", "order", "clip"), "label": ("annotation", "emotion")}
    for row in read_table(path, root, columns):
        if isinstance(row, Rejection):
            yield row
        elif row["video_name"].strip().removesuffix(".mp4").isdecimal():
            yield str(int(row["video_name"].strip().removesuffix(".mp4"))), row["label"].strip(), row.where
        else:
            yield Rejection(row.where, "broken_row", row.where, "the name of a clip is a number")


def _other_list(path: Path, root: Path) -> Iterator[_Entry | Rejection]:
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        name, _, numbers = line[1].strip().partition(" ")
        clip, label = re.findall(r"\d+", name)[-1:], numbers.split()[-1:]
        if clip and label and label[0].isdecimal():
            yield str(int(clip[0])), str(int(label[0]) + 1), line[0]
        elif line[1].strip():
            yield Rejection(line[0], "broken_row", line[0], line[1][:120])


def _votes(base: Path) -> Iterator[tuple[str, dict[str, float]]]:
    path = find_file(base, "annotation.xlsx")
    header: list[str] = []
    for row in read_sheet(path) if path else ():
        if not header:
            header = [re.sub(r"[^a-z_]", "", cell.lower()) for cell in row]
            continue
        cells = dict(zip(header, row, strict=False))
        clip = number(next((cells[name] for name in ("order", "video_name", "name") if name in cells), None))
        counts = {SPACE.resolve(name): number(value, 0.0, 10.0) for name, value in cells.items()}
        votes = {name: count for name, count in counts.items() if name and count}
        if clip is not None and votes:
            yield str(int(clip)), votes


def _media(base: Path, root: Path) -> Callable[[str], tuple[str | None, Path | None]] | None:
    """Return a function that locates the clip or the frames of a number; None in a download without any."""
    places = list(folders_below(base, 2))
    videos = clips_below([place for place in places if place.name in ("original", "Clip", "clip")], root)
    frames = sorted((p for p in places if p.name in FRAME_FOLDERS), key=lambda p: FRAME_FOLDERS.index(p.name))
    if not (videos or frames):
        return None

    def find(clip: str) -> tuple[str | None, Path | None]:
        folders = (folder / f"{int(clip):05d}" for folder in frames)
        return videos.get(clip, videos.get(f"{int(clip):05d}")), next((f for f in folders if f.is_dir()), None)

    return find


def _sample(
    entry: _Entry,
    split: str,
    fold: str | None,
    votes: Mapping[str, float] | None,
    find: Callable[[str], tuple[str | None, Path | None]] | None,
    root: Path,
) -> Iterator[Sample | Rejection]:
    clip, label, where = entry
    place = int(label) if label.isdecimal() else 0
    if not 1 <= place <= len(EMOTIONS):
        yield Rejection(clip, "unknown_label", where, label)
        return
    video, frames = find(clip) if find else (None, None)
    result = clip_or_frame(root, (clip, where), video, frames, expected=find is not None, sound=True)
    yield from result.trouble
    yield Sample(
        id=f"{int(clip):05d}",
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(SPACE.name, "majority", EMOTIONS[place - 1]),
            *((Annotation(VOTES.name, "crowd", votes),) if votes else ()),
        ),
        source=where,
        media=result.media,
        attributes={**result.facts, **({"fold": fold} if fold else {})},
    )
