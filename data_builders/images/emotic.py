"""EMOTIC: 34,320 people in 23,571 pictures of scenes, judged in context: 26 emotions, valence, arousal, dominance.

``Annotations/Annotations.mat`` holds three structs, train, val and test. An element is a picture: file name, folder
(``mscoco/images``, ``framesdb/images``, ``emodb_small/images``, ``ade20k/images``), size, the database it came from,
and its people. A person has a box, emotions, three numbers from 1 to 10, gender and age. In train one annotator judged
a person; in val and test several did, and the release gives each of them and a combination. The order of the fields
differs between the structs, so they are read by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import find_file, folder_of, is_lfs_pointer, media_path, relative
from affectllm.corpus.tables import number
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = (
    *("affection", "anger", "annoyance", "anticipation", "aversion", "confidence", "disapproval", "disconnection"),
    *("disquietment", "doubt/confusion", "embarrassment", "engagement", "esteem", "excitement", "fatigue", "fear"),
    *("happiness", "pain", "peace", "pleasure", "sadness", "sensitivity", "suffering", "surprise", "sympathy"),
    "yearning",
)
AXES = ("valence", "arousal", "dominance")
PARTS = {"train": TRAIN, "val": VALIDATION, "test": TEST}
MOST_RATERS = 12
_SOURCE = "Kosti et al., Context Based Emotion Recognition using EMOTIC Dataset, IEEE TPAMI 42(11), 2020"
_ALIASES = {**aliases(*EMOTIONS), "doubt": "doubt/confusion", "confusion": "doubt/confusion"}
SPACE = LabelSpace("emotic_26", "set", EMOTIONS, source=_SOURCE, aliases=_ALIASES)
VAD = LabelSpace("emotic_vad", "dimension", AXES, source=_SOURCE, bounds=(1.0, 10.0))
CARD = CorpusCard(
    name="emotic",
    title="EMOTIC",
    citation="Kosti, Alvarez, Recasens, Lapedriza: Context Based Emotion Recognition using EMOTIC Dataset. IEEE "
    "Transactions on Pattern Analysis and Machine Intelligence 42(11), 2020",
    url="http://sunai.uoc.edu/emotic/",
    obtain="by the form at http://sunai.uoc.edu/emotic/ ; Annotations/Annotations.mat and the folder emotic/ with the "
    "pictures side by side",
    licence="EMOTIC terms of use (non-commercial research)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(SPACE, VAD),
    raters={
        "combined": "train: the only annotator; val and test: the release's combination of all",
        **{f"annotator_{index}": f"annotator {index} of a person" for index in range(1, MOST_RATERS + 1)},
    },
    counts={},
    total=34320,
    split_policy="official: train, val and test of Annotations.mat. (about 70, 10 and 20 percent; the "
    "exact numbers are not published)",
    notes=(
        "A sample is a person: `box` (x1,y1,x2,y2 in pixels, cut to the picture) says which, as several may be there.",
        "Some people have no numbers (NaN); they keep their emotions.",
        "A set without emotions is kept: no annotator chose one.",
        "COCO's pictures are in other corpora too (Affection).",
    ),
)


def _struct(records: Sequence[Mapping[str, Any]]) -> Any:
    import numpy as np

    array = np.empty((1, len(records)), dtype=[(key, object) for key in records[0]])
    for index, record in enumerate(records):
        array[0, index] = tuple(record.values())
    return array


def _cells(words: list[str]) -> Any:
    import numpy as np

    array = np.empty((1, len(words)), dtype=object)
    array[0, :] = words
    return array


def _matrix() -> bytes:
    """Return Annotations.mat with one picture of two people in train, and one of one in val and test."""
    import io

    import numpy as np
    from scipy.io import savemat

    def person(names: list[str], level: float, extra: bool) -> dict[str, Any]:
        axes = {"valence": level, "arousal": 5, "dominance": 6}
        one = {
            "annotations_categories": _struct([{"categories": _cells(names)}]),
            "annotations_continuous": _struct([axes]),
        }
        box = {"body_bbox": np.array([-4, 2, 70, 60])}
        who = {"gender": "Female", "age": "Adult"}
        if not extra:
            return {**box, **one, **who}
        several = [{"categories": _cells(words)} for words in (names, ["Fear"])]
        return {
            **box,
            "annotations_categories": _struct(several),
            "combined_categories": _cells([*names, "Fear"]),
            "annotations_continuous": _struct([axes, {**axes, "valence": 3}]),
            "combined_continuous": _struct([{**axes, "valence": (level + 3) / 2}]),
            **who,
        }

    def picture(name: str, people: list[Mapping[str, Any]]) -> dict[str, Any]:
        size = _struct([{"n_col": 64, "n_row": 64}])
        database = _struct([{"name": "mscoco", "info": "x"}])
        return {
            "filename": name,
            "folder": "mscoco/images",
            "image_size": size,
            "original_database": database,
            "person": _struct(list(people)),
        }

    content = {
        "train": _struct(
            [
                picture("a.jpg", [person(["Peace", "Doubt/Confusion"], 7, False), person(["Joyride"], np.nan, False)]),
                picture("../a.jpg", [person(["Anger"], 2, False)]),
            ]
        ),
        "val": _struct([picture("b.jpg", [person(["Esteem"], 4, True)])]),
        "test": _struct([picture("c.jpg", [person(["Pain"], 2, True)])]),
    }
    stream = io.BytesIO()
    savemat(stream, content)
    return stream.getvalue()


MINIATURE: Mapping[str, Content] = {
    "Annotations/Annotations.mat": _matrix,
    "emotic/mscoco/images/a.jpg": Picture(),
    "emotic/mscoco/images/._a.jpg": b"\x00\x05\x16\x07",
    "emotic/mscoco/images/c.jpg": Picture(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per person, in the order of the structs."""
    base = folder_of(root, CARD, lambda folder: _file(folder) is not None, "Annotations/Annotations.mat")
    path = _file(base)
    if path is None:
        return
    images = next((base / name for name in ("emotic", "images", ".") if (base / name / "mscoco").is_dir()), None)
    where = relative(path, root)
    content = _load(path, where)
    for part, split in PARTS.items():
        pictures = _list(content.pop(part, []))
        if not pictures:
            yield Rejection(part, "file_missing", where, f"there is no struct called {part}")
        for picture in pictures:
            yield from _people(picture, split, part, images, root, where)


def _file(folder: Path) -> Path | None:
    places = (folder / "Annotations" / "Annotations.mat", folder / "Annotations.mat")
    return next((path for path in places if path.is_file()), None) or (
        find_file(folder, "Annotations.mat") if (folder / "emotic").is_dir() else None
    )


def _load(path: Path, where: str) -> dict[str, Any]:
    """Load the structs as dictionaries and lists."""
    from scipy.io import loadmat

    if is_lfs_pointer(path):
        raise Malformed("the file is a Git LFS pointer, not the file itself", where=where, do="run `git lfs pull`")
    try:
        return dict(loadmat(path, simplify_cells=True))
    except (ValueError, TypeError, NotImplementedError, OSError, EOFError) as error:
        raise Malformed(f"no readable Matlab file ({error})", where=where, do="get the file again") from error


def _list(value: Any) -> list[Any]:
    """Return a list of a value that may be one, several (list or array), or nothing."""
    if isinstance(value, (dict, str)):
        return [value]
    return list(value) if hasattr(value, "__len__") else []


def _people(
    picture: Any, split: str, part: str, images: Path | None, root: Path, where: str
) -> Iterator[Sample | Rejection]:
    if not (isinstance(picture, dict) and picture.get("filename")):
        yield Rejection(part, "broken_row", where, "a picture without a name")
        return
    name = f"{picture.get('folder', '')}/{picture['filename']}"
    image = media_path(images, root, name, where) if images else None
    if isinstance(image, str) and is_lfs_pointer(root / image):
        image = Rejection(name, "lfs_pointer", image, "run `git lfs pull`")
    if isinstance(image, Rejection):
        yield image
        if image.reason == "unsafe_path":
            return
    for index, person in enumerate(_list(picture.get("person"))):
        identifier = f"{part}/{name}#{index}"
        answers = list(_answers(person)) if isinstance(person, dict) else []
        yield from (Rejection(identifier, "unknown_label", where, word) for word in answers if isinstance(word, str))
        annotations = tuple(answer for answer in answers if isinstance(answer, Annotation))
        if not annotations:
            yield Rejection(identifier, "no_annotation", where)
            continue
        yield Sample(
            id=identifier,
            corpus=CARD.name,
            split=split,
            annotations=annotations,
            source=where,
            media=(MediaRef(image, "image"),) if isinstance(image, str) else (),
            attributes=_facts(picture, person),
        )


def _answers(person: Mapping[str, Any]) -> Iterator[Annotation | str]:
    """Yield the answers of each annotator and their combination; a string is an emotion that is none of the 26."""
    categories = [_list(item.get("categories")) for item in _list(person.get("annotations_categories"))]
    numbers = _list(person.get("annotations_continuous"))
    alone = len(categories) <= 1 and "combined_categories" not in person
    combined = categories[0] if alone and categories else _list(person.get("combined_categories"))
    yield from _emotions("combined", combined)
    yield from _axes("combined", numbers[0] if alone and numbers else person.get("combined_continuous"))
    if alone:
        return
    for index, (words, axes) in enumerate(zip(categories, numbers, strict=False), 1):
        if index <= MOST_RATERS:
            yield from (answer for answer in _emotions(f"annotator_{index}", words) if isinstance(answer, Annotation))
            yield from _axes(f"annotator_{index}", axes)


def _emotions(rater: str, words: list[Any]) -> Iterator[Annotation | str]:
    names = {str(word): SPACE.resolve(str(word)) for word in words}
    yield from (word for word, name in names.items() if name is None)
    if None not in names.values():
        yield Annotation(SPACE.name, rater, tuple(name for name in EMOTIONS if name in names.values()))


def _axes(rater: str, value: Any) -> Iterator[Annotation]:
    levels = {axis: number(_plain(value.get(axis)), 1.0, 10.0) for axis in AXES} if isinstance(value, dict) else {}
    if judged := {axis: level for axis, level in levels.items() if level is not None}:
        yield Annotation(VAD.name, rater, judged)


def _plain(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _facts(picture: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, str]:
    size = picture.get("image_size")
    width, height = (size.get(key) for key in ("n_col", "n_row")) if isinstance(size, dict) else (None, None)
    box = [int(corner) for corner in _list(person.get("body_bbox")) if corner == corner]
    if len(box) == 4 and width and height:
        limits = (int(width), int(height)) * 2
        box = [min(max(corner, 0), limit) for corner, limit in zip(box, limits, strict=True)]
    database = picture.get("original_database")
    facts = {
        "box": ",".join(map(str, box)) if len(box) == 4 else "",
        "size": f"{width}x{height}" if width and height else "",
        "database": str(database.get("name", "")) if isinstance(database, dict) else "",
        "gender": str(person.get("gender", "")),
        "age": str(person.get("age", "")),
    }
    return {name: fact for name, fact in facts.items() if fact and not fact.startswith("[")}
