"""MAFW: 10,045 clips from films, series and the web in eleven single and many compound emotions, with descriptions.

``Labels/single_label.txt`` and ``multi_label.txt`` have a clip a line, with tabs: ``03352.mp4``, the emotion (several
joined by ``_``), what the face and the scene show in Chinese and in English. They are encoded in GBK. Neutral clips
have no description. ``Train & Test Set/{single,compound}/{no_caption,with_caption}/set_1`` to ``set_5`` divide the
clips into five folds; the test parts of the folds are disjoint.

A clip may be in the single and in the compound set. It is one sample here, with both answers; its split is that of the
single set where it has one. Clips lie in ``data/clips/``, frames in ``data/frames/03352/`` and ``data/faces/03352/``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.data_builders.faces._frames import clip_or_frame

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.media_files import clips_below
from affectllm.corpus.miniature import Clip, Content, Picture
from affectllm.corpus.reading import find_file, folder_of, folders_below, is_lfs_pointer, missing_file, read_lines
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

CHINESE = {
    "愤怒": "anger",
    "厌恶": "disgust",
    "恐惧": "fear",
    "高兴": "happiness",
    "中性": "neutral",
    "悲伤": "sadness",
    "惊讶": "surprise",
    "轻蔑": "contempt",
    "焦虑": "anxiety",
    "无助": "helplessness",
    "失望": "disappointment",
}
EMOTIONS = tuple(CHINESE.values())
SETS, FOLDS, PARTS = ("single", "compound"), tuple(str(fold) for fold in range(1, 6)), {"train": TRAIN, "test": TEST}
_SOURCE = "Liu et al., MAFW, ACM Multimedia 2022"
_ALIASES = {**aliases(*EMOTIONS), **CHINESE}
SINGLE = LabelSpace("mafw_11", "category", EMOTIONS, source=_SOURCE, aliases=_ALIASES)
COMPOUND = LabelSpace("mafw_compound", "set", EMOTIONS, source=_SOURCE, aliases=_ALIASES)
CAPTIONS = tuple(LabelSpace(f"mafw_caption_{language}", "open", (), source=_SOURCE) for language in ("zh", "en"))
CARD = CorpusCard(
    name="mafw",
    title="MAFW",
    citation="Liu, Dai, Feng, Wang, Yin, Zeng, Shan: MAFW: A Large-scale, Multi-modal, Compound Affective Database for "
    "Dynamic Facial Expression Recognition in the Wild. ACM Multimedia 2022",
    url="https://mafw-database.github.io/MAFW/",
    obtain="by the licence agreement, from a university address, at https://mafw-database.github.io/MAFW/ ; unpack it "
    "so that 'Labels/', 'Train & Test Set/' and data/ lie beside each other",
    licence="MAFW licence agreement (academic research only)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("video", "audio", "image"),
    spaces=(SINGLE, COMPOUND, *CAPTIONS),
    raters={
        "annotators": "eleven annotators, of whose answers the authors estimated one emotion, or several",
        "describer": "who described the face, the posture and the scene, in Chinese; translated into English",
    },
    counts={},
    total=10045,
    split_policy="official: fold 1 of five of the single set, and for clips that are in the compound set only, fold 1 "
    "of that; `fold` names the fold in which a clip is tested.",
    max_seconds=60.0,
    notes=(
        "9,172 clips have a single label of eleven; the compound set has 32 combinations, kept as sets of the eleven.",
        "The label files are GBK; copies in UTF-8 are read too.",
        "21 clips have no sound track.",
        "There is no validation split; the field reports the mean of five folds.",
        "Where there are only frames, the one in the middle is the medium; `frames` names the folder.",
        "A clip in no list of fold 1 is rejected as not_in_split.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "Labels/single_label.txt": "00001.mp4\thappiness\t她在笑，露出牙齿。\tShe laughs and shows her teeth.\n"
    "00002.mp4\tneutral\n00003.mp4\tcalmness\t他坐着。\tHe sits.\n00002.mp4\tneutral\n00009.mp4\tanger\n"
    "no clip\n".encode("gb18030"),
    "Labels/multi_label.txt": "00001.mp4\thappiness_surprise\t她在笑。\tShe laughs.\n"
    "00004.mp4\tanger_disgust\t他皱眉。\tHe frowns.\n".encode("gbk"),
    "Train & Test Set/single/no_caption/set_1/train.txt": "00001.mp4 happiness\n00003.mp4 calmness\n",
    "Train & Test Set/single/no_caption/set_1/test.txt": "00002.mp4 neutral\n",
    "Train & Test Set/single/no_caption/set_3/test.txt": "00001.mp4 happiness\n",
    "Train & Test Set/compound/no_caption/set_1/train.txt": "00004.mp4 anger_disgust\n00002.mp4 neutral_fear\n",
    "Train & Test Set/compound/no_caption/set_1/test.txt": "00001.mp4 happiness_surprise\n",
    "data/clips/00001.mp4": Clip(scene=1),
    "data/clips/._00001.mp4": b"\x00\x05\x16\x07",
    "data/frames/00004/1.jpg": Picture(),
}


@dataclass
class _Clip:
    """Table data of one clip; ``where`` is the first line that names it."""

    where: str
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # set → labels as they stand
    captions: dict[str, str] = field(default_factory=dict)
    split: str | None = None
    folds: dict[str, str] = field(default_factory=dict)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the label files."""
    base = folder_of(root, CARD, _is_ours, "Labels/single_label.txt, or 'Train & Test Set/single'")
    clips: dict[str, _Clip] = {}
    for name, kind in (("single_label.txt", "single"), ("multi_label.txt", "compound")):
        path = find_file(base, name)
        yield from _labels(path, root, kind, clips) if path else (missing_file(name, CARD),)
    yield from _lists(base, root, clips)
    media = _media(base, root)
    for name, clip in clips.items():
        yield from _sample(name, clip, media, root)


def _is_ours(folder: Path) -> bool:
    lists = any((folder / place / "single").is_dir() for place in (".", "Train & Test Set"))
    labels = (folder / "single_label.txt").is_file() and lists
    return (
        labels
        or (folder / "Labels" / "single_label.txt").is_file()
        or (lists and _list_file(folder, "single", "1", "train") is not None)
    )


def _lines(path: Path, root: Path) -> Iterator[tuple[str, list[str]] | Rejection]:
    """Yield ``(file:line, fields)`` of a list with tabs, or with a blank where it has no descriptions."""
    encoding = None if is_lfs_pointer(path) or _is_utf8(path.read_bytes()) else "gb18030"
    for line in read_lines(path, root, encoding):
        if isinstance(line, Rejection):
            yield line
            continue
        fields = [part.strip() for part in (line[1].split("\t") if "\t" in line[1] else line[1].split(" ", 1))]
        if len(fields) > 1 and fields[0].endswith(".mp4") and fields[1]:
            yield line[0], fields
        elif line[1].strip():
            yield Rejection(line[0], "broken_row", line[0], line[1][:120])


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _labels(path: Path, root: Path, kind: str, clips: dict[str, _Clip]) -> Iterator[Rejection]:
    for line in _lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, fields = line
        name = fields[0].removesuffix(".mp4")
        clip = clips.setdefault(name, _Clip(where))
        if kind in clip.answers:
            yield Rejection(name, "duplicate_id", where)
            continue
        clip.answers[kind] = tuple(fields[1].split("_"))
        for space, words in zip(CAPTIONS, fields[2:4], strict=False):
            if words:
                clip.captions.setdefault(space.name, words)


def _lists(base: Path, root: Path, clips: dict[str, _Clip]) -> Iterator[Rejection]:
    for kind in SETS:
        for fold in FOLDS:
            for part, split in PARTS.items():
                path = _list_file(base, kind, fold, part)
                if path is None:
                    if fold == "1":
                        yield missing_file(f"{kind}/set_1/{part}.txt", CARD)
                    continue
                yield from _members(path, root, kind, fold, split, clips)


def _list_file(base: Path, kind: str, fold: str, part: str) -> Path | None:
    for place in ("Train & Test Set", "."):
        for captions in ("no_caption", "with_caption", "."):
            path = base / place / kind / captions / f"set_{fold}" / f"{part}.txt"
            if path.is_file():
                return path
    return None


def _members(path: Path, root: Path, kind: str, fold: str, split: str, clips: dict[str, _Clip]) -> Iterator[Rejection]:
    for line in _lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        clip = clips.setdefault(line[1][0].removesuffix(".mp4"), _Clip(line[0]))
        clip.answers.setdefault(kind, tuple(line[1][1].split("_")))
        if fold == "1" and clip.split is None:
            clip.split = split
        if split == TEST:
            clip.folds.setdefault(kind, fold)


def _media(base: Path, root: Path) -> tuple[Mapping[str, str], list[Path]]:
    places = [folder for folder in folders_below(base, 2) if folder.name in ("clips", "frames", "faces")]
    order = ("frames", "faces")
    frames = sorted((place for place in places if place.name in order), key=lambda place: order.index(place.name))
    return clips_below([place for place in places if place.name == "clips"], root), frames


def _sample(
    name: str, clip: _Clip, media: tuple[Mapping[str, str], list[Path]], root: Path
) -> Iterator[Sample | Rejection]:
    if clip.split is None:
        yield Rejection(name, "not_in_split", clip.where, "in no list of fold 1")
        return
    annotations = []
    for kind, labels in clip.answers.items():
        names = [SINGLE.resolve(label) for label in labels]
        emotions = tuple(emotion for emotion in EMOTIONS if emotion in names)
        if None in names or (kind == "single" and len(emotions) != 1):
            yield Rejection(name, "unknown_label", clip.where, "_".join(labels))
        elif kind == "single":
            annotations.append(Annotation(SINGLE.name, "annotators", emotions[0]))
        else:
            annotations.append(Annotation(COMPOUND.name, "annotators", emotions))
    annotations += [Annotation(space, "describer", words) for space, words in clip.captions.items()]
    if not annotations:
        return
    videos, frames = media
    folder = next((place / name for place in frames if os.path.isdir(place / name)), None)
    expected = bool(videos or frames)
    result = clip_or_frame(root, (name, clip.where), videos.get(name), folder, expected=expected, sound=True)
    yield from result.trouble
    folds = {("fold" if kind == "single" else "fold_compound"): fold for kind, fold in clip.folds.items()}
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=clip.split,
        annotations=tuple(annotations),
        source=clip.where,
        media=result.media,
        attributes={**result.facts, **folds},
    )
