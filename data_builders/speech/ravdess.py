"""RAVDESS: 24 professional actors speak and sing two sentences in eight emotions, filmed.

The name of a file is seven numbers: modality (01 picture and sound, 02 picture, 03 sound), channel (01 speech, 02
song), emotion, intensity, statement, repetition, actor. The three modalities of a performance are one recording
exported three times, so a performance is one sample here, with whichever of its files are on disk: a download of the
sound alone and one of everything give the same samples. Zenodo offers them as ``Audio_Speech_Actors_01-24.zip``,
``Audio_Song_Actors_01-24.zip``, ``Video_Speech_Actor_01.zip`` and so on; any nesting of those folders is read. The
copy on Kaggle holds a second ``audio_speech_actors_01-24/`` inside the first, which would count everything twice.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS, SOUNDS
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, is_lfs_pointer, list_media, relative
from affectllm.corpus.splits import by_speaker
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

CHANNELS = {"01": "speech", "02": "song"}
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
INTENSITIES = {"01": "normal", "02": "strong"}
STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
ACTORS = tuple(f"{number:02d}" for number in range(1, 25))
VALIDATION_ACTORS, TEST_ACTORS = ("09", "10", "21", "22"), ("11", "12", "23", "24")
SPLIT = by_speaker(
    train=[actor for actor in ACTORS if actor not in VALIDATION_ACTORS + TEST_ACTORS],
    validation=VALIDATION_ACTORS,
    test=TEST_ACTORS,
)
SPACE = LabelSpace(
    "ravdess_8",
    "category",
    tuple(EMOTIONS.values()),
    source="Livingstone and Russo, The Ryerson Audio-Visual Database of Emotional Speech and Song, PLoS ONE, 2018",
    aliases=aliases(*EMOTIONS.values()),
)
CARD = CorpusCard(
    name="ravdess",
    title="RAVDESS",
    citation="Livingstone, Russo: The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS). PLoS ONE "
    "13(5): e0196391, 2018",
    url="https://zenodo.org/record/1188976",
    obtain="the zip files of https://zenodo.org/record/1188976 , unpacked in one folder; any of them will do",
    licence="CC-BY-NC-SA-4.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en",),
    modalities=("audio", "video", "text"),
    spaces=(SPACE,),
    raters={"actor": "the emotion that the actor was asked to express"},
    counts={"train": 1620, "validation": 416, "test": 416},
    split_policy="ours, as there is no official one: by actor, women and men in each: test 11, 12, 23, 24; validation "
    "09, 10, 21, 22; train the other sixteen. The first half of the actors covers all splits",
    speaker_disjoint=True,
    max_seconds=10.0,
    notes=(
        "Counts are performances: 1,440 spoken and 1,012 sung (actor 18 does not sing), each in up to three files.",
        "Calm is an emotion of its own and is not merged with neutral; only speech has disgust and surprise.",
        "Neutral has no strong intensity.",
        "About a second of silence at both ends; sound is 48 kHz, a few files are stereo.",
        "Published records must name CC BY-NC-SA 4.0.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "Audio_Speech_Actors_01-24/Actor_01/03-01-05-01-02-01-01.wav": Tone(rate=48_000),
    "Audio_Speech_Actors_01-24/Actor_12/03-01-06-02-02-01-12.wav": Tone(rate=48_000, pitch=330),
    "Audio_Speech_Actors_01-24/audio_speech_actors_01-24/Actor_01/03-01-05-01-02-01-01.wav": Tone(rate=48_000),
    "Audio_Song_Actors_01-24/Actor_09/03-02-02-01-01-02-09.wav": Tone(rate=48_000),
    "Actor_12/01-01-06-02-02-01-12.mp4": Clip(),
    "Actor_12/02-01-06-02-02-01-12.mp4": Clip(sound=False),
    "Actor_12/02-01-01-01-02-01-12.mp4": Clip(sound=False),
    "Actor_12/01-01-09-01-02-01-12.mp4": Clip(),
    "Actor_12/notes.mp4": Clip(),
}
_NAME = re.compile(r"(?P<modality>\d\d)-(?P<performance>\d\d-\d\d-\d\d-\d\d-\d\d-(?P<actor>\d\d))")
_SUFFIXES = (*SOUNDS, *FILMS)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per performance, by channel, emotion, intensity, statement, repetition, actor."""
    folder_of(root, CARD, _has_recordings, "Actor_01/03-01-01-01-01-01-01.wav and so on, in any folder")
    performances: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in _files(root):
        where = relative(path, root)
        name = _NAME.fullmatch(path.stem)
        if name is None:
            yield Rejection(where, "unknown_name", where, "not seven numbers")
        elif first := performances[name["performance"]].get(name["modality"]):
            yield Rejection(where, "duplicate_file", where, f"{first} is used")
        elif is_lfs_pointer(path):
            yield Rejection(where, "lfs_pointer", where, "run `git lfs pull`")
        else:
            performances[name["performance"]][name["modality"]] = where
    for performance, files in sorted(performances.items()):
        if files:
            yield _sample(performance, files)


def _files(root: Path) -> Iterator[Path]:
    # The archives lie side by side or in each other, so there is no one folder of recordings. A folder without any is
    # somebody else's, and its files are not ours to reject.
    for folder in folders_below(root):
        if _has_recordings(folder):
            yield from list_media(folder, _SUFFIXES)


def _has_recordings(folder: Path) -> bool:
    return any(_NAME.fullmatch(path.stem) for path in list_media(folder, _SUFFIXES))


def _sample(performance: str, files: Mapping[str, str]) -> Sample | Rejection:
    channel, emotion, intensity, statement, repetition, actor = performance.split("-")
    source = files[max(files)]
    if not (channel in CHANNELS and intensity in INTENSITIES and statement in STATEMENTS and actor in SPLIT):
        return Rejection(performance, "unknown_name", source, "a number is outside the naming scheme")
    if emotion not in EMOTIONS:
        return Rejection(performance, "unknown_label", source, emotion)
    return Sample(
        id=performance,
        corpus=CARD.name,
        split=SPLIT[actor],
        annotations=(Annotation(SPACE.name, "actor", EMOTIONS[emotion]),),
        source=source,
        text=STATEMENTS[statement],
        language="en",
        speaker=actor,
        media=tuple(_media(files)),
        attributes={
            "channel": CHANNELS[channel],
            "intensity": INTENSITIES[intensity],
            "statement": statement,
            "repetition": repetition,
            "sex": "male" if int(actor) % 2 else "female",
            "sample_rate": "48000",
        },
    )


def _media(files: Mapping[str, str]) -> Iterator[MediaRef]:
    if video := files.get("01", files.get("02")):
        yield MediaRef(video, "video", sound="01" in files)
    if audio := files.get("03"):
        yield MediaRef(audio, "audio")
