"""SAVEE: four Englishmen say fifteen sentences in each of seven emotions, filmed with markers on the face.

Speakers are DC, JE, JK and KL; a recording is named by emotion and sentence: ``a`` anger, ``d`` disgust, ``f`` fear,
``h`` happiness, ``n`` neutral (thirty sentences), ``sa`` sadness, ``su`` surprise. The release has
``AudioData/DC/sa01.wav`` (44.1 kHz) and ``AudioVisualClip/DC/sa01.avi``; copies have all in one folder,
``DC_sa01.wav``. ``s`` alone is no emotion: to read the first letter only makes one of sadness and surprise, which is
the classic bug.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import FILMS, SOUNDS
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, list_media
from affectllm.corpus.splits import by_speaker
from affectllm.labels import Annotation
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
SPLIT = by_speaker(train=("DC", "JE"), validation=("JK",), test=("KL",))
CARD = CorpusCard(
    name="savee",
    title="SAVEE",
    citation="Jackson, Haq: Surrey Audio-Visual Expressed Emotion (SAVEE) database. University of Surrey, 2011",
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    obtain="register at http://kahlan.eps.surrey.ac.uk/savee/Download.html ; AudioData/ and AudioVisualClip/ hold DC/, "
    "JE/, JK/ and KL/",
    licence="free for research, not to be handed on",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("audio", "video"),
    spaces=(EKMAN_6_NEUTRAL,),
    raters={"actor": "the emotion that the speaker was asked to express"},
    counts={"train": 240, "validation": 120, "test": 120},
    split_policy="ours, as there is no official one: by speaker, train DC and JE, validation JK, test KL",
    speaker_disjoint=True,
    max_seconds=15.0,
    notes=(
        "All four are men between 27 and 31, with coloured markers on their faces.",
        "Three of fifteen sentences are the same for all emotions, two are typical of the emotion, ten are general.",
        "The release has no transcripts.",
        "Copies whose names lack the speaker are placed by their folder; without either they cannot be used.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "AudioData/DC/sa01.wav": Tone(rate=44_100),
    "AudioData/DC/n30.wav": Tone(rate=44_100),
    "AudioData/DC/s07.wav": Tone(rate=44_100),
    "AudioData/JK/su02.wav": Tone(rate=44_100),
    "AudioData/KL/h15.wav": Tone(rate=44_100),
    "AudioData/KL/._h15.wav": b"\x00\x05\x16\x07",
    "AudioVisualClip/KL/h15.avi": Clip(),
    "ALL/KL_h15.wav": Tone(rate=44_100),
}
_NAME = re.compile(r"(?:(?P<speaker>DC|JE|JK|KL)_)?(?P<emotion>[a-z]{1,2})(?P<sentence>\d{2})")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per sentence, by speaker, emotion and sentence; sound and video of it are one."""
    folder_of(root, CARD, _has_recordings, "AudioData/DC/sa01.wav or DC_sa01.wav and so on")
    clips = Clips([folder for folder in folders_below(root) if _has_recordings(folder)], root, _key, depth=0)
    yield from clips.odd()
    for key in sorted(clips.files):
        yield _sample(key, clips)
    for key in sorted(clips.pointers):
        yield from clips.missing(key, key, key)


def _has_recordings(folder: Path) -> bool:
    return any(_key(path) for path in list_media(folder, (*SOUNDS, *FILMS)))


def _key(path: Path) -> str | None:
    name = _NAME.fullmatch(path.stem)
    speaker = (name["speaker"] or path.parent.name.upper()) if name else ""
    return f"{speaker}_{name['emotion']}{name['sentence']}" if name and speaker in SPLIT else None


def _sample(key: str, clips: Clips) -> Sample | Rejection:
    name = _NAME.fullmatch(key)
    where = next(iter(clips.files[key].values()))
    if name is None or name["emotion"] not in EMOTIONS:
        return Rejection(key, "unknown_label", where, key)
    return Sample(
        id=key,
        corpus=CARD.name,
        split=SPLIT[name["speaker"]],
        annotations=(Annotation(EKMAN_6_NEUTRAL.name, "actor", EMOTIONS[name["emotion"]]),),
        source=where,
        language="en",
        speaker=name["speaker"],
        media=clips.media(key),
        attributes={"sentence": name["sentence"], "sex": "male"},
    )
