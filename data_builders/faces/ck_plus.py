"""CK+, the extended Cohn-Kanade set: 593 sequences of 123 people whose faces move from neutral to a peak.

The original has ``cohn-kanade-images/S005/001/S005_001_00000001.png`` and on, ``Emotion/S005/001/…_emotion.txt`` with
a single number such as ``3.0000000e+00`` for the 327 sequences whose emotion is certain, and ``FACS/`` and
``Landmarks/`` in the same folders. The label is that of the last frame; the first shows a neutral face.

``CK+48``, which circulates, has the last three frames of each labelled sequence, 48 pixels wide, in class folders
(``anger/S010_004_00000017.png``), 981 pictures. It is read where the original is not there. Its three frames are one
moment, so whoever splits it by picture tests what was trained on: here it is split by person, like the original.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.faces._frames import picture_names

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import first_sight, folder_of, list_media, relative
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")  # 0 to 7
SPACE = LabelSpace(
    "ck_plus_8",
    "category",
    EMOTIONS,
    source="Lucey et al., The Extended Cohn-Kanade Dataset (CK+), CVPR workshops 2010",
    aliases=aliases(*EMOTIONS),
)
CARD = CorpusCard(
    name="ck_plus",
    title="CK+",
    citation="Lucey, Cohn, Kanade, Saragih, Ambadar, Matthews: The Extended Cohn-Kanade Dataset (CK+): A complete "
    "dataset for action unit and emotion-specified expression. CVPR Workshops 2010",
    url="https://www.jeffcohn.net/Resources/",
    obtain="by the user agreement at https://www.jeffcohn.net/Resources/ ; cohn-kanade-images/ and Emotion/ side by "
    "side. CK+48 (class folders) is read where these are not there",
    licence="CK+ user agreement (research only)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(SPACE,),
    raters={"facs": "the emotion that coders of facial actions and a check by the authors found certain"},
    counts={},
    total=327,
    split_policy="ours, as there is no official one: by a hash of the person, 80, 10 and 10 percent. The field "
    "uses ten folds by person",
    speaker_disjoint=True,
    notes=(
        "The picture is the last frame of a sequence; `frames` names its folder, `neutral_frame` the first picture.",
        "266 sequences have no emotion and are rejected as no_annotation.",
        "`action_units` are those of FACS with their intensities, as unit:intensity.",
        "In CK+48 every picture is a sample, 981; three of them are one sequence.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    **{
        f"cohn-kanade-images/S{person:03d}/001/S{person:03d}_001_0000000{frame}.png": Picture(300, 300)
        for person in (5, 10)
        for frame in (1, 2)
    },
    "cohn-kanade-images/S005/002/S005_002_00000001.png": Picture(300, 300),
    "cohn-kanade-images/S005/001/._S005_001_00000002.png": b"\x00\x05\x16\x07",
    "FACS/S005/001/S005_001_00000002_facs.txt": "   9.0000000e+00   0.0000000e+00\n   1.7000000e+01   2.0000000e+00\n",
    **{
        f"Emotion/S{person:03d}/001/S{person:03d}_001_00000002_emotion.txt": f"   {person % 8}.0000000e+00\n"
        for person in (5, 10, *range(50, 100))
    },
    "Emotion/S041/001/S041_001_00000002_emotion.txt": "   9.0000000e+00\n",
    "Emotion/S042/001/S042_001_00000002_emotion.txt": "sad\n",
}
_FRAME = re.compile(r"(S\d{3})_(\d{3})_(\d+)")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per labelled sequence, by person; of CK+48 one per picture, by emotion."""
    base = folder_of(root, CARD, _is_ours, "Emotion/S005/001 and cohn-kanade-images, or the class folders of CK+48")
    if (base / "Emotion").is_dir():
        yield from _original(base, root)
    else:
        yield from _class_folders(base, root)


def _is_ours(folder: Path) -> bool:
    return _people(folder / "Emotion") or any(
        _FRAME.fullmatch(path.stem)
        for emotion in ("anger", "Anger", "disgust", "Disgust")
        if (folder / emotion).is_dir()
        for path in list_media(folder / emotion, PICTURES)
    )


def _people(folder: Path) -> bool:
    return folder.is_dir() and any(re.fullmatch(r"S\d{3}", child.name) for child in folder.iterdir())


def _original(base: Path, root: Path) -> Iterator[Sample | Rejection]:
    images = next(
        (base / name for name in ("cohn-kanade-images", "extended-cohn-kanade-images") if (base / name).is_dir()), None
    )
    if images and (images / "cohn-kanade-images").is_dir():
        images = images / "cohn-kanade-images"
    labelled = set()
    for path in list_media(base / "Emotion", (".txt",), depth=2):
        name = _FRAME.match(path.stem)
        if name is None or not path.stem.endswith("_emotion"):
            yield Rejection(relative(path, root), "unknown_name", relative(path, root), "not person_sequence_frame")
            continue
        labelled.add((name[1], name[2]))
        yield from _sequence(path, name[1], name[2], images, base, root)
    for folder in sorted(images.glob("S*/*/")) if images else ():
        if (folder.parent.name, folder.name) not in labelled:
            where = relative(folder, root)
            yield Rejection(f"{folder.parent.name}/{folder.name}", "no_annotation", where, "no certain emotion")


def _sequence(
    path: Path, person: str, take: str, images: Path | None, base: Path, root: Path
) -> Iterator[Sample | Rejection]:
    where, identifier = relative(path, root), f"{person}/{take}"
    words = path.read_text(encoding="latin-1").split()
    value = number(words[0]) if words else None
    if value is None:
        yield Rejection(identifier, "broken_row", where, "no number")
        return
    if not 0 <= value < len(EMOTIONS) or value != int(value):
        yield Rejection(identifier, "unknown_label", where, words[0])
        return
    frames = images / person / take if images else None
    names = picture_names(frames) if frames and frames.is_dir() else []
    if images and not names:
        yield Rejection(identifier, "media_missing", where, "no frames")
    facts = {"action_units": units} if (units := _action_units(base, person, take)) else {}
    if frames and names:
        facts |= {"frames": relative(frames, root), "neutral_frame": relative(frames / names[0], root)}
    picture = relative(frames / names[-1], root) if frames and names else None
    if picture and (trouble := unusable(root, picture, identifier)):
        yield trouble
        picture = None
    peak = (MediaRef(picture, "image"),) if picture else ()
    yield _sample(identifier, person, EMOTIONS[int(value)], where, peak, facts)


def _action_units(base: Path, person: str, take: str) -> str:
    """Return the FACS action units with their intensities as ``9:0 17:2``; 0 where none was given."""
    rows = [
        line.split()
        for path in sorted((base / "FACS" / person / take).glob("S*_facs.txt"))
        for line in path.read_text(encoding="latin-1").splitlines()
    ]
    pairs = [(number(row[0]), number(row[1])) for row in rows if len(row) > 1]
    return " ".join(f"{unit:g}:{level:g}" for unit, level in pairs if unit is not None and level is not None)


def _class_folders(base: Path, root: Path) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    unknown: defaultdict[str, int] = defaultdict(int)
    for folder in sorted(child for child in base.iterdir() if child.is_dir() and not child.name.startswith(".")):
        emotion = SPACE.resolve(folder.name)
        for path in list_media(folder, PICTURES):
            name, where = _FRAME.fullmatch(path.stem), relative(path, root)
            if name is None or emotion is None:
                unknown[folder.name] += 1
                yield Rejection(where, "unknown_label" if name else "unknown_name", where, folder.name)
            elif duplicate := first_sight(seen, path.stem, where):
                yield duplicate
            elif trouble := unusable(root, where, path.stem):
                yield trouble
            else:
                facts = {"sequence": f"{name[1]}/{name[2]}", "release": "CK+48"}
                yield _sample(path.stem, name[1], emotion, where, (MediaRef(where, "image"),), facts)


def _sample(
    identifier: str, person: str, emotion: str, where: str, media: tuple[MediaRef, ...], facts: Mapping[str, str]
) -> Sample:
    return Sample(
        id=identifier,
        corpus=CARD.name,
        split=by_hash(person, salt=CARD.name),
        annotations=(Annotation(SPACE.name, "facs", emotion),),
        source=where,
        speaker=person,
        media=media,
        attributes=facts,
    )
