"""AffectNet: faces from the web, found by emotional search words and judged by hand in expression, valence, arousal.

The first release has ``training.csv`` with a header and ``validation.csv`` without one: path of the picture, box of
the face, 68 landmarks, expression as a number from 0 to 10, valence and arousal from -1 to 1, or -2 where there is no
face to judge. ``Automatically_annotated_file_list`` lists half a million more that a network judged. The mini release,
which is given out today, has only the eight emotions, in folders: ``train_set/images/12.jpg`` and
``train_set/annotations/12_exp.npy``, ``_val``, ``_aro``, ``_lnd``, each an array that holds one *string*.

Re-uploads in class folders number the emotions alphabetically; the numbers of the release are the ones below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import PICTURES
from affectllm.corpus.miniature import Content, Picture
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    is_lfs_pointer,
    list_media,
    media_path,
    read_delimited,
    relative,
)
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")  # 0 to 7
EXPRESSIONS = (*EMOTIONS, "none", "uncertain", "no face")
TABLES = {
    "training.csv": (TRAIN, "annotator"),
    "validation.csv": (VALIDATION, "annotator"),
    "automatically_annotated.csv": (TRAIN, "network"),
}
FOLDERS = {"train_set": TRAIN, "val_set": VALIDATION}
IMAGE_FOLDERS = ("Manually_Annotated_Images", "Automatically_Annotated_Images")
FIRST = "subDirectory_filePath"
_SOURCE = "Mollahosseini et al., AffectNet, IEEE Transactions on Affective Computing 10(1), 2019"
SPACE = LabelSpace("affectnet_11", "category", EXPRESSIONS, source=_SOURCE, aliases=aliases(*EMOTIONS))
VA = LabelSpace("affectnet_va", "dimension", ("valence", "arousal"), source=_SOURCE, bounds=(-1.0, 1.0))
CARD = CorpusCard(
    name="affectnet",
    title="AffectNet",
    citation="Mollahosseini, Hasani, Mahoor: AffectNet: A Database for Facial Expression, Valence, and Arousal "
    "Computing in the Wild. IEEE Transactions on Affective Computing 10(1), 2019",
    url="http://mohammadmahoor.com/affectnet/",
    obtain="by the agreement at http://mohammadmahoor.com/affectnet/ ; either train_set/ and val_set/, or "
    "training.csv, validation.csv and Manually_Annotated_Images/",
    licence="AffectNet agreement (non-commercial research)",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("image",),
    spaces=(SPACE, VA),
    raters={"annotator": "one of twelve trained annotators", "network": "a network trained on the others"},
    counts={TRAIN: 287651, VALIDATION: 3999},
    split_policy="official: train_set and val_set (or training.csv and validation.csv); test is not public",
    notes=(
        "The counts are those of the mini release; the first one has 414,799 and 5,500 rows, with none, uncertain and "
        "no face.",
        "The numbers are not alphabetical: 0 neutral, 1 happiness, 2 sadness, 3 surprise, 4 fear, 5 disgust, 6 anger, "
        "7 contempt.",
        "Valence and arousal of -2 mean that there are none.",
        "The validation pictures are balanced over the emotions, those of training are not.",
        "Where both forms are there, the tables are read.",
    ),
)


def _text_array(value: str) -> bytes:
    import io

    import numpy as np

    stream = io.BytesIO()
    np.save(stream, np.array(value))
    return stream.getvalue()


def _array(value: str) -> Callable[[], bytes]:
    return lambda: _text_array(value)


MINIATURE: Mapping[str, Content] = {
    "train_set/images/0.jpg": Picture(224, 224),
    "train_set/images/10.jpg": Picture(224, 224),
    "train_set/images/._10.jpg": b"\x00\x05\x16\x07",
    **{
        f"train_set/annotations/0_{part}.npy": _array(value)
        for part, value in (("exp", "1"), ("val", "0.78"), ("aro", "-0.1"))
    },
    **{
        f"train_set/annotations/10_{part}.npy": _array(value)
        for part, value in (("exp", "8"), ("val", "-2"), ("aro", "-2"))
    },
    "train_set/annotations/11_exp.npy": _array("17"),
    "train_set/annotations/12_exp.npy": b"no array",
    "train_set/annotations/13_exp.npy": _array("4"),
    "val_set/annotations/2_exp.npy": _array("6"),
    "val_set/annotations/2_val.npy": _array("-0.5"),
    "val_set/annotations/2_aro.npy": _array("0.5"),
    "val_set/images/2.jpg": Picture(224, 224),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per picture: by table and row, or by folder and number."""
    base = folder_of(root, CARD, _is_ours, "train_set/annotations, or training.csv and validation.csv")
    tables = {name: path for name in TABLES if (path := find_file(base, name))}
    seen: set[str] = set()
    for name, path in tables.items():
        yield from _table(path, name, base, root, seen)
    if not tables:
        for folder, split in FOLDERS.items():
            if (base / folder / "annotations").is_dir():
                yield from _arrays(base / folder, split, root)


def _is_ours(folder: Path) -> bool:
    return any((folder / name / "annotations").is_dir() for name in FOLDERS) or any(
        (folder / name).is_file() and _first_line(folder / name).count(",") >= 8 for name in TABLES
    )


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline(20_000)


def _table(path: Path, name: str, base: Path, root: Path, seen: set[str]) -> Iterator[Sample | Rejection]:
    split, rater = TABLES[name]
    folders = (base, *sorted(child for child in base.iterdir() if child.is_dir()))
    places = [folder / inner for folder in folders for inner in IMAGE_FOLDERS if (folder / inner).is_dir()]
    for line in read_delimited(path, root, ",", width=9):
        if isinstance(line, Rejection):
            yield line
            continue
        where, fields = line[0], [field.strip() for field in line[1]]
        if fields[0] == FIRST:
            continue
        if duplicate := first_sight(seen, fields[0], where):
            yield duplicate
            continue
        image = _picture(fields[0], places, root, where) if places else None
        facts = {"face": ",".join(fields[1:5])}
        yield from _sample(fields[0], split, rater, fields[-3:], where, image, facts)


def _picture(named: str, places: list[Path], root: Path, where: str) -> str | Rejection:
    tried = [media_path(place, root, named, where) for place in places]
    picture = next((path for path in tried if isinstance(path, str)), tried[0])
    if isinstance(picture, str) and is_lfs_pointer(root / picture):
        return Rejection(named, "lfs_pointer", picture, "run `git lfs pull`")
    return picture


def _arrays(folder: Path, split: str, root: Path) -> Iterator[Sample | Rejection]:
    pictures = (
        {path.stem: relative(path, root) for path in list_media(folder / "images", PICTURES)}
        if (folder / "images").is_dir()
        else {}
    )
    stems = [
        path.stem.removesuffix("_exp")
        for path in list_media(folder / "annotations", (".npy",))
        if path.stem.endswith("_exp")
    ]
    for stem in sorted(stems, key=lambda name: (len(name), name)):
        path = folder / "annotations" / f"{stem}_exp.npy"
        values = [_value(path.with_name(f"{stem}_{part}.npy")) for part in ("exp", "val", "aro")]
        identifier, where = f"{folder.name}/{stem}", relative(path, root)
        image: str | Rejection | None = pictures.get(stem)
        if image is None and pictures:
            image = Rejection(identifier, "media_missing", where)
        elif isinstance(image, str):
            image = unusable(root, image, identifier) or image
        yield from _sample(identifier, split, "annotator", values, where, image, {})


def _value(path: Path) -> str:
    """Return the one string in an array; "" where the file is missing or holds something else."""
    import numpy as np

    try:
        return str(np.load(path, allow_pickle=False).item())
    except (OSError, ValueError, EOFError):
        return ""


def _sample(
    identifier: str,
    split: str,
    rater: str,
    values: list[str],
    where: str,
    image: str | Rejection | None,
    facts: Mapping[str, str],
) -> Iterator[Sample | Rejection]:
    expression = number(values[0])
    axes = {name: number(value, -1.0, 1.0) for name, value in zip(VA.names, values[1:], strict=True)}
    judged = {name: value for name, value in axes.items() if value is not None}
    if expression is None:
        yield Rejection(identifier, "broken_row", where, f"no expression: {values[0][:40]!r}")
        return
    if not 0 <= expression < len(EXPRESSIONS) or expression != int(expression):
        yield Rejection(identifier, "unknown_label", where, values[0])
        return
    if isinstance(image, Rejection):
        yield image
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(SPACE.name, rater, EXPRESSIONS[int(expression)]),
            *((Annotation(VA.name, rater, judged),) if judged else ()),
        ),
        source=where,
        media=(MediaRef(image, "image"),) if isinstance(image, str) else (),
        attributes=facts,
    )
