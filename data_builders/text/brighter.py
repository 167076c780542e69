"""BRIGHTER: short texts in 28 languages, with the emotions that readers think most people see in their writers.

The data of SemEval-2025 task 11. Track A says which of anger, disgust, fear, joy, sadness and surprise are there (0 or
1 in a column each); track B, for eleven of the languages, how strongly (0 to 3). Each track has a folder with train,
dev and test, and in these a csv file a language, under three or four letters that are mostly ISO 639-3 (``deu``,
``chn``, ``ptbr``). Track C asks what track A does of 32 languages, of models that were not trained on the language, and
so has dev and test only. English has no disgust and Afrikaans no surprise: these columns are missing, so the two have
spaces of their own. A text of which no emotion holds has zeros only, which is an answer.

Labels of the English test file of track A are blank in some versions of the release, while those of track B are there
for the same number of texts; emotions of track B that are not 0 are therefore the set of a text too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Content
from affectllm.corpus.reading import Row, first_sight, folder_of, is_debris, is_lfs_pointer, missing_file, relative
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

_SOURCE = "Muhammad et al., BRIGHTER: BRIdging the Gap in Human-Annotated Textual Emotion Recognition Datasets, 2025"
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")


def _sets(name: str, without: str = "") -> LabelSpace:
    names = tuple(emotion for emotion in EMOTIONS if emotion != without)
    return LabelSpace(name, "set", names, source=_SOURCE, aliases=aliases(*names))


SPACE = _sets("brighter_6")
ENGLISH = _sets("brighter_5_without_disgust", "disgust")
AFRIKAANS = _sets("brighter_5_without_surprise", "surprise")
INTENSITY = LabelSpace(
    "brighter_intensity", "dimension", EMOTIONS, source=_SOURCE, aliases=aliases(*EMOTIONS), bounds=(0.0, 3.0)
)
# File name → BCP-47 tag.
LANGUAGES = {
    **{"afr": "af", "amh": "am", "arq": "arq", "ary": "ary", "chn": "zh", "deu": "de", "eng": "en", "esp": "es"},
    **{"hau": "ha", "hin": "hi", "ibo": "ig", "kin": "rw", "mar": "mr", "orm": "om", "pcm": "pcm", "ptbr": "pt-BR"},
    **{"ptmz": "pt-MZ", "ron": "ro", "rus": "ru", "som": "so", "sun": "su", "swa": "sw", "swe": "sv", "tat": "tt"},
    **{"tir": "ti", "ukr": "uk", "vmw": "vmw", "yor": "yo"},
}
# Tested in track C only: their texts were for models that trained on other languages.
UNTRAINED = {"ind": "id", "jav": "jv", "xho": "xh", "zul": "zu"}
TAGS = {**LANGUAGES, **UNTRAINED}
RATED = ("amh", "arq", "chn", "deu", "eng", "esp", "hau", "ptbr", "ron", "rus", "ukr")
TRACKS = {"a": tuple(LANGUAGES), "b": RATED, "c": tuple(TAGS)}
PARTS = {"train": TRAIN, "dev": VALIDATION, "test": TEST}
CARD = CorpusCard(
    name="brighter",
    title="BRIGHTER",
    citation="Muhammad et al.: BRIGHTER: BRIdging the Gap in Human-Annotated Textual Emotion Recognition Datasets for "
    "28 Languages. ACL 2025; SemEval-2025 Task 11",
    url="https://github.com/emotion-analysis-project/SemEval2025-Task11",
    obtain="git clone https://github.com/emotion-analysis-project/SemEval2025-Task11 ; "
    "task-dataset/semeval-2025-task11-dataset holds track_a and track_b",
    licence="CC-BY-4.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=tuple(TAGS.values()),
    modalities=("text",),
    spaces=(SPACE, ENGLISH, AFRIKAANS, INTENSITY),
    raters={"readers": "the aggregated answer of readers, who said what most people would think the writer feels"},
    counts={},
    split_policy="official: train, dev and test of each track and language",
    notes=(
        "The tracks have the same texts in many languages, under other ids: score one track at a time, as the "
        "attributes track and code (the name of the file) tell.",
        "The English test labels of track A are blank in some versions: rows without labels are rejected as "
        "no_annotation, and the sets of track B stand for them.",
        "Track B of Romanian has no train file, and track C none at all: its texts are for models that were not "
        "trained on the language.",
        "Counts are not asserted: they differ between versions of the repository.",
    ),
)
_A, _B = "id,text,anger,disgust,fear,joy,sadness,surprise\n", "id,text,anger,fear,joy,sadness,surprise\n"
_FOLDER = "task-dataset/semeval-2025-task11-dataset"
MINIATURE: Mapping[str, Content] = {
    f"{_FOLDER}/track_a/train/deu.csv": _A
    + 'deu_train_track_a_00001,"Ach, ""wunderbar"", der Zug ist weg.",1,0,0,0,1,0\n'
    + "deu_train_track_a_00002,Das Haus ist blau.,0,0,0,0,0,0\n"
    + "deu_train_track_a_00003,Hm.,2,0,0,0,0,0\n"
    + "deu_train_track_a_00004,Kurz\n",
    f"{_FOLDER}/track_a/train/ron_track1_test.csv": _A + "ron_1,Nimic.,0,0,0,0,0,0\n",
    f"{_FOLDER}/track_a/dev/afr.csv": "id,text,Anger,Disgust,Fear,Joy,Sadness\nafr_dev_track_a_1,Mooi so!,0,0,0,1,0\n",
    f"{_FOLDER}/track_a/test/eng.csv": _B + "eng_test_track_a_00001,It rang twice.,,,,,\n",
    f"{_FOLDER}/track_b/test/eng.csv": _B
    + "eng_test_track_b_00001,It rang twice.,0,2,0,0,1\n"
    + "eng_test_track_b_00002,It rang.,0,7,0,0,1\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per text of a track, in the order of tracks, languages and splits."""
    base = folder_of(root, CARD, _is_ours, f"{_FOLDER} with track_a and track_b")
    base = base if (base / "track_a").is_dir() or (base / "track_b").is_dir() else base / _FOLDER
    for track, languages in TRACKS.items():
        yield from _strange(base / f"track_{track}", root, languages)
        for code in languages:
            for part, split in PARTS.items():
                path = base / f"track_{track}" / part / f"{code}.csv"
                if path.is_file():
                    yield from _texts(path, root, track, code, split)
                elif (track, code, part) != ("b", "ron", "train") and (track, part) != ("c", "train"):
                    yield missing_file(f"track_{track}/{part}/{code}.csv", CARD)


def _is_ours(folder: Path) -> bool:
    names = [f"track_{track}/{part}" for track in TRACKS for part in PARTS]
    return any((folder / inner / name).is_dir() for inner in ("", _FOLDER) for name in names)


def _strange(folder: Path, root: Path, languages: tuple[str, ...]) -> Iterator[Rejection]:
    """Yield a rejection for each table that is of no language."""
    for path in sorted(folder.glob("*/*.csv")):
        if path.parent.name in PARTS and path.stem not in languages and not is_debris(path.name):
            yield Rejection(relative(path, root), "unknown_name", relative(path, root), "no language of the track")


def _texts(path: Path, root: Path, track: str, code: str, split: str) -> Iterator[Sample | Rejection]:
    name = relative(path, root)
    if is_lfs_pointer(path):
        yield Rejection(name, "lfs_pointer", name)
        return
    space = {"eng": ENGLISH, "afr": AFRIKAANS}.get(code, SPACE)
    missing = tuple(emotion for emotion in EMOTIONS if emotion not in space.names)
    seen: set[str] = set()
    for row in read_table(path, root, {"id": (), "text": (), **dict.fromkeys(EMOTIONS, ())}, optional=missing):
        yield row if isinstance(row, Rejection) else _text(row, space, track, code, split, seen)


def _text(row: Row, space: LabelSpace, track: str, code: str, split: str, seen: set[str]) -> Sample | Rejection:
    identifier, text = row["id"].strip(), row["text"].strip()
    cells = [row[emotion].strip() for emotion in space.names]
    values = [number(cell, 0, 3 if track == "b" else 1) for cell in cells]
    if not identifier or not text:
        return Rejection(row.where, "broken_row", row.where, "no id or no words")
    if not any(cells):
        return Rejection(identifier, "no_annotation", row.where)
    if any(value is None or value != int(value) for value in values):
        return Rejection(identifier, "unknown_label", row.where, " ".join(cells))
    rated = {name: value for name, value in zip(space.names, values, strict=True) if value is not None}
    answers = [Annotation(space.name, "readers", tuple(name for name, value in rated.items() if value))]
    if track == "b":
        answers.append(Annotation(INTENSITY.name, "readers", rated))
    return first_sight(seen, identifier, row.where) or Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(answers),
        source=row.where,
        text=text,
        language=TAGS[code],
        attributes={"track": track, "code": code},
    )
