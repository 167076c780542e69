"""MER2023: clips of Chinese films and series in six emotions, the first of the MER challenges.

The challenge had a labelled part and three test sets: ``test1`` (MER-MULTI: emotion and valence), ``test2``
(MER-NOISE: the same, with noise added to sound and picture) and ``test3`` (MER-SEMI: emotion alone); the training part
of 73,000 clips without labels is no part of this. Tables are ``train-label.csv`` and ``test-labels/test1-label.csv`` …
with name, discrete emotion and valence from -5 to 5. Files are a mixture of ``.avi`` and ``.mp4``, so clips are found
by name. The preparation of MERTools (``label-6way.npz`` with numbers, ``transcription-engchi-polish.csv`` with the
words in Chinese and English) is read where the tables are missing, and the words always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mer

from affectllm.corpus import TEST, TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.label_archives import plain, read_labels
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import find_file, first_sight, folder_of, folders_below, missing_file
from affectllm.corpus.tables import number, read_table
from affectllm.labels import LabelSpace

TABLES = {"train-label.csv": "train", **{f"test{n}-label.csv": f"test{n}" for n in (1, 2, 3)}}
ARCHIVES = {"train_corpus": "train", **{f"test{n}_corpus": f"test{n}" for n in (1, 2, 3)}}
TRACKS = {"test1": "MER-MULTI", "test2": "MER-NOISE", "test3": "MER-SEMI"}
VALENCE = LabelSpace("mer2023_valence", "dimension", ("valence",), source=_mer.SOURCE, bounds=(-5.0, 5.0))
CARD = CorpusCard(
    name="mer2023",
    title="MER2023",
    citation="Lian, Sun, Sun, Chen, Xu, Wang, Xu, He, Li, Zhao, Liu, Liu, Yi, Wang, Cambria, Zhao, Schuller, Tao: MER "
    "2023: Multi-label Learning, Modality Robustness, and Semi-Supervised Learning. ACM Multimedia 2023",
    url="http://merchallenge.cn/mer2023",
    obtain="sign the agreement at http://merchallenge.cn ; mer2023train/, test1/, test2/, test3/ and test-labels/ lie "
    "in one folder",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("video", "audio", "text"),
    spaces=(_mer.MER_6, VALENCE),
    raters={"annotators": "the emotion on which most annotators agreed, and their mean valence"},
    counts={TRAIN: 3373, TEST: 1657},
    split_policy="official: train-label.csv is train; test1 (411), test2 (412) and test3 (834) are test, told apart by "
    "the attribute track",
    max_seconds=60.0,
    notes=(
        "MER-UniBench scores test1 alone, Emotion-LLaMA test3 alone: their numbers are not comparable.",
        "test3 has no valence; a valence of -10 in the npz file means none.",
        "Speech is Chinese; the English words are a translation and an attribute.",
        "Clips without a label (the unlabelled training part) are rejected as no_annotation.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "mer2023train/train-label.csv": "name,discrete,valence\nsample_00000000,angry,-3.2\nsample_00000001,worried,-1.0\n"
    "sample_00000002,bored,0.5\nsample_00000001,worried,-1.0\nsample_00000003,happy,9\n",
    "mer2023train/train/sample_00000000.avi": Clip(),
    "mer2023train/train/sample_00000001.mp4": Clip(),
    "test-labels/test1-label.csv": "name,discrete,valence\nsample_00000010,happy,2.25\n",
    "test-labels/test2-label.csv": "name,discrete,valence\nsample_00000020,neutral,\n",
    "test-labels/test3-label.csv": "name,discrete\nsample_00000030,surprise\nsample_00000031\n",
    "test1/sample_00000010.avi": Clip(),
    "test1/sample_00000010.wav": Tone(),
    "test3/sample_00000099.mp4": Clip(),
    "transcription-engchi-polish.csv": 'name,chinese,english\nsample_00000000,你别说了,"Stop, please."\n'
    "sample_00000010,nan,How nice!\n",
}
_LABELS = re.compile(r"mer2023.*|train|(test[-_]?)?labels?")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the tables: train, test1, test2, test3."""
    base = folder_of(root, CARD, _looks_right, "mer2023train/train-label.csv, test-labels/ or label-6way.npz")
    entries: _mer.Entries = {}
    tables = {name: find_file(base, name) for name in TABLES}
    npz = find_file(base, "label-6way.npz")
    if any(tables.values()) or npz is None:
        yield from (missing_file(name, CARD) for name, path in tables.items() if path is None)
    for name, path in tables.items():
        if path:
            yield from _table(path, root, TABLES[name], entries)
    if npz:
        yield from _archive(npz, root, entries)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    if "mer2024" in folder.name.lower() or "mer2025" in folder.name.lower():
        return False
    if (folder / "label-6way.npz").is_file():
        return True
    places = [place for place in folders_below(folder, 1) if place == folder or _LABELS.fullmatch(place.name.lower())]
    return any((place / name).is_file() for place in places for name in TABLES)


def _entry(name: str, subset: str, where: str, entries: _mer.Entries) -> _mer.Entry:
    facts = {"track": TRACKS[subset]} if subset in TRACKS else {}
    return entries.setdefault(name, _mer.Entry(name, TEST if subset in TRACKS else TRAIN, where, facts=facts))


def _table(path: Path, root: Path, subset: str, entries: _mer.Entries) -> Iterator[Rejection]:
    seen = set(entries)
    columns = {"name": (), "discrete": ("emotion", "label"), "valence": ()}
    for row in read_table(path, root, columns, optional=("valence",)):
        if isinstance(row, Rejection):
            yield row
            continue
        name = _mer.stem(row["name"])
        if again := first_sight(seen, name, row.where):
            yield again
            continue
        yield from _answers(
            _entry(name, subset, row.where, entries), row["discrete"], row.fields.get("valence", ""), row.where
        )


def _answers(entry: _mer.Entry, word: str, valence: object, where: str) -> Iterator[Rejection]:
    emotion = _mer.MER_6.resolve(word)
    if emotion is None:
        yield Rejection(entry.name, "unknown_label", where, word[:60])
    else:
        yield from entry.add(_mer.MER_6, "annotators", emotion)
    value = number(valence, *VALENCE.bounds or ())
    if value is not None:
        yield from entry.add(VALENCE, "annotators", {"valence": value})
    elif number(valence) not in (None, -10.0):
        yield Rejection(entry.name, "out_of_range", where, f"valence {valence}")


def _archive(path: Path, root: Path, entries: _mer.Entries) -> Iterator[Rejection]:
    for label in read_labels(path, root, ARCHIVES):
        if isinstance(label, Rejection):
            yield label
            continue
        entry = _entry(label.name, ARCHIVES[label.part], label.where, entries)
        emotion, valence = (plain(label.fields.get(key)) for key in ("emo", "val"))
        place = number(emotion)
        word = _mer.SIX[int(place or 0)] if place in range(len(_mer.SIX)) else str(emotion)
        yield from _answers(entry, word, valence, label.where)
