"""MER2024: the second MER challenge, with all labelled clips of the first to train on and open vocabularies to predict.

Its training part are the 5,030 labelled clips of MER2023, test sets included; its own test sets are MER-SEMI (1,169),
MER-NOISE (1,170) and MER-OV (332), whose answer is a list of any words. Every csv with a name and a discrete emotion
or an openset is read, and its file name says what it holds: ``reference-semi.csv``, ``reference-noise.csv``,
``check-openset.csv`` and whatever has ``test`` or ``ov`` in its name are tests, ``label-disc.csv`` and others are for
training (MERTools' ``label-6way.npz`` is read where no table has discrete emotions). An openset is a Python list in a
field (``"['angry', 'worry']"``). Clips are ``.mp4`` or ``.avi``; some have no picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mer

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.label_archives import plain, read_labels
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import find_file, first_sight, folder_of, list_media
from affectllm.corpus.tables import number, plain_name, read_table
from affectllm.labels import LabelSpace

TRACKS = {"semi": "MER-SEMI", "noise": "MER-NOISE", "openset": "MER-OV", "ov": "MER-OV", "test": "MER-SEMI"}
ARCHIVES = {"train_corpus": "", "test1_corpus": "MER-SEMI", "test2_corpus": "MER-NOISE"}
_SOURCE = "Lian et al., MER 2024: Semi-Supervised Learning, Noise Robustness, and Open-Vocabulary MER, MRAC 2024"
OPEN = LabelSpace("mer2024_openset", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="mer2024",
    title="MER2024",
    citation="Lian, Sun, Sun, Wen, Zhang, Chen, Gu, Zhao, Ma, Chen, Yi, Liu, Xu, Liu, Cambria, Zhao, Schuller, Tao: "
    "MER 2024: Semi-Supervised Learning, Noise Robustness, and Open-Vocabulary Multimodal Emotion Recognition. "
    "MRAC 2024",
    url="http://merchallenge.cn/mer2024",
    obtain="sign the agreement at http://merchallenge.cn ; the tables and the folders of clips lie in mer2024-dataset/",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("video", "audio", "text"),
    spaces=(_mer.MER_6, OPEN),
    raters={"annotators": "the emotion on which annotators agreed, or every word that they found fitting"},
    counts={TRAIN: 5030, TEST: 2671},
    split_policy="official: the training table is train; MER-SEMI, MER-NOISE and MER-OV are test, told apart by the "
    "attribute track; a clip that is in both is test",
    max_seconds=60.0,
    built_from=("mer2023",),
    notes=(
        "Train holds the test sets of MER2023: what is trained on MER2024 cannot be scored on MER2023.",
        "Clips of MER-OV may be labelled in the training table too; they are test here, so train can be smaller.",
        "An empty openset means neutral, as the official loader reads it.",
        "Some clips have no video stream.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "mer2024-dataset/label-disc.csv": "name,discrete\nsample_00000000,angry\nsamplenew_00000001,worried\n"
    "samplenew_00000002,joyless\nsamplenew_00000003,happy\n",
    "mer2024-dataset/reference-semi.csv": "name,discrete\nsamplenew3_00000010,sad\n",
    "mer2024-dataset/reference-noise.csv": "name,discrete\nsamplenew3_00000020,neutral\nsamplenew3_00000020,neutral\n",
    "mer2024-dataset/check-openset.csv": "name,openset\nsamplenew3_00000030,\"['Angry', 'worry', 'angry']\"\n"
    'samplenew_00000003,"[happy, ""relieved""]"\nsamplenew3_00000031,[]\n',
    "mer2024-dataset/video-labeled/sample_00000000.avi": Clip(),
    "mer2024-dataset/video-labeled/samplenew_00000001.mp4": Clip(),
    "mer2024-dataset/audio-labeled/sample_00000000.wav": Tone(),
    "mer2024-dataset/transcription-engchi-polish.csv": "name,chinese,english\nsample_00000000,出去,Out.\n",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the tables, which are read by name, training first."""
    base = folder_of(root, CARD, _looks_right, "label-disc.csv, reference-semi.csv … or label-6way.npz")
    entries: _mer.Entries = {}
    discrete = False
    for path, columns in sorted(_tables(base), key=lambda table: (bool(_track(table[0])), table[0])):
        discrete = discrete or "discrete" in columns
        yield from _table(path, root, columns, entries)
    npz = find_file(base, "label-6way.npz")
    if npz and not discrete:
        yield from _archive(npz, root, entries)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    if re.search(r"mer2023|mer2025", folder.name.lower()):
        return False
    places = (folder, *(folder / name for name in ("label", "labels", "test-labels")))
    return (folder / "label-6way.npz").is_file() or any(place.is_dir() and any(_tables(place, 0)) for place in places)


def _tables(base: Path, depth: int = 3) -> Iterator[tuple[Path, set[str]]]:
    """Yield tables with a name and an answer, and which answers they have; MER2025's and predictions are not ours."""
    for path in list_media(base, (".csv",), depth):
        if re.search(r"^track\d|predict|^(train|test\d)-label", path.name.lower()) and path.name != "train-label.csv":
            continue
        with path.open("rb") as stream:
            header = {plain_name(name) for name in stream.readline(200).decode("utf-8", "replace").split(",")}
        if "name" in header and header & {"discrete", "openset"}:
            yield path, header & {"discrete", "openset"}


def _track(path: Path) -> str:
    """Return the test set of a file, by its name; "" for the training part."""
    return next((track for word, track in TRACKS.items() if word in re.split(r"[^a-z]+", path.stem.lower())), "")


def _entry(name: str, track: str, where: str, entries: _mer.Entries) -> _mer.Entry:
    entry = entries.setdefault(name, _mer.Entry(name, TRAIN, where))
    if track:
        entry.split = TEST
        entry.facts.setdefault("track", track)
    return entry


def _table(path: Path, root: Path, answers: set[str], entries: _mer.Entries) -> Iterator[Rejection]:
    seen: set[str] = set()
    for row in read_table(path, root, {"name": (), **{answer: () for answer in answers}}):
        if isinstance(row, Rejection):
            yield row
            continue
        name = _mer.stem(row["name"])
        if again := first_sight(seen, name, row.where):
            yield again
            continue
        entry = _entry(name, _track(path), row.where, entries)
        if "openset" in answers:
            yield from _mer.open_words(entry, OPEN, "annotators", row["openset"])
        if "discrete" in answers:
            yield from _emotion(entry, row["discrete"], row.where)


def _emotion(entry: _mer.Entry, word: str, where: str) -> Iterator[Rejection]:
    if label := _mer.MER_6.resolve(word):
        yield from entry.add(_mer.MER_6, "annotators", label)
    else:
        yield Rejection(entry.name, "unknown_label", where, word[:60])


def _archive(path: Path, root: Path, entries: _mer.Entries) -> Iterator[Rejection]:
    for label in read_labels(path, root, ARCHIVES):
        if isinstance(label, Rejection):
            yield label
            continue
        entry = _entry(label.name, ARCHIVES[label.part], label.where, entries)
        emotion = plain(label.fields.get("emo"))
        place = number(emotion)
        word = _mer.SIX[int(place or 0)] if place in range(len(_mer.SIX)) else str(emotion)
        yield from _emotion(entry, word, label.where)
