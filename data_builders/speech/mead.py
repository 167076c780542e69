"""MEAD: 48 actors speak in eight emotions at three strengths, filmed from seven sides.

Each actor has a folder (``M003`` is a man, ``W009`` a woman) with ``audio/{emotion}/level_{1,2,3}/001.m4a`` and
``video/{view}/{emotion}/level_{1,2,3}/001.mp4``, where the view is front, left_30, left_60, right_30, right_60, top or
down. Neutral has level 1 only and forty sentences, every other emotion thirty a level. Flat copies rename the clips
(``M003_level_1_disgusted_015.mp4``, ``M030_sad_3_001.mp4``). The recording of one sentence from all sides is one
sample here, with the front view where it is there. The archives are tar files that have to be unpacked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of, folders_below
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_CONTEMPT_NEUTRAL

LEVELS = {"1": "weak", "2": "medium", "3": "strong"}
VIEWS = ("front", "left_30", "left_60", "right_30", "right_60", "top", "down")
SENTENCES = {"neutral": 40}
TEST_SENTENCES = {"neutral": 10}
_OTHERS, _OTHERS_TEST = 30, 6
_NEARLY = 3  # sentences that a complete folder may lack: some clips were lost, and the numbering moved up
_SOURCE = "Wang et al., MEAD: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation, ECCV 2020"
LEVEL = LabelSpace("mead_intensity", "category", tuple(LEVELS.values()), source=_SOURCE)
CARD = CorpusCard(
    name="mead",
    title="MEAD",
    citation="Wang, Wu, Song, Yang, Wu, Qian, He, Qiao, Loy: MEAD: A Large-scale Audio-visual Dataset for Emotional "
    "Talking-face Generation. ECCV 2020",
    url="https://wywu.github.io/projects/MEAD/MEAD.html",
    obtain="the folders of the actors as https://github.com/uniBruce/Mead links them, with audio.tar and video.tar "
    "unpacked",
    licence="MEAD licence, non-commercial",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio"),
    spaces=(EKMAN_6_CONTEMPT_NEUTRAL, LEVEL),
    raters={"actor": "the emotion, and the strength, that the actor was asked to express"},
    counts={TRAIN: 25201, TEST: 6528},
    split_policy="official: of each actor the last 10 neutral sentences and the last 6 of every other emotion and "
    "level are test; which numbers these are is counted from the end, as some folders lack a clip",
    max_seconds=30.0,
    notes=(
        "31,729 recordings of 48 actors; the share of each split follows from the rule.",
        "All actors are in both splits.",
        "The same number is not the same sentence in another folder: M003 lacks a clip and counts on from there.",
        "Sounds are 48 or 44.1 kHz, videos 25 or 30 frames a second.",
        "Views beside the one that is used are named in the attribute views.",
        "There are no transcripts.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "M003/audio/angry/level_1/001.m4a": Tone(rate=48_000),
    "M003/audio/angry/level_1/027.m4a": Tone(rate=48_000),
    "M003/audio/angry/level_1/bad.m4a": Tone(rate=48_000),
    "M003/video/front/angry/level_1/001.mp4": Clip(),
    "M003/video/left_30/angry/level_1/001.mp4": Clip(),
    "M003/video/down/disgusted/level_3/029.mp4": Clip(),
    "M003/video/front/bored/level_3/002.mp4": Clip(),
    "W009/audio/neutral/level_1/031.m4a": Tone(rate=44_100),
    "flat/W009_level_2_surprised_004.mp4": Clip(),
    "flat/W009_sad_3_005.mp4": Clip(),
}
_ACTOR = re.compile(r"[MW]\d{3}")
_NESTED = re.compile(r"(?P<emotion>[a-z]+)/level_(?P<level>[123])/(?P<number>\d{3})")
_FLAT = re.compile(r"(?P<actor>[MW]\d{3})_(?:level_(?P<a>[123])_(?P<x>[a-z]+)|(?P<y>[a-z]+)_(?P<b>[123]))_(?P<n>\d{3})")
_Views = dict[str, dict[str, dict[str, str]]]


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per recording, by actor, emotion, level and number; all views of it are one."""
    base = folder_of(root, CARD, _looks_right, "M003/audio/angry/level_1/001.m4a and so on")
    clips = Clips(base, root, lambda path: _key(path, base), depth=8)
    yield from clips.odd()
    recordings: _Views = defaultdict(dict)
    for key, files in clips.files.items():
        name, _, view = key.rpartition("@")
        recordings[name][view] = files
    last: dict[str, int] = {}
    for name in recordings:
        folder, _, number = name.rpartition("_")
        last[folder] = max(int(number), last.get(folder, 0))
    for name in sorted(recordings):
        yield _sample(name, recordings[name], last[name.rpartition("_")[0]])
    for key in sorted(clips.pointers):
        yield from clips.missing(key, key, key)


def _looks_right(folder: Path) -> bool:
    for place in folders_below(folder, 1):
        if place != folder and _ACTOR.fullmatch(place.name):
            return any((place / kind).is_dir() for kind in ("audio", "video", *VIEWS))
        if any(_FLAT.fullmatch(path.stem) for path in place.glob("[MW][0-9]*.m*")):
            return True
    return False


def _key(path: Path, base: Path) -> str | None:
    """Return the key ``M003_angry_1_001@front``; the view of a sound, and of a flat copy, is none."""
    if flat := _FLAT.fullmatch(path.stem):
        return f"{flat['actor']}_{flat['x'] or flat['y']}_{flat['a'] or flat['b']}_{flat['n']}@"
    *above, emotion, level, number = ["", "", *path.relative_to(base.parent).with_suffix("").parts]
    nested = _NESTED.fullmatch(f"{emotion}/{level}/{number}")
    actor = next((part for part in reversed(above) if _ACTOR.fullmatch(part)), None)
    if nested is None or actor is None:
        return None
    view = next((part for part in reversed(above) if part in VIEWS), "")
    return f"{actor}_{emotion}_{nested['level']}_{number}@{view}"


def _sample(name: str, views: Mapping[str, Mapping[str, str]], highest: int) -> Sample | Rejection:
    actor, word, level, number = name.split("_")
    emotion = EKMAN_6_CONTEMPT_NEUTRAL.resolve(word)
    filmed = [view for view in (*VIEWS, "") if "video" in views.get(view, {})]
    where = next(iter(next(iter(views.values())).values()))
    if emotion is None:
        return Rejection(where, "unknown_label", where, word)
    complete = SENTENCES.get(emotion, _OTHERS)
    end = highest if highest >= complete - _NEARLY else complete
    media = [MediaRef(views[filmed[0]]["video"], "video", sound=True)] if filmed else []
    if sound := next((files["audio"] for files in views.values() if "audio" in files), None):
        media.append(MediaRef(sound, "audio"))
    facts = {"level": level, "number": number, "sex": "male" if actor[0] == "M" else "female"}
    return Sample(
        id=name,
        corpus=CARD.name,
        split=TEST if int(number) > end - TEST_SENTENCES.get(emotion, _OTHERS_TEST) else TRAIN,
        annotations=(
            Annotation(EKMAN_6_CONTEMPT_NEUTRAL.name, "actor", emotion),
            Annotation(LEVEL.name, "actor", LEVELS[level]),
        ),
        source=media[0].path,
        language="en",
        speaker=actor,
        media=tuple(media),
        attributes={**facts, **({"views": " ".join(filter(None, filmed))} if any(filmed) else {})},
    )
