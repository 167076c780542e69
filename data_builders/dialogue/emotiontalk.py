"""EmotionTalk: actors in pairs talk Mandarin, and every utterance is judged four times over.

Nineteen actors (numbered up to 21) held 742 improvised conversations. Annotators judged each of the 19,250 utterances
from the *words* alone, from the *voice* alone, from the *face* alone and from *all together*; the four verdicts differ
(41 % of the texts read neutral, 36 % of the whole), so each has its rater. Those who saw everything also placed it
between -2 (negative) and 2 (positive). A name like ``G00009_42_14_024`` is pair, conversation, speaker, utterance.

Two releases exist and are read together or alone. The repository has ``transcription.csv``, ``mm.csv``, ``video.csv``,
``audio.csv`` and npz files (``mm_label.npz`` …) with the official split and the emotions as numbers. Kaggle and the
Hub have one JSON a modality and utterance beside the clips (``Multimodal/…/G00009_42_14_024.json``): every annotator's
answer, their verdict, and for the voice captions of speaker, style, emotion and the whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample, Turn
from affectllm.corpus.files.clips import DEPTH, Clips
from affectllm.corpus.files.label_archives import Label, archive, plain, read_labels
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.panel import Panel, majority, mean
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    folders_below,
    is_lfs_pointer,
    list_media,
    missing_file,
    read_csv,
    relative,
)
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

BY_NUMBER = ("neutral", "happiness", "sadness", "anger", "surprise", "disgust", "fear")
PAIRS = {"G00001": VALIDATION, "G00012": VALIDATION, "G00003": TEST, "G00015": TEST}
PARTS = {"train_corpus": TRAIN, "val_corpus": VALIDATION, "test_corpus": TEST}
TABLES = {"transcription.csv": "text", "mm.csv": "multimodal", "video.csv": "video", "audio.csv": "audio"}
NPZ = {"mm_label.npz": "multimodal", "txt_label.npz": "text", "audio_label.npz": "audio", "video_label.npz": "video"}
SEEN = {"text": "read", "audio": "heard", "video": "saw", "multimodal": "saw, heard and read"}
ANNOTATORS = range(1, 6)
_SOURCE = "Sun et al., EmotionTalk: An Interactive Chinese Multimodal Emotion Dataset With Rich Annotations, 2025"
VALENCE = LabelSpace("emotiontalk_valence", "dimension", ("valence",), source=_SOURCE, bounds=(-2.0, 2.0))
_PARTS = ("speaker", "style", "emotion", "overall")
CAPTIONS = {part: LabelSpace(f"emotiontalk_caption_{part}", "open", (), source=_SOURCE) for part in _PARTS}
CARD = CorpusCard(
    name="emotiontalk",
    title="EmotionTalk",
    citation="Sun et al.: EmotionTalk: An Interactive Chinese Multimodal Emotion Dataset With Rich Annotations. "
    "arXiv:2505.23018, 2025",
    url="https://github.com/NKU-HLT/EmotionTalk",
    obtain="EmotionTalk/dataset/mm-process of https://github.com/NKU-HLT/EmotionTalk for the tables; clips and JSON "
    "from Kaggle or from BAAI/Emotiontalk on the Hugging Face Hub, unpacked beside them",
    licence="CC-BY-NC-SA-4.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("zh",),
    modalities=("text", "video", "audio"),
    spaces=(EKMAN_6_NEUTRAL, VALENCE, *CAPTIONS.values()),
    raters={
        **{way: f"the verdict of the annotators who {did} the utterance" for way, did in SEEN.items()},
        **{f"{way}_annotator_{n}": f"annotator {n} of those who {SEEN[way]} it" for way in SEEN for n in ANNOTATORS},
        "captioner": "who described the voice in a sentence",
    },
    counts={TRAIN: 15413, VALIDATION: 1908, TEST: 1929},
    panels=tuple(
        Panel(space.name, way, rule, of=tuple(f"{way}_annotator_{n}" for n in ANNOTATORS))
        for way in SEEN
        for space, rule in ((EKMAN_6_NEUTRAL, majority), (VALENCE, mean))
    ),
    split_policy="official: train, val and test of the npz files, which is by pair of actors (validation G00001 and "
    "G00012, test G00003 and G00015) and is used so where the npz files are absent",
    max_seconds=60.0,
    notes=(
        "Validation and test share the actors 02 and 13, in other pairs; train shares none with either.",
        "Transcripts mark overlapping speech ([over/] … [/over], some marks broken) and sounds ([laughing], [Sobbing], "
        "[interrupted] …): they are taken out of the words; the transcript as it was is an attribute.",
        "Subsets of four classes (mm_label4.npz …) are not read.",
    ),
)


_TRAIN, _ODD = "G00009/G00009_42/G00009_42_14/G00009_42_14_001", "G00009/G00009_42/G00009_42_12/G00009_42_12_002"
_VAL, _TEST = "G00001/G00001_03/G00001_03_02/G00001_03_02_007", "G00003/G00003_05/G00003_05_13/G00003_05_13_009"
MINIATURE: Mapping[str, Content] = {
    "transcription.csv": f"name,emotion,chinese\n{_TRAIN},fearful,[over/]你听[/over]我说[laughing]。\n"
    f"{_ODD},bored,好吧[/over/]。\n{_VAL},neutral,走吧。\n{_TEST},sad,[over]他哭了[Sobbing]。\n",
    "mm.csv": f"file_name,emotion\n{_TRAIN}.mp4,neutral\n{_ODD}.mp4,happy\n{_VAL}.mp4,angry\n{_TEST}.mp4,sad\n",
    "video.csv": f"file_name,emotion\n{_TRAIN}.mp4,neutral\n{_VAL}.mp4,disgusted\n",
    "audio.csv": f"file_name,emotion\n{_TRAIN}.wav,surprised\nnonsense.wav,sad",
    "mm_label.npz": lambda: archive(
        {
            "train_corpus": {"G00009_42_14_001": {"emo": 0, "val": -0.4}, "G00009_42_12_002": {"emo": 1, "val": 0.8}},
            "val_corpus": {"G00001_03_02_007": {"emo": 3, "val": -1.6}},
            "test_corpus": {"G00003_05_13_009": {"emo": 2, "val": -2.0}, "G00003_05_13_011": {"emo": 7, "val": -10}},
        }
    ),
    "Multimodal/json/" + _TRAIN + ".json": '{"data": [{"emotion": "neutral", "Confidence_degree": 8, "Continuous '
    'label": 0}, {"emotion": "happy", "Continuous label": -1}], "emotion_result": "neutral", "speaker_id": "14", '
    '"Continuous label_result": -0.4, "file_name": "G00009_42_14_001.mp4"}',
    "Audio/json/" + _TRAIN + ".json": '{"data": [{"emotion": "surprised"}], "emotion_result": "surprised", "sourceAttr"'
    ': {"speaker": "一个年轻女声", "style": "语速很快", "emotion": "有些惊讶", "overall": "年轻女声惊讶地说"}}',
    "Multimodal/mp4/" + _TRAIN + ".mp4": Clip(),
    "Audio/wav/" + _TRAIN + ".wav": Tone(),
    "Audio/wav/G00009/._G00009_42_14_001.wav": b"\x00\x05\x16\x07",
}
_NAME = re.compile(r"G\d{5}_\d+_\d+_\d+")
_SUFFIX = re.compile(r"\.\w+$")
_SOUND = re.compile(r"\[([A-Za-z]+)\]")
_MARK = re.compile(r"\[{0,2}/?over/?\]?|[\[\]]")


@dataclass(slots=True)
class _Utterance:
    """The data of all files on one utterance."""

    where: str
    split: str
    text: str = ""
    answers: dict[tuple[str, str], Annotation] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)

    def add(self, answer: Annotation) -> bool:
        """Keep an answer; False where a different one was given before."""
        first = self.answers.setdefault((answer.space, answer.rater), answer)
        return first is answer or first.value == answer.value


@dataclass
class _Dialogue:
    """The utterances of both speakers, in order: ``turns[i]`` at the (place, speaker) ``when[i]``."""

    when: list[tuple[int, str]] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)


_Utterances = dict[str, _Utterance]
_Words = dict[str, tuple[str, list[str]]]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, in the order of the tables; those only in JSON files come last, by name."""
    base = folder_of(root, CARD, _looks_right, "mm.csv, mm_label.npz … or Multimodal/, Audio/ …")
    utterances: _Utterances = {}
    tables = {name: find_file(base, name) for name in (*TABLES, *NPZ)}
    if any(tables.values()):
        yield from (missing_file(name, CARD) for name in TABLES if tables[name] is None)
    for name, way in {**TABLES, **NPZ}.items():
        if path := tables[name]:
            yield from (_npz if name in NPZ else _table)(path, root, way, utterances)
    for path in list_media(base, (".json",), DEPTH):
        yield from _json(path, root, utterances)
    clips = Clips(base, root, lambda path: path.stem if _NAME.fullmatch(path.stem) else None)
    yield from clips.odd()
    words = {name: _words(utterance.text) for name, utterance in utterances.items()}
    dialogues = _dialogues(words)
    for name, utterance in utterances.items():
        yield from _sample(name, utterance, clips, words[name], dialogues)
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    if any((folder / name).is_file() for name in ("mm_label.npz", "mm.csv")):
        return True
    ways = [place for way in SEEN for name in (way, way.title()) if (place := folder / name).is_dir()]
    return any(re.fullmatch(r"G\d{5}", below.name) for way in ways for below in folders_below(way, 2))


def _entry(name: str, where: str, utterances: _Utterances) -> _Utterance | Rejection:
    if entry := utterances.get(name):
        return entry
    if not _NAME.fullmatch(name):
        return Rejection(name, "unknown_name", where, "not pair, conversation, speaker, utterance")
    utterances[name] = _Utterance(where, PAIRS.get(name[:6], TRAIN))
    return utterances[name]


def _table(path: Path, root: Path, way: str, utterances: _Utterances) -> Iterator[Rejection]:
    column = "name" if way == "text" else "file_name"
    seen: set[str] = set()
    for row in read_csv(path, root, (column, "emotion", *(("chinese",) if way == "text" else ()))):
        if isinstance(row, Rejection):
            yield row
            continue
        name = _SUFFIX.sub("", row[column].strip().replace("\\", "/").rpartition("/")[2])
        entry = _entry(name, row.where, utterances)
        if isinstance(entry, Rejection):
            yield entry
        elif again := first_sight(seen, name, row.where):
            yield again
        else:
            entry.text = row["chinese"].strip() if way == "text" else entry.text
            yield from _emotion(entry, name, way, row["emotion"], row.where)


# A few answers are given a hundred thousand times: each is made once and shared.
@lru_cache(maxsize=4096)
def _verdict(rater: str, word: str) -> Annotation | None:
    label = EKMAN_6_NEUTRAL.resolve(word)
    return Annotation(EKMAN_6_NEUTRAL.name, rater, label) if label else None


@lru_cache(maxsize=4096)
def _valence(rater: str, valence: float) -> Annotation:
    return Annotation(VALENCE.name, rater, {"valence": valence + 0.0})  # -0.0 and 0.0 are one key of a cache


def _emotion(entry: _Utterance, name: str, rater: str, word: object, where: str) -> Iterator[Rejection]:
    answer = _verdict(rater, str(word))
    if answer is None:
        yield Rejection(name, "unknown_label", where, f"{rater}: {str(word)[:60]!r}")
    elif not entry.add(answer):
        yield Rejection(name, "contradiction", where, f"{rater}: {answer.value} here, something else before")


def _npz(path: Path, root: Path, way: str, utterances: _Utterances) -> Iterator[Rejection]:
    for label in read_labels(path, root, PARTS):
        if isinstance(label, Rejection):
            yield label
            continue
        entry = _entry(label.name, label.where, utterances)
        if isinstance(entry, Rejection):
            yield entry
        else:
            entry.split = PARTS[label.part]
            yield from _numbers(entry, way, label)


def _numbers(entry: _Utterance, way: str, label: Label) -> Iterator[Rejection]:
    emotion, valence = number(plain(label.fields.get("emo"))), number(plain(label.fields.get("val")))
    word = BY_NUMBER[int(emotion or 0)] if emotion in range(len(BY_NUMBER)) else f"emo {emotion}"
    yield from _emotion(entry, label.name, way, word, label.where)
    if valence is not None and -2 <= valence <= 2 and not entry.add(_valence(way, valence)):
        yield Rejection(label.name, "contradiction", label.where, f"{way}: valence {valence}, and another one")


def _json(path: Path, root: Path, utterances: _Utterances) -> Iterator[Rejection]:
    where = relative(path, root)
    way = next((way for way in SEEN if way in where.lower().split("/")), "")
    entry = _entry(path.stem if way else where, where, utterances)
    if isinstance(entry, Rejection) or is_lfs_pointer(path):
        yield entry if isinstance(entry, Rejection) else Rejection(where, "lfs_pointer", where, "run `git lfs pull`")
        return
    items = list(read_json(path, root))
    yield from (item for item in items if isinstance(item, Rejection))
    content = {item.key: item.value for item in items if not isinstance(item, Rejection)}
    entry.text = entry.text or str(content.get("content") or "").strip()
    yield from _answer(entry, path.stem, way, content, where)
    yield from _votes(entry, path.stem, way, content.get("data"), where)
    captions = content.get("sourceAttr")
    for key, caption in captions.items() if isinstance(captions, dict) else ():
        part = next((part for part in CAPTIONS if part in key.lower()), None)
        if part and str(caption).strip():
            entry.add(Annotation(CAPTIONS[part].name, "captioner", str(caption).strip()))


def _votes(entry: _Utterance, name: str, way: str, votes: Any, where: str) -> Iterator[Rejection]:
    listed = list(votes.values()) if isinstance(votes, dict) else votes if isinstance(votes, list) else []
    for place, vote in enumerate(listed, 1):
        if place in ANNOTATORS:
            answer = vote if isinstance(vote, dict) else {"emotion": vote}
            yield from _answer(entry, name, f"{way}_annotator_{place}", answer, where)
        else:
            yield Rejection(name, "unknown_name", where, f"annotator {place}: five are known")


def _answer(entry: _Utterance, name: str, rater: str, fields: Mapping[str, Any], where: str) -> Iterator[Rejection]:
    """Add an answer or the joint verdict; keys vary in case and ending (``emotion``, ``emotion_result``)."""
    for key, value in fields.items():
        kind = key.lower()
        if kind.startswith("emotion"):
            yield from _emotion(entry, name, rater, value, where)
        elif kind.startswith("continuous"):
            valence = number(value, -2, 2)
            if valence is not None:
                entry.add(_valence(rater, valence))
        elif kind.startswith("confidence"):
            entry.facts[f"{rater}_confidence"] = str(value)


def _dialogues(words: _Words) -> dict[str, _Dialogue]:
    """Return conversation → its utterances in order, of both speakers."""
    spoken: defaultdict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for name, (text, _) in words.items():
        pair, conversation, speaker, place = name.split("_")
        if text:
            spoken[f"{pair}_{conversation}"].append((int(place), speaker, text))
    dialogues = {}
    for key, utterances in spoken.items():
        utterances.sort(key=lambda utterance: utterance[:2])
        turns = [Turn(speaker, text) for _, speaker, text in utterances]
        dialogues[key] = _Dialogue([(place, speaker) for place, speaker, _ in utterances], turns)
    return dialogues


def _words(transcript: str) -> tuple[str, list[str]]:
    """Return the words without marks, and the marked sounds."""
    sounds = [sound.lower() for sound in _SOUND.findall(transcript) if sound.lower() != "over"]
    return _MARK.sub("", _SOUND.sub("", transcript)).strip(), sounds


def _sample(
    name: str, utterance: _Utterance, clips: Clips, words: tuple[str, list[str]], dialogues: Mapping[str, _Dialogue]
) -> Iterator[Sample | Rejection]:
    media = clips.media(name)
    if not utterance.answers:
        yield Rejection(name, "no_annotation", utterance.where)
        return
    yield from clips.missing(name, name, utterance.where)
    pair, conversation, speaker, place = name.split("_")
    text, sounds = words
    facts = {"transcript": utterance.text if text != utterance.text else "", "sounds": ", ".join(sounds)}
    dialogue = dialogues.get(f"{pair}_{conversation}", _Dialogue())
    earlier = dialogue.turns[: bisect_left(dialogue.when, (int(place), speaker))]
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=utterance.split,
        annotations=tuple(utterance.answers.values()),
        source=utterance.where,
        text=text or None,
        language="zh",
        speaker=speaker,
        dialogue=f"{pair}_{conversation}",
        context=tuple(earlier),
        media=media,
        attributes={"pair": pair, **{key: value for key, value in facts.items() if value}, **utterance.facts},
    )
