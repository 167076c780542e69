"""EMER: what people saw and heard in clips of MER2023, and which emotions they conclude from it, in sentences.

Explainable Multimodal Emotion Reasoning asks for a reason, not for a class: annotators noted the clues in face, voice
and words, and a text weighs them. Two releases: 100 clips in English and Chinese (``dataset-v1/gt-eng.csv`` and
``gt-chi.csv``: names, emotions, subtitles, reasons) and 332 longer texts (``dataset-v2/final-EMER-reason.csv``: name,
chinese, english). Both are kept, each under its rater. The tables are proper csv with line breaks inside quotes. The
clips are those of MER2023 and come under its agreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video import _mer

from affectllm.corpus import TEST, CorpusCard, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import find_file, first_sight, folder_of, folders_below
from affectllm.corpus.tables import read_table
from affectllm.labels import LabelSpace

FIRST = {"gt-eng.csv": "english", "gt-chi.csv": "chinese"}
SECOND = "final-EMER-reason.csv"
_SOURCE = "Lian et al., Explainable Multimodal Emotion Reasoning, arXiv:2306.15401, 2023"
OPEN = {tongue: LabelSpace(f"emer_openset_{tongue}", "open", (), source=_SOURCE) for tongue in ("english", "chinese")}
REASON = {tongue: LabelSpace(f"emer_reason_{tongue}", "open", (), source=_SOURCE) for tongue in OPEN}
CARD = CorpusCard(
    name="emer",
    title="EMER",
    citation="Lian, Sun, Xu, Gu, Sun, Zhang, Chen, Liu, Tao: Explainable Multimodal Emotion Recognition. "
    "arXiv:2306.15401, 2023",
    url="https://github.com/zeroQiaoba/AffectGPT",
    obtain="the folder EMER of https://github.com/zeroQiaoba/AffectGPT (dataset-v1/, dataset-v2/); clips by the "
    "agreement of MER2023",
    licence="MER end user licence agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("zh", "en"),
    modalities=("text", "video", "audio"),
    spaces=(*OPEN.values(), *REASON.values()),
    raters={
        "first_release": "annotators of the 100 clips of 2023",
        "second_release": "annotators of the 332 clips, with a language model that joined their clues",
    },
    counts={TEST: 332},
    split_policy="ours, as there is none: all of it is test, as its authors use it",
    max_seconds=60.0,
    built_from=("mer2023",),
    notes=(
        "The first release alone has 100 clips; where it holds clips that the second lacks, there are more than 332.",
        "A text is about 1,300 characters long.",
        "Clips are of MER2023; OV-MERD labels the same ones.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "EMER/dataset-v1/gt-eng.csv": "names,emotions,subtitles,reasons\nsample_00000061,\"['Surprised', 'happy']\",Is "
    'that you?,"Her eyes widen.\nHer voice ""jumps""."\nsample_00000062,sad,,\nsample_00000062,sad,,\ntorn,\n',
    "EMER/dataset-v1/gt-chi.csv": "names,emotions,subtitles,reasons\n"
    "sample_00000061,惊讶，开心,是你吗,她睁大了眼睛。\n",
    "EMER/dataset-v2/final-EMER-reason.csv": 'name,chinese,english\nsample_00000061,画面中她很惊讶。,"In the '
    'picture, she is surprised."\nsample_00000063,他叹气。,He sighs.\nsample_00000064,,\n',
    "EMER/video/sample_00000061.avi": Clip(),
    "EMER/audio/sample_00000061.wav": Tone(),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of the first release, then of the second."""
    base = folder_of(root, CARD, _looks_right, f"dataset-v1/gt-eng.csv or dataset-v2/{SECOND}")
    entries: _mer.Entries = {}
    for name, tongue in FIRST.items():
        if path := find_file(base, name):
            yield from _first(path, root, tongue, entries)
    if path := find_file(base, SECOND):
        yield from _second(path, root, entries)
    yield from _mer.samples(CARD, entries, base, root)


def _looks_right(folder: Path) -> bool:
    places = [place for place in folders_below(folder, 1) if place == folder or "dataset-v" in place.name.lower()]
    return any((place / name).is_file() for place in places for name in (*FIRST, SECOND))


def _first(path: Path, root: Path, tongue: str, entries: _mer.Entries) -> Iterator[Rejection]:
    seen: set[str] = set()
    columns = {"names": ("name",), "emotions": ("emotion",), "subtitles": ("subtitle",), "reasons": ("reason",)}
    for row in read_table(path, root, columns):
        if isinstance(row, Rejection):
            yield row
            continue
        name = _mer.stem(row["names"])
        if again := first_sight(seen, name, row.where):
            yield again
            continue
        entry = entries.setdefault(name, _mer.Entry(name, TEST, row.where))
        if named := _mer.words(_mer.filled(row["emotions"])):
            yield from entry.add(OPEN[tongue], "first_release", ", ".join(named))
        if reason := _mer.filled(row["reasons"]):
            yield from entry.add(REASON[tongue], "first_release", reason)
        entry.facts[tongue] = _mer.filled(row["subtitles"])


def _second(path: Path, root: Path, entries: _mer.Entries) -> Iterator[Rejection]:
    seen: set[str] = set()
    for row in read_table(
        path, root, {"name": ("names",), "chinese": (), "english": ()}, optional=("chinese", "english")
    ):
        if isinstance(row, Rejection):
            yield row
            continue
        name = _mer.stem(row["name"])
        if again := first_sight(seen, name, row.where):
            yield again
            continue
        entry = entries.setdefault(name, _mer.Entry(name, TEST, row.where))
        for tongue, space in REASON.items():
            if text := _mer.filled(row.fields.get(tongue, "")):
                yield from entry.add(space, "second_release", text)
