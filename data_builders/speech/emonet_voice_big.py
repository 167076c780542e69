"""EmoNet-Voice Big: 4,500 hours of synthetic voices that act forty emotions in four languages, labelled by models.

A language model wrote scenes, a speech model with eleven voices acted them, and a model that listens described the
result. The downloads (LAION's Got Talent and its annotated versions) are WebDataset archives, one a language, voice and
emotion, and hold a folder of the same name:
``de_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts_fixed/`` with ``000123.mp3`` beside ``000123.json``.
A reader of files cannot play what lies inside an archive, so they have to be unpacked.

The JSON has ``annotation``, lines such as ``<Elation>1#Slight elation is present.</Elation>`` with the transcript after
``<transcription_start>``, ``flash_transcription`` and ``detailed_caption``. The emotion that was asked for is in the
name of the folder: a language, a voice, perhaps *intense*, then the emotion and words near to it. Re-uploads that put
it into the JSON (``emotion``, ``label``), or intensities (``emotions``), are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from affectllm.data_builders.speech._emonet import ALIASES, EMOTIONS

from affectllm.corpus import TRAIN, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import folder_of, folders_below, list_media, relative
from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.tables import number, plain_name
from affectllm.labels import Annotation, LabelSpace

COLUMNS = {
    "text": ("flashtranscription", "transcription", "transcript", "text", "whispertranscription"),
    "caption": ("detailedcaption", "longcaption", "caption", "description"),
    "emotion": ("emotion", "targetemotion", "intendedemotion", "label"),
    "scores": ("annotation", "emotions", "emotionscores", "scores", "labels", "label"),
    "language": ("language", "lang"),
    "voice": ("voice", "speaker", "voicename", "speakerid"),
}
"""What is read → the names that a JSON file may give it, without case, blanks and punctuation."""
LANGUAGES = {
    **{"en": "en", "english": "en", "de": "de", "german": "de"},
    **{"es": "es", "spanish": "es", "fr": "fr", "french": "fr"},
}
VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse")
_DESCRIPTORS = ("intense",)
_ARCHIVES = (".tar", ".gz", ".tgz")
_TAG = re.compile(r"<([^<>/]+)>\s*(-?\d+(?:\.\d+)?)\s*#")
_SPOKEN = re.compile(r"<transcription_start>(.*?)</?transcription", re.S)
_SOURCE = "Schuhmann et al., EmoNet-Voice: A Fine-Grained, Expert-Verified Benchmark for Speech Emotion Detection, 2025"
ASKED = LabelSpace("emonet_voice_40", "category", EMOTIONS, source=_SOURCE, aliases=ALIASES)
HEARD = LabelSpace(
    "emonet_voice_model_intensity", "dimension", EMOTIONS, source=_SOURCE, aliases=ALIASES, bounds=(0.0, 4.0)
)
CARD = CorpusCard(
    name="emonet_voice_big",
    title="EmoNet-Voice Big",
    citation="Schuhmann, Kaczmarczyk, Rabby, Friedrich, Kraus, Nadi, Nguyen, Kersting, Auer: EmoNet-Voice: A "
    "Fine-Grained, Expert-Verified Benchmark for Speech Emotion Detection. arXiv:2506.09827, 2025",
    url="https://huggingface.co/datasets/laion/laions_got_talent_enhanced_flash_annotations_and_long_captions",
    obtain="the archives of https://huggingface.co/datasets/laion/laions_got_talent_enhanced_flash_annotations_and_"
    "long_captions , all unpacked: folders of .json files beside .mp3 files",
    licence="CC-BY-4.0 by the paper; the first upload has the text of Apache-2.0",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("en", "de", "es", "fr"),
    modalities=("text", "audio"),
    spaces=(ASKED, HEARD),
    raters={
        "generator": "the emotion that the speech model was asked to act, by the name of the folder or the JSON file",
        "model": "a model that listened: how strong each emotion is",
    },
    counts={},
    split_policy="official: a training corpus, all of it is train",
    max_seconds=120.0,
    notes=(
        "Layout and fields were not checked on a real file: they are what users of the archives describe, and COLUMNS "
        "in the builder has other likely names of the fields.",
        "The scale of the model's numbers is not documented and taken to be 0 to 4; what lies outside is counted as "
        "out_of_range.",
        "Neither layer is a person's judgement: nobody checked whether a voice sounds as it was asked to.",
        "Of the name of a folder, the first emotion after language, voice and intense is the one asked for.",
        "Of an annotation only the forty emotions are read; age, arousal, style and the like have scales of their own.",
        "The number of clips is not published; commercial use is not assumed, because the voices are those of a "
        "commercial speech model.",
    ),
)
_ANGRY = "en_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts"
MINIATURE: Mapping[str, Content] = {
    f"{_ANGRY}/000001.json": '{"annotation": "<Anger>3#Strong.</Anger>\\n<Elation>0#None.</Elation>\\n<Age>2#Young.'
    '</Age>\\n<transcription_start>Get out!</transcription_start>", "detailed_caption": "A man shouts."}',
    f"{_ANGRY}/000001.mp3": Tone(rate=24_000),
    f"{_ANGRY}/000002.json": '{"annotation": "<Anger>9#Off scale.</Anger>", "flash_transcription": "I said out."}\n',
    f"{_ANGRY}/000002.mp3": Tone(rate=24_000),
    f"{_ANGRY}/000003.json": '{"annotation": "<Ang',
    f"{_ANGRY}/000003.mp3": Tone(rate=24_000),
    f"{_ANGRY}/000004.json": '{"annotation": "<Anger>1#Mild.</Anger>"}',
    f"{_ANGRY}/000005.mp3": Tone(rate=24_000),
    "fr_sage_jealousy_and_envy/a.json": '{"text": "Encore elle.", "emotions": {"Jealousy & Envy": 2.5, "Arousal": 1}}',
    "fr_sage_jealousy_and_envy/a.wav": Tone(rate=24_000),
    "de_boredom/b.json": '{"emotion": "Fear", "voice": "Nova", "language": "de", "caption": "A whisper."}',
    "de_boredom/b.flac": Tone(rate=24_000),
    "de_boredom/c.json": '{"emotion": "boredom"}',
    "de_boredom/c.flac": Tone(rate=24_000),
    "de_boredom/d.json": '{"duration": 2}',
    "de_boredom/d.flac": Tone(rate=24_000),
    "es_verse_pain_and_suffering.tar": b"not unpacked",
    f"{_ANGRY}.tar": b"unpacked beside itself",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, folder by folder: a download has more clips than should be listed at once."""
    folder_of(
        root, CARD, _looks_right, "folders of .json files beside .mp3, .wav or .flac files, out of their archives"
    )
    seen: set[str] = set()
    for folder in folders_below(root):
        yield from _packed(folder, root)
        files = list(list_media(folder, (".json",)))
        clips = Clips(folder, root, suffixes=SOUNDS, depth=0)
        twice = folder != root and folder.name in seen
        seen.add(folder.name)
        yield from clips.odd()
        for path in files:
            where = relative(path, root)
            name = path.stem if folder == root else f"{folder.name}/{path.stem}"
            if twice:
                yield Rejection(name, "duplicate_id", where, "another folder has the same name")
            else:
                yield from _clip(path, root, name, clips)
        if not twice:
            yield from clips.left()


def _looks_right(folder: Path) -> bool:
    return any(_has_pair(place) for place in folders_below(folder, 1)) if folder.is_dir() else False


def _has_pair(folder: Path) -> bool:
    described = {path.stem for path in list_media(folder, (".json",))}
    return bool(described) and any(path.stem in described for path in list_media(folder, SOUNDS))


def _packed(folder: Path, root: Path) -> Iterator[Rejection]:
    """Yield rejections of archives without a folder of their name beside them."""
    for path in list_media(folder, _ARCHIVES):
        if not (folder / path.name.partition(".")[0]).is_dir():
            yield Rejection(relative(path, root), "not_unpacked", relative(path, root), "unpack it there")


def _clip(path: Path, root: Path, name: str, clips: Clips) -> Iterator[Sample | Rejection]:
    where, fields = relative(path, root), {}
    media = clips.media(path.stem)
    for item in read_json(path, root):
        if isinstance(item, Rejection):
            yield item
        elif item.key or not isinstance(item.value, dict):
            fields[plain_name(item.key)] = item.value
        else:  # a file of one line is read as a line of JSON lines
            fields |= {plain_name(key): value for key, value in item.value.items()}
    if not media:
        yield from clips.missing(path.stem, name, where) if clips else [Rejection(name, "media_missing", where)]
        return
    answers: list[Annotation] = []
    yield from _asked(name, where, fields, path.parent.name, answers)
    yield from _heard(name, where, fields, answers)
    if not answers:
        yield Rejection(name, "no_annotation", where, "neither the folder nor the file names one of the emotions")
        return
    tokens = _tokens(path.parent.name)
    voice = _first(fields, "voice", str).lower() or next((token for token in tokens if token in VOICES), "")
    attributes = {"caption": _first(fields, "caption", str), "folder": path.parent.name}
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=TRAIN,
        annotations=tuple(answers),
        source=where,
        text=_words(fields) or None,
        language=LANGUAGES.get((_first(fields, "language", str) or tokens[0]).lower()),
        speaker=voice or None,
        media=media,
        attributes={key: fact for key, fact in attributes.items() if fact},
    )


def _first(fields: Mapping[str, Any], kind: str, expected: type) -> Any:
    """Return the first field of a kind that has the type ``expected``; an empty value of it where there is none."""
    return next((fields[name] for name in COLUMNS[kind] if isinstance(fields.get(name), expected)), expected())


def _words(fields: Mapping[str, Any]) -> str:
    spoken = _SPOKEN.search(_first(fields, "scores", str))
    return " ".join((_first(fields, "text", str) or (spoken[1] if spoken else "")).split())


def _tokens(folder: str) -> list[str]:
    return folder.lower().replace("-", "_").split("_")


def _asked(
    name: str, where: str, fields: Mapping[str, Any], folder: str, answers: list[Annotation]
) -> Iterator[Rejection]:
    """Add the emotion that the file states, or else the first one in the name of its folder."""
    stated = _first(fields, "emotion", str)
    if not stated:
        tokens = _tokens(folder)
        tokens = tokens[1:] if tokens[0] in LANGUAGES else tokens
        while tokens and tokens[0] in (*VOICES, *_DESCRIPTORS):
            tokens = tokens[1:]
        candidates = (ASKED.resolve(" ".join(tokens[:count])) for count in range(3, 0, -1))
        emotion = next(filter(None, candidates), None)
    elif not (emotion := ASKED.resolve(" ".join(stated.replace("_", " ").split()))):
        yield Rejection(name, "unknown_label", where, stated[:80])
    if emotion:
        answers.append(Annotation(ASKED.name, "generator", emotion))


def _heard(name: str, where: str, fields: Mapping[str, Any], answers: list[Annotation]) -> Iterator[Rejection]:
    """Add the model's intensities, from a mapping emotion → number, or from lines ``<Emotion>number#why</Emotion>``."""
    stated = _first(fields, "scores", dict) or dict(_TAG.findall(_first(fields, "scores", str)))
    answer: dict[str, float] = {}
    for word, value in stated.items():
        emotion = HEARD.resolve(" ".join(str(word).replace("_", " ").split()))
        if emotion is None:
            continue
        strength = number(value, *HEARD.bounds or ())
        if strength is None:
            yield Rejection(name, "out_of_range", where, f"{emotion}: {str(value)[:40]}")
        else:
            answer[emotion] = strength
    if answer:
        answers.append(Annotation(HEARD.name, "model", answer))
