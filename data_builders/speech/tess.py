"""TESS: two actresses say two hundred words in a carrier phrase, in seven emotions.

The Toronto Emotional Speech Set has a younger actress (26 years, YAF) and an older one (64, OAF), who say "Say the
word …" with each of 200 words. ``OAF_back_angry.wav`` is actress, word, emotion; ``ps`` is pleasant surprise. There
are 2,800 sounds in folders ``OAF_angry/``, ``YAF_fear/`` …, or all in one. The copy on Kaggle holds the whole set
twice, one folder inside the other, which would count everything twice; file names vary in case, and one
(``OA_bite_neutral.wav``) lacks a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, list_media
from affectllm.labels import Annotation
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

EMOTIONS = {
    "angry": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happiness",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sadness",
}
AGES = {"OAF": "64", "YAF": "26"}
SPLIT = {"YAF": "train", "OAF": "test"}
CARD = CorpusCard(
    name="tess",
    title="TESS",
    citation="Pichora-Fuller, Dupuis: Toronto emotional speech set (TESS). Borealis, 2020 (recorded 2010)",
    url="https://doi.org/10.5683/SP2/E8H2MF",
    obtain="the sounds of https://doi.org/10.5683/SP2/E8H2MF , in one folder or in folders such as OAF_angry/",
    licence="CC-BY-NC-ND-4.0",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("audio", "text"),
    spaces=(EKMAN_6_NEUTRAL,),
    raters={"actor": "the emotion that the actress was asked to express"},
    counts={"train": 1400, "test": 1400},
    split_policy="ours, as there is no official one: by actress, train YAF and test OAF; there are only two",
    speaker_disjoint=True,
    max_seconds=10.0,
    notes=(
        "Surprise is pleasant surprise (ps), which a set of unpleasant ones would not match.",
        "The words are the same for all emotions, so they say nothing about the emotion.",
        "With two speakers a random split gives nearly perfect numbers that mean nothing.",
        "Sounds are 24.414 kHz.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "OAF_angry/OAF_back_angry.wav": Tone(rate=24_414),
    "OAF_angry/OA_bite_angry.wav": Tone(rate=24_414),
    "OAF_angry/OAF_back_furious.wav": Tone(rate=24_414),
    "OAF_angry/readme.wav": Tone(rate=24_414),
    "YAF_pleasant_surprised/YAF_youth_ps.wav": Tone(rate=24_414),
    "YAF_pleasant_surprised/._YAF_youth_ps.wav": b"\x00\x05\x16\x07",
    "copy/TESS/YAF_pleasant_surprised/YAF_youth_ps.wav": Tone(rate=24_414),
}
_NAME = re.compile(r"(?P<speaker>OAF?|YAF?)_(?P<word>[a-z]+)_(?P<emotion>[a-z]+)", re.IGNORECASE)
_DEPTH = 3


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per recording, by folder and name."""
    folder_of(root, CARD, _has_recordings, "OAF_back_angry.wav and so on, in any folder")
    clips = Clips([folder for folder in folders_below(root) if _has_recordings(folder)], root, _key, SOUNDS, depth=0)
    yield from clips.odd()
    for key in sorted(clips.files):
        yield _sample(key, clips)
    for key in sorted(clips.pointers):
        yield from clips.missing(key, key, key)


def _has_recordings(folder: Path) -> bool:
    return any(_NAME.fullmatch(path.stem) for path in list_media(folder, SOUNDS))


def _key(path: Path) -> str | None:
    """Return the file name as a key: in one case and with its whole first part."""
    name = _NAME.fullmatch(path.stem)
    return f"{name['speaker'].upper()[:2]}F_{name['word'].lower()}_{name['emotion'].lower()}" if name else None


def _sample(key: str, clips: Clips) -> Sample | Rejection:
    speaker, word, emotion = key.split("_")
    where = clips.files[key]["audio"]
    if emotion not in EMOTIONS:
        return Rejection(where, "unknown_label", where, emotion)
    return Sample(
        id=key,
        corpus=CARD.name,
        split=SPLIT[speaker],
        annotations=(Annotation(EKMAN_6_NEUTRAL.name, "actor", EMOTIONS[emotion]),),
        source=where,
        text=f"Say the word {word}.",
        language="en",
        speaker=speaker,
        media=(MediaRef(where, "audio"),),
        attributes={"word": word, "sex": "female", "age": AGES[speaker]},
    )
