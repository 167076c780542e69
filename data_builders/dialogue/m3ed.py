"""M3ED: 990 dialogues of 56 Chinese television series, every utterance judged by three people for seven emotions.

``annotation.json`` maps a series to its dialogues, a dialogue to its two speakers (name, age, gender) and its
utterances (``anjia_1_1``): who speaks, the words, start and end as ``hh:mm:ss:ff`` from the beginning of the dialogue,
the answer of each annotator (one emotion or several), all emotions that remain after discussion (``final_mul_emo``)
and the main one. Series are split in ``splitInfo/movie_list_train.txt`` and so on, so no series is in two splits.
Sounds are ``modality_speech/A_anjia_1_1.wav`` (speaker, utterance); clips of dialogues (``anjia_1.mp4``) are used in
parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import find_file, first_sight, folder_of, missing_file, read_lines
from affectllm.corpus.records.json_reading import read_json
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, aliases

LISTS = {"movie_list_train.txt": TRAIN, "movie_list_val.txt": VALIDATION, "movie_list_test.txt": TEST}
FPS = 25  # of Chinese television; the last field of a time counts frames
ANNOTATORS = range(1, 5)
SEVERAL = LabelSpace(
    "m3ed_emotions",
    "set",
    EKMAN_6_NEUTRAL.names,
    source="Zhao et al., M3ED: Multi-modal Multi-scene Multi-label Emotional Dialogue Database, ACL 2022",
    aliases=aliases(*EKMAN_6_NEUTRAL.names),
)
CARD = CorpusCard(
    name="m3ed",
    title="M3ED",
    citation="Zhao, Zhang, Hu, Liu, Jin, Wang, Li: M3ED: Multi-modal Multi-scene Multi-label Emotional Dialogue "
    "Database. ACL 2022",
    url="https://github.com/AIM3-RUC/RUCM3ED",
    obtain="annotation.json and splitInfo/ of https://github.com/AIM3-RUC/RUCM3ED ; the media on request, as it says",
    licence="research use; the words and clips are from television",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("zh",),
    modalities=("text", "audio", "video"),
    spaces=(EKMAN_6_NEUTRAL, SEVERAL),
    raters={
        "agreed": "the main emotion, and all emotions, on which the annotators agreed",
        **{f"annotator_{n}": f"annotator {n}, who saw the clip in its dialogue" for n in ANNOTATORS},
    },
    counts={TRAIN: 17427, VALIDATION: 2821, TEST: 4201},
    split_policy="official: by series, splitInfo/movie_list_train.txt, movie_list_val.txt and movie_list_test.txt",
    max_seconds=60.0,
    notes=(
        "Twelve of the 24,449 utterances have no sound.",
        "Times count frames, at 25 a second; they are those of the dialogue's own clip.",
        "The relations between speakers (relation_annotation_release.json) are not read.",
        "A speaker is a character of a series; an actor may play in several series.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "annotation.json": '{"anjia": {"anjia_1": {"SpeakerInfo": {"A": {"Name": "房", "Age": "mid", "Gender": "female"}, '
    '"B": {"Name": "朱"}},\n"Dialog": {"anjia_1_1": {"StartTime": "00:00:00:00", "EndTime": "00:00:00:10", "Text": '
    '"你先走", "Speaker": "A", "EmoAnnotation": {"EmoAnnotator1": "Anger", "EmoAnnotator2": "Anger,Disgust", '
    '"EmoAnnotator3": "Bored", "final_mul_emo": "Anger,Disgust", "final_main_emo": "Anger"}},\n"anjia_1_2": {'
    '"StartTime": "00:00:00:10", "EndTime": "00:00:00:12", "Text": "好", "Speaker": "B", "EmoAnnotation": {'
    '"final_main_emo": "Neutral", "final_mul_emo": "Neutral"}},\n'
    '"anjia_1_3": {"Text": "嗯", "Speaker": "A", "EmoAnnotation": {}}}}},\n'
    '"val": {"val_1": {"Dialog": {"val_1_1": {"Text": "啊", "Speaker": "A", "EmoAnnotation": {"final_main_emo": '
    '"Surprise"}}}}},\n"test": {"test_1": {"Dialog": {"test_1_1": {"Text": "呜", "Speaker": "B", "EmoAnnotation": '
    '{"final_main_emo": "Sad"}}}, "SpeakerInfo": {}}},\n"unlisted": {"unlisted_1": {"Dialog": {}}}}',
    "splitInfo/movie_list_train.txt": "anjia",
    "splitInfo/movie_list_val.txt": "val\r\n",
    "splitInfo/movie_list_test.txt": "test\n\n",
    "modality_speech/A_anjia_1_1.wav": Tone(),
    "modality_speech/B_test_1_9.wav": Tone(),
    "clips/anjia/anjia_1.mp4": Clip(),
}
_TIME = re.compile(r"(\d+):(\d+):(\d+):(\d+)")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, in the order of annotation.json."""
    base = folder_of(
        root, CARD, lambda folder: (folder / "annotation.json").is_file(), "annotation.json and splitInfo/"
    )
    splits: dict[str, str] = {}
    yield from _splits(base, root, splits)
    clips = Clips(base, root, lambda path: re.sub(r"^[A-Z]_", "", path.stem))
    yield from clips.odd()
    seen: set[str] = set()
    for item in read_json(base / "annotation.json", root):
        if isinstance(item, Rejection):
            yield item
        elif item.key not in splits:
            yield Rejection(item.key or item.where, "no_split", item.where, "in none of the lists of series")
        elif not isinstance(item.value, dict):
            yield Rejection(item.key, "broken_row", item.where, "a series without dialogues")
        else:
            for name, dialogue in item.value.items():
                yield from _dialogue(f"{item.key}/{name}", dialogue, item.where, splits[item.key], clips, seen)
    yield from clips.left()


def _looks_right(folder: Path) -> bool:
    return (folder / "annotation.json").is_file()


def _splits(base: Path, root: Path, splits: dict[str, str]) -> Iterator[Rejection]:
    for name, split in LISTS.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(f"splitInfo/{name}", CARD)
            continue
        for line in read_lines(path, root):
            if isinstance(line, Rejection):
                yield line
            elif line[1].strip() and splits.setdefault(line[1].strip(), split) != split:
                yield Rejection(line[1].strip(), "contradiction", line[0], "a series in two splits")


def _dialogue(
    name: str, dialogue: Any, where: str, split: str, clips: Clips, seen: set[str]
) -> Iterator[Sample | Rejection]:
    spoken = dialogue.get("Dialog") if isinstance(dialogue, dict) else None
    if not isinstance(spoken, dict):
        yield Rejection(name, "broken_row", where, "a dialogue without utterances")
        return
    listed = dialogue.get("SpeakerInfo")
    people: dict[str, Any] = listed if isinstance(listed, dict) else {}
    context: list[Turn] = []
    for key, utterance in sorted(spoken.items(), key=lambda item: _place(item[0])):
        if not isinstance(utterance, dict):
            yield Rejection(key, "broken_row", where, "an utterance that is no object")
            continue
        if again := first_sight(seen, key, where):
            yield again
            continue
        letter, text = str(utterance.get("Speaker") or "").strip(), str(utterance.get("Text") or "").strip()
        info = people.get(letter)
        person: dict[str, Any] = info if isinstance(info, dict) else {}
        who = f"{name.split('/')[0]}/{person['Name']}" if person.get("Name") else f"{name}/{letter or '?'}"
        answers: dict[tuple[str, str], Annotation] = {}
        yield from _answers(key, utterance.get("EmoAnnotation"), where, answers)
        media = _media(key, name, utterance, clips)
        if answers:
            yield from () if media else clips.missing(key, key, where)
            yield Sample(
                id=key,
                corpus=CARD.name,
                split=split,
                annotations=tuple(answers.values()),
                source=where,
                text=text or None,
                language="zh",
                speaker=who,
                dialogue=name,
                context=tuple(context),
                media=media,
                attributes={fact.lower(): str(person[fact]) for fact in ("Age", "Gender") if person.get(fact)},
            )
        else:
            yield Rejection(key, "no_annotation", where)
        context.append(Turn(who, text))


def _place(key: str) -> int:
    number = key.rpartition("_")[2]
    return int(number) if number.isdecimal() else 0


def _answers(key: str, by_field: Any, where: str, answers: dict[tuple[str, str], Annotation]) -> Iterator[Rejection]:
    """Add every annotator's emotions, and those agreed on; an unknown emotion is rejected alone."""
    for field, value in by_field.items() if isinstance(by_field, dict) else ():
        annotator = re.fullmatch(r"EmoAnnotator(\d+)", field)
        rater = f"annotator_{annotator[1]}" if annotator else "agreed"
        if not value or not (annotator or field in ("final_main_emo", "final_mul_emo")):
            continue
        listed = value if isinstance(value, list) else str(value).replace("，", ",").split(",")
        words = [str(word).strip() for word in listed if str(word).strip()]
        labels = {word: SEVERAL.resolve(word) for word in words}
        yield from (Rejection(key, "unknown_label", where, f"{field}: {word}") for word in words if not labels[word])
        emotions = tuple(dict.fromkeys(label for label in labels.values() if label))
        if rater not in CARD.raters:
            yield Rejection(key, "unknown_name", where, field)
        elif emotions and field == "final_main_emo":
            answers[EKMAN_6_NEUTRAL.name, rater] = Annotation(EKMAN_6_NEUTRAL.name, rater, emotions[0])
        elif emotions:
            answers[SEVERAL.name, rater] = Annotation(SEVERAL.name, rater, emotions)


def _media(key: str, name: str, utterance: Mapping[str, Any], clips: Clips) -> tuple[MediaRef, ...]:
    own = clips.media(key)
    start, end = (_seconds(str(utterance.get(field) or "")) for field in ("StartTime", "EndTime"))
    whole = clips.media(name.rpartition("/")[2], start, end) if end is not None and end > (start or 0) else ()
    has = {ref.modality for ref in own}
    return (*(ref for ref in whole if ref.modality == "video" and "video" not in has), *own)


def _seconds(time: str) -> float | None:
    parts = _TIME.fullmatch(time.strip())
    if parts is None:
        return None
    hours, minutes, seconds, frames = (int(part) for part in parts.groups())
    return round(hours * 3600 + minutes * 60 + seconds + frames / FPS, 3)
