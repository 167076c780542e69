"""FERV39k: 38,935 clips of faces in 22 scenes (interview, crime, school, war …), in seven emotions.

The lists in ``4_setups`` are called ``.csv`` but have neither header nor commas: ``Interview/Happy/0118 Happy``, the
folder of a clip and its emotion with a blank between. ``All_scenes/train_All.csv`` and ``test_All.csv`` list every
clip; each scene has lists of its own besides, which are read only where those are missing. A clip is a folder of
cropped faces below ``2_ClipsforFaceCrop``; numbers start again in each emotion of each scene, so the whole path is the
name of a clip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.faces._frames import clip_or_frame

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.media_files import Stems
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import (
    first_sight,
    folder_of,
    folders_below,
    inside,
    missing_file,
    read_lines,
    relative,
)
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("happiness", "sadness", "neutral", "anger", "surprise", "disgust", "fear")
SPACE = LabelSpace(
    "ferv39k_7",
    "category",
    EMOTIONS,
    source="Wang et al., FERV39k, CVPR 2022",
    aliases=aliases(*EMOTIONS),
)
PARTS = {"train": TRAIN, "test": TEST}
CARD = CorpusCard(
    name="ferv39k",
    title="FERV39k",
    citation="Wang, Sun, Huang, Liu, Gao, Zhang, Ge, Zhang: FERV39k: A Large-Scale Multi-Scene Dataset for Facial "
    "Expression Recognition in Videos. CVPR 2022",
    url="https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html",
    obtain="by application at https://wangyanckxx.github.io/Proj_CVPR2022_FERV39k.html (the archive has a password); "
    "4_setups/ and 2_ClipsforFaceCrop/ must lie beside each other",
    licence="FERV39k agreement (academic research only)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image", "video"),
    spaces=(SPACE,),
    raters={"annotators": "thirty crowd workers and professionals in several rounds, by majority"},
    counts={TRAIN: 31088, TEST: 7847},
    split_policy="official: train_All.csv and test_All.csv; there is no validation split",
    max_seconds=30.0,
    notes=(
        "The lists are separated by blanks and have no header, whatever their name says.",
        "Clips are frames of cropped faces without sound; the one in the middle is the medium, `frames` names the "
        "folder.",
        "The scene is in the attributes, for tests within and across scenes.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "4_setups/All_scenes/train_All.csv": "Interview/Happy/0001 Happy\nCrime/Angry/0001 Angry\r\nCrime/Angry/0001 Angry"
    "\nSchool/Sleepy/0007 Sleepy\n../../etc/0007 Sad\nno label\nSchool/Sad/0008 Sad\n",
    "4_setups/All_scenes/test_All.csv": "School/Fear/0002 Fear\n",
    "4_setups/Crime/train_Crime.csv": "Crime/Angry/0001 Angry\n",
    "2_ClipsforFaceCrop/Interview/Happy/0001/00001.jpg": Picture(),
    "2_ClipsforFaceCrop/Interview/Happy/0001/00002.jpg": Picture(),
    "2_ClipsforFaceCrop/Interview/Happy/0001/._00002.jpg": b"\x00\x05\x16\x07",
    "2_ClipsforFaceCrop/Crime/Angry/0001/00001.jpg": Picture(),
    "2_ClipsforFaceCrop/School/Fear/0002/00001.jpg": Picture(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip: the train list, then the test list."""
    base = folder_of(root, CARD, lambda folder: any(_lists(folder, part) for part in PARTS), "4_setups/All_scenes")
    crops: list[Path] | None = None
    films = Stems(FILMS)
    seen: set[str] = set()
    for part, split in PARTS.items():
        paths = _lists(base, part)
        if not (paths and paths[0].name == f"{part}_All.csv"):
            yield missing_file(f"{part}_All.csv", CARD)
        for path in paths:
            for line in read_lines(path, root):
                if isinstance(line, Rejection):
                    yield line
                    continue
                name, _, label = line[1].strip().replace("\\", "/").rpartition(" ")
                crops = _crop_folders(base, name) if crops is None else crops
                if line[1].strip():
                    yield from _sample(name.strip(), label, line[0], split, seen, crops, films, root)


def _lists(base: Path, part: str) -> list[Path]:
    """Return the list of all scenes, or those of every scene where it is missing."""
    for place in (base / "4_setups", base):
        for folder in (place / "All_scenes", place):
            if (folder / f"{part}_All.csv").is_file():
                return [folder / f"{part}_All.csv"]
    return sorted((base / "4_setups").glob(f"*/{part}_*.csv"))


def _crop_folders(base: Path, first: str) -> list[Path]:
    """Return the folders that have a folder for the scene of the first clip."""
    scene = first.partition("/")[0]
    return [folder for folder in folders_below(base, 1) if os.path.isdir(folder / scene) and folder.name != "4_setups"]


def _sample(
    name: str, label: str, where: str, split: str, seen: set[str], crops: list[Path], films: Stems, root: Path
) -> Iterator[Sample | Rejection]:
    parts = name.split("/")
    if not inside(name):
        yield Rejection(name or where, "unsafe_path" if name else "broken_row", where, "no path inside the corpus")
        return
    if len(parts) != 3:
        yield Rejection(where, "broken_row", where, "not scene/emotion/number")
        return
    if duplicate := first_sight(seen, name, where):
        yield duplicate
        return
    emotion = SPACE.resolve(label)
    if emotion is None:
        yield Rejection(name, "unknown_label", where, label)
        return
    frames = next((folder / name for folder in crops if os.path.isdir(folder / name)), None)
    files = (films.find((folder / name).parent, parts[-1]) for folder in crops)
    video = next((relative(path, root) for path in files if path), None)
    result = clip_or_frame(root, (name, where), video, frames, expected=bool(crops))
    yield from result.trouble
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=split,
        annotations=(Annotation(SPACE.name, "annotators", emotion),),
        source=where,
        media=result.media,
        attributes={"scene": parts[0], **result.facts},
    )
