"""EMO-DB, the Berlin Database of Emotional Speech: ten actors, ten everyday German sentences, seven emotions.

Recorded in 1997-1999 in an anechoic chamber at TU Berlin. Twenty listeners judged every recording; the 535 that at
least 80 % recognised and at least 60 % found natural were released. The file name says everything:
``wav/03a01Fa.wav`` is speaker 03, sentence a01, emotion F, version a. The letters are German, and that is the classic
bug: A is Angst (fear), not anger; anger is W for Wut; E is Ekel (disgust); L is Langeweile (boredom).

``erkennung.txt`` (Latin-1, decimal commas, no-break spaces) has the listeners' percentages, also of the recordings that
were not released; they become the attributes ``recognised`` and ``naturalness``. ``silb/`` has syllable labels of
exactly the released recordings, so where it is present a recording without its sound is reported as missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import find_file, first_sight, folder_of, is_lfs_pointer, list_media, read_lines, relative
from affectllm.corpus.splits import by_speaker
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = {
    "W": "anger",  # Wut, Ärger
    "L": "boredom",  # Langeweile
    "E": "disgust",  # Ekel
    "A": "fear",  # Angst
    "F": "happiness",  # Freude
    "T": "sadness",  # Trauer
    "N": "neutral",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
MEN = ("03", "10", "11", "12", "15")
SPLIT = by_speaker(train=("03", "08", "10", "13", "16"), validation=("09", "15"), test=("11", "12", "14"))
SPACE = LabelSpace(
    "emodb_7",
    "category",
    tuple(EMOTIONS.values()),
    source="Burkhardt et al., A Database of German Emotional Speech, Interspeech 2005",
    aliases=aliases(*EMOTIONS.values()),
)
CARD = CorpusCard(
    name="emodb",
    title="EMO-DB",
    citation="Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss: A Database of German Emotional Speech. Interspeech 2005",
    url="http://emodb.bilderbar.info/",
    obtain="download.zip from http://emodb.bilderbar.info/ ; unpacked it holds wav/, silb/ and erkennung.txt",
    licence="CC0-1.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("de",),
    modalities=("audio", "text"),
    spaces=(SPACE,),
    raters={"actor": "the emotion that the actor was asked to express"},
    counts={"train": 277, "validation": 99, "test": 159},
    split_policy="ours, as there is no official one: by speaker, women and men in each: test 11, 12, 14; validation "
    "09, 15; train 03, 08, 10, 13, 16",
    speaker_disjoint=True,
    max_seconds=15.0,
    notes=(
        "The emotion letters are German: A is Angst (fear), W is Wut (anger).",
        "The sentences are the same for all emotions, so the words say nothing about the emotion.",
        "Many copies are resampled or cut to a fixed length; the release is 16 kHz mono.",
        "Licence as published by audEERING; the first release said free for research.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "wav/03a01Fa.wav": Tone(),
    "wav/03a01Wa.wav": Tone(pitch=300),
    "wav/._03a01Wa.wav": b"\x00\x05\x16\x07",
    "wav/09a02Nb.wav": Tone(),
    "wav/14b10Ac.wav": Tone(pitch=180),
    "wav/14b10Xc.wav": Tone(),
    "silb/03a01Fa.silb": "0.15 .\n",
    "silb/14a05Tc.silb": "0.15 .\n",
    "erkennung.txt": "Nr.\tSatz\terkannt\tnatuerlich\n1\xa0\xa0\t03a01Fa.wav\t90,00\xa0\t75,00\xa0\n".encode("latin-1"),
}
_NAME = re.compile(r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[A-Z])(?P<version>[a-z])")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per recording, by file name."""
    base = folder_of(root, CARD, _has_recordings, "wav/03a01Fa.wav and so on")
    judged = _judgements(base, root)
    seen: set[str] = set()
    for path in list_media(base, SOUNDS, depth=2):
        where = relative(path, root)
        yield first_sight(seen, path.stem, where) or _sample(path, where, judged)
    for label in _released(base):
        if label not in seen:
            yield Rejection(label, "media_missing", f"silb/{label}.silb", "labelled, but without its recording")


def _has_recordings(folder: Path) -> bool:
    places = [place for place in (folder / "wav", folder) if place.is_dir()]
    return any(_NAME.fullmatch(path.stem) for place in places for path in list_media(place, SOUNDS))


def _released(base: Path) -> list[str]:
    any_label = next((path.parent for path in list_media(base, (".silb",), depth=3)), None)
    return [path.stem for path in list_media(any_label, (".silb",))] if any_label else []


def _sample(path: Path, where: str, judged: Mapping[str, dict[str, str]]) -> Sample | Rejection:
    name = _NAME.fullmatch(path.stem)
    if name is None or name["speaker"] not in SPLIT or name["text"] not in SENTENCES:
        return Rejection(where, "unknown_name", where, "not speaker, sentence, emotion, version")
    if name["emotion"] not in EMOTIONS:
        return Rejection(where, "unknown_label", where, name["emotion"])
    if is_lfs_pointer(path):
        return Rejection(where, "lfs_pointer", where, "run `git lfs pull`")
    facts = {"sentence": name["text"], "version": name["version"], "sample_rate": "16000"}
    return Sample(
        id=path.stem,
        corpus=CARD.name,
        split=SPLIT[name["speaker"]],
        annotations=(Annotation(SPACE.name, "actor", EMOTIONS[name["emotion"]]),),
        source=where,
        text=SENTENCES[name["text"]],
        language="de",
        speaker=name["speaker"],
        media=(MediaRef(where, "audio"),),
        attributes={**facts, "sex": "male" if name["speaker"] in MEN else "female", **judged.get(path.stem, {})},
    )


def _judgements(base: Path, root: Path) -> dict[str, dict[str, str]]:
    """Return listeners' percentages by recording: ``recognised``, ``naturalness``; empty without ``erkennung.txt``."""
    path = find_file(base, "erkennung.txt")
    judgements: dict[str, dict[str, str]] = {}
    for line in read_lines(path, root, encoding="latin-1") if path else ():
        cells = [] if isinstance(line, Rejection) else [cell.strip() for cell in line[1].split("\t")]
        if len(cells) == 4 and cells[1].endswith(".wav"):
            recognised, natural = (cell.replace(",", ".") for cell in cells[2:])
            judgements[cells[1].removesuffix(".wav")] = {"recognised": recognised, "naturalness": natural}
    return judgements
