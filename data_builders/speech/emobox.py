"""EmoBox: 32 corpora of emotional speech in 14 languages, with one shape of rows, label maps and folds for all.

The repository holds metadata only; every corpus is fetched from its own authors and unpacked below ``downloads/``, as
the rows name its files. ``data/emodb/fold_1/emodb_test_fold_1.jsonl`` lists the test side of a fold: ``{"key":
"emodb-16b10Td", "wav": "downloads/emodb/wav/16b10Td.wav", "emo": "sad", …}``; ``…_train_…`` and, of a few corpora,
``…_valid_…`` lie beside it. Where a list is published as ``.json`` only (a mapping key → row), that is read.
``label_map.json`` (of EMOVO ``label_dict.json``) maps ``emo`` to the classes, ``data.seg.wrd.stm`` knows the speakers.

What is tested by any fold is test here, with the number of its fold as ``fold``; what is in train lists only is train.
So all folds of a corpus can be scored together, and one of them by ``fold: {fold: 2}``. Lists of an older form lie in
the same folders (EMO-DB has every fold twice, ``fold1`` and ``fold_1``): they are counted and not read again. The four
balanced sets of the cross-corpus benchmark (``data/track2``) are the samples with the attribute ``cross``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.data_builders.speech._emobox import NO_EMOTION, PARTS, SHARED, Part

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import folder_of, is_lfs_pointer, media_path, missing_file, read_lines, relative
from affectllm.corpus.records.json_reading import Item, read_json
from affectllm.corpus.tables import number
from affectllm.labels import Annotation

SIDES = {"test": TEST, "valid": VALIDATION, "train": TRAIN}
MAPS = ("label_map.json", "label_dict.json")
CROSS = {"IEMOCAP": "iemocap", "MELD": "meld", "RAVDESS": "ravdess", "SAVEE": "savee"}
_SHARING = ", ".join(part.name for part in PARTS.values() if part.speakers == SHARED)
CARD = CorpusCard(
    name="emobox",
    title="EmoBox",
    citation="Ma, Chen, Zhang, Zheng, Chen, Li, Ye, Chen, Hain: EmoBox: Multilingual Multi-corpus Speech Emotion "
    "Recognition Toolkit and Benchmark. Interspeech 2024",
    url="https://github.com/emo-box/EmoBox",
    obtain="git clone https://github.com/emo-box/EmoBox for data/, and the recordings of the corpora from their own "
    "authors, below downloads/ as the rows name them; any of the corpora will do",
    licence="MIT (metadata); every corpus has a licence of its own",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("am", "bn", "de", "el", "en", "es", "fa", "fr", "it", "pl", "ru", "tr", "ur", "zh"),
    modalities=("audio", "video"),
    spaces=tuple(part.space for part in PARTS.values()),
    raters={"corpus": "the label of the corpus, acted or voted, in the classes of its label map"},
    counts={},
    split_policy="theirs: what a fold tests is test, official validation lists are validation, the rest is train",
    max_seconds=120.0,
    built_from=tuple(part.ours for part in PARTS.values() if part.ours),
    notes=(
        f"Speakers are in train and in test ({SHARED}: a random quarter of the rows is the test): {_SHARING}. The "
        "attribute speakers says it of every sample.",
        "The test parts hold speakers of other splits of the same corpora, ours among them: compare with leaks.",
        "Few corpora have validation lists, so published figures are likely of the best epoch on test.",
        "Of MSP-Podcast the rows without agreement and those called other, of ASVP-ESD breath and unknown, are no "
        "emotion and are rejected as no_emotion.",
        "The balanced set of MELD names dialogues without a split; they are those of train.",
        "Sounds of MELD and MER2023 are the tracks of their videos.",
    ),
)


def _row(part: str, name: str, emotion: str, **more: Any) -> dict[str, Any]:
    wav = {"wav": f"downloads/{part}/{name}.wav"}
    return {"key": f"{part}-{name}", "dataset": part, **wav, "type": "raw", "emo": emotion, "channel": 1, **more}


def _lines(*rows: Mapping[str, Any]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def _small(part: Part) -> dict[str, Content]:
    """Two rows that are tested and one that is not, of the first classes, with one recording of each."""
    folder, names = f"data/{part.name}", part.classes
    tested = [_row(part.name, f"a_{name}", name) for name in names[:2]]
    fold = f"{folder}/fold_1/{part.name}"
    speakers = "".join(f"{row['key']} 1 s1 0 1 <id={row['key']},lang=en,spk=s1,emotion=x> x\n" for row in tested)
    return {
        f"{fold}_test_fold_1.jsonl": _lines(*tested),
        f"{fold}_train_fold_1.jsonl": _lines(_row(part.name, "b", names[0])),
        f"{folder}/label_map.json": json.dumps({name: name.title() for name in names}),
        f"{folder}/data.seg.wrd.stm": speakers,
        **{f"downloads/{part.name}/a_{name}.wav": Tone(0.1) for name in names[:2]},
    }


_FOLD = "data/emodb/fold_1/emodb_{}.jsonl"
_OLDER = {"key": "emodb-a_anger", "dataset": "emodb", "audio": "downloads/emodb/a_anger.wav", "label": "anger"}
MINIATURE: Mapping[str, Content] = {
    **{path: content for part in PARTS.values() for path, content in _small(part).items()},
    _FOLD.format("test_fold1"): _lines(_OLDER),
    "data/emodb/label_map.json": '{"anger": "Angry", "boredem": "Boredom", "sad": "Sad"}',
    _FOLD.format("test_fold_1"): _lines(_row("emodb", "a_anger", "anger"), _row("emodb", "a_boredom", "boredem")),
    "data/emodb/fold_2/emodb_test_fold_2.jsonl": _lines(_row("emodb", "b", "anger"), _row("emodb", "c", "joyless")),
    "data/m3ed/fold_1/m3ed_valid_fold_1.json": json.dumps({"m3ed-v": {"wav": "downloads/m3ed/v.wav", "emo": "anger"}}),
    "data/mer2023/fold_1/mer2023_test3_fold_1.jsonl": _lines({"key": "mer2023-sample_1", "dataset": "mer2023"}),
    "data/msppodcast/fold_1/msppodcast_valid_fold_1.jsonl": _lines(_row("msppodcast", "x", "X")),
    "data/msppodcast/label_map.json": '{"anger": "Angry", "disgust": "Disgust", "X": "No-agreement"}',
    "data/pavoque/fold_1/pavoque_train_fold_1.jsonl": _lines(
        _row("pavoque", "b", "poker", wav="downloads/pavoque/a_anger.wav", start_time=0.02, end_time=0.08),
        _row("pavoque", "c", "poker", wav="../c.wav"),
    ),
    "data/track2/SAVEE_selected_balenced.jsonl": _lines(
        {"wav_filename": "KL/h13.wav", "label": "happy", "speaker": "KL"},
        {"wav_filename": "DC/h01.wav", "label": "happy", "speaker": "DC"},
    ),
    **{
        f"data/savee/fold_2/savee_{side}_fold_2.jsonl": _lines(
            _row("savee", "KL-h13", "happiness", wav="downloads/savee/KL_h13.wav")
        )
        for side in ("test", "train")
    },
    "downloads/savee/KL_h13.wav": Tone(0.1),
}
_LIST = re.compile(r"(?P<part>[a-z0-9]+)_(?P<side>test|valid|train)_fold_(?P<fold>\d+)")
_SPEAKER = re.compile(r"<id=(?P<key>[^,>]*),.*?spk=(?P<speaker>[^,>]*)")


@dataclass
class _Entry:
    """What the lists say of one recording."""

    row: Mapping[str, Any]
    where: str
    side: str
    fold: str


@dataclass
class _Corpus:
    """One of the corpora, with what is read of it beside its lists."""

    part: Part
    classes: Mapping[str, str]
    speakers: Mapping[str, str]
    cross: Mapping[str, str]
    entries: dict[str, _Entry] = field(default_factory=dict)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per recording that a list names, by corpus, fold and list: test, validation, train."""
    base = folder_of(root, CARD, _looks_right, "data/emodb/fold_1/emodb_test_fold_1.jsonl and so on")
    cross = {name: dict(_balanced(base, root, stem)) for stem, name in CROSS.items()}
    for part in PARTS.values():
        folder = base / "data" / part.name
        if not folder.is_dir():
            yield missing_file(f"data/{part.name}", CARD)
            continue
        speakers = dict(_speakers(folder, root))
        classes = _classes(folder, root)
        if not classes:
            yield missing_file(f"data/{part.name}/label_map.json", CARD)
        corpus = _Corpus(part, classes, speakers, cross.get(part.name, {}))
        yield from _lists(folder, root, corpus)
        for key, entry in corpus.entries.items():
            yield from _sample(key, entry, corpus, base, root)
        for key in (key for key in corpus.cross if key not in corpus.entries):
            yield Rejection(f"{part.name}/{key}", "no_annotation", corpus.cross[key], "in no list of its corpus")


def _looks_right(folder: Path) -> bool:
    return any(any((folder / "data" / name).glob("fold_*")) for name in PARTS)


def _classes(folder: Path, root: Path) -> dict[str, str]:
    path = next((folder / name for name in MAPS if (folder / name).is_file()), None)
    items = [item for item in read_json(path, root) if isinstance(item, Item)] if path else []
    return {item.key: str(item.value) for item in items}


def _speakers(folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    path = folder / "data.seg.wrd.stm"
    for line in read_lines(path, root) if path.is_file() else ():
        if not isinstance(line, Rejection) and (match := _SPEAKER.search(line[1])):
            yield match["key"], match["speaker"]


def _balanced(base: Path, root: Path, stem: str) -> Iterator[tuple[str, str]]:
    """Yield the keys of a balanced set, with the place of each."""
    path = base / "data" / "track2" / f"{stem}_selected_balenced.jsonl"
    for item in read_json(path, root) if path.is_file() else ():
        if isinstance(item, Item) and isinstance(item.value, dict):
            name = Path(str(item.value.get("wav_filename") or ""))
            spoken = f"{name.parent.name}-{name.stem}" if stem == "SAVEE" else name.stem
            yield f"{CROSS[stem]}-{spoken}{'-train' if stem == 'MELD' else ''}", item.where


def _lists(folder: Path, root: Path, corpus: _Corpus) -> Iterator[Rejection]:
    """Read the lists into ``entries``; tested rows first, so that no list of another fold makes them train."""
    lists: list[tuple[int, int, Path]] = []
    for path in sorted(folder.glob("fold_*/*.json*")):
        if path.name.startswith("."):  # what an operating system leaves beside it
            continue
        name = _LIST.fullmatch(path.stem)
        if name is None or name["part"] != corpus.part.name:
            where = relative(path, root)
            yield Rejection(where, "other_list", where, "no list of a fold in the form of the benchmark")
        elif path.suffix == ".jsonl" or not path.with_suffix(".jsonl").is_file():
            lists.append((list(SIDES).index(name["side"]), int(name["fold"]), path))
    for place, fold, path in sorted(lists):
        yield from _list(path, root, list(SIDES)[place], str(fold), corpus)


def _list(path: Path, root: Path, side: str, fold: str, corpus: _Corpus) -> Iterator[Rejection]:
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
            continue
        row = item.value if isinstance(item.value, dict) else {}
        key = str(row.get("key") or item.key or "")
        if not key or not isinstance(row.get("wav"), str):
            yield Rejection(key or item.where, "broken_row", item.where, "no key, or no file")
            continue
        first = corpus.entries.setdefault(key, _Entry(row, item.where, side, fold))
        if first.side == side == "test" and first.where != item.where:
            yield Rejection(f"{corpus.part.name}/{key}", "contradiction", item.where, f"fold {first.fold} tests it too")


def _sample(key: str, entry: _Entry, corpus: _Corpus, base: Path, root: Path) -> Iterator[Sample | Rejection]:
    part, identifier = corpus.part, f"{corpus.part.name}/{key}"
    word = str(entry.row.get("emo") or "")
    named = corpus.classes.get(word, word)
    emotion = part.space.resolve(named)
    if emotion is None:
        reason = "no_emotion" if named.strip().lower() in NO_EMOTION else "unknown_label"
        yield Rejection(identifier, reason, entry.where, word[:60])
        return
    media = _media(identifier, entry, base, root)
    if isinstance(media, Rejection):
        yield media
    speaker = corpus.speakers.get(key)
    tested = {"test": entry.fold, "train": TRAIN}.get(entry.side)
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=SIDES[entry.side],
        annotations=(Annotation(part.space.name, "corpus", emotion),),
        source=entry.where,
        language=_language(part, speaker),
        speaker=f"{part.name}/{speaker}" if speaker else None,
        media=(media,) if isinstance(media, MediaRef) else (),
        attributes={
            "dataset": part.name,
            "speakers": part.speakers,
            **({"fold": tested} if tested else {}),
            **({"cross": "balanced"} if key in corpus.cross else {}),
        },
    )


def _language(part: Part, speaker: str | None) -> str | None:
    if part.name == "esd" and speaker and speaker.isdecimal():
        return "zh" if int(speaker) <= 10 else "en"
    return None if part.language == "mul" else part.language


def _media(identifier: str, entry: _Entry, base: Path, root: Path) -> MediaRef | Rejection | None:
    """Return the recording; None where nothing of the corpus was downloaded."""
    named = str(entry.row["wav"])
    path = media_path(base, root, named, entry.where)
    if isinstance(path, Rejection):
        absent = path.reason == "media_missing" and not (base / "/".join(named.split("/")[:2])).is_dir()
        return None if absent else Rejection(identifier, path.reason, entry.where, named[:120])
    if is_lfs_pointer(root / path):
        return Rejection(identifier, "lfs_pointer", path, "run `git lfs pull`")
    start, end = (number(entry.row.get(name)) for name in ("start_time", "end_time"))
    film = Path(path).suffix.lower() in FILMS
    return MediaRef(path, "video" if film else "audio", sound=film, start=start if end else None, end=end or None)
