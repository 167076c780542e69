"""CREMA-D: 91 actors speak twelve sentences in six emotions; 2,443 people judged voice, face and both.

There are three answers to "which emotion is it?", and libraries differ in which they take: the one that was *acted*
(in the file name), and the ones that the crowd gave to the *voice* alone, to the *face* alone and to *both*. All are
kept, each under its rater: the majority vote (a tie stays a tie), every count of votes, and the mean level (0 to 100)
at which each emotion was heard or seen. They are not interchangeable: a seventh of the clips is acted neutral, but more
than half is heard as neutral.

``SentenceFilenames.csv`` lists the 7,442 clips, ``processedResults/tabulatedVotes.csv`` has three rows a clip (the
first digit of the row number is 1 for voice, 2 for face, 3 for both), ``processedResults/summaryTable.csv`` the votes
in short, ``VideoDemographics.csv`` the actors. ``VideoFlash/*.flv`` has picture and sound, ``AudioWAV/`` 16 kHz sound,
``AudioMP3/`` 44.1 kHz sound. The media are behind Git LFS: a clone without it, or the zip, holds pointers of 130 bytes
in their place. Copies elsewhere often have ``AudioWAV/`` alone; then only the acted emotion is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.suffixes import FILMS, SOUNDS
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.panel import Panel, majority
from affectllm.corpus.reading import (
    Row,
    find_file,
    first_sight,
    folder_of,
    is_lfs_pointer,
    list_media,
    missing_file,
    read_csv,
    relative,
)
from affectllm.corpus.splits import by_speaker
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

ACTED = {"ANG": "anger", "DIS": "disgust", "FEA": "fear", "HAP": "happiness", "NEU": "neutral", "SAD": "sadness"}
VOTED = {emotion[0].upper(): emotion for emotion in ACTED.values()}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified"}
SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
CHANNELS = {"1": "voice", "2": "face", "3": "both"}
MEANS = {
    "meanAngerResp": "anger",
    "meanDisgustResp": "disgust",
    "meanFearResp": "fear",
    "meanHappyResp": "happiness",
    "meanNeutralResp": "neutral",
    "meanSadResp": "sadness",
}
ACTORS = [str(number) for number in range(1001, 1092)]
TEST_ACTORS = [actor for actor in ACTORS if int(actor) % 5 == 2]
VALIDATION_ACTORS = [actor for actor in ACTORS if int(actor) % 10 == 4]
SPLIT = by_speaker(
    train=[actor for actor in ACTORS if actor not in TEST_ACTORS + VALIDATION_ACTORS],
    validation=VALIDATION_ACTORS,
    test=TEST_ACTORS,
)
_SOURCE = "Cao et al., CREMA-D, IEEE Transactions on Affective Computing 5(4), 2014"
_NAMES = tuple(VOTED.values())
SPACE = LabelSpace("crema_d_6", "category", _NAMES, source=_SOURCE, aliases=aliases(*_NAMES))
VOTES = LabelSpace("crema_d_votes", "distribution", _NAMES, source=_SOURCE, aliases=aliases(*_NAMES))
LEVEL = LabelSpace("crema_d_level", "dimension", _NAMES, source=_SOURCE, aliases=aliases(*_NAMES), bounds=(0.0, 100.0))
CARD = CorpusCard(
    name="crema_d",
    title="CREMA-D",
    citation="Cao, Cooper, Keutmann, Gur, Nenkova, Verma: CREMA-D: Crowd-sourced Emotional Multimodal Actors Dataset. "
    "IEEE Transactions on Affective Computing 5(4), 2014",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    obtain="git clone https://github.com/CheyneyComputerScience/CREMA-D with git-lfs installed (7.6 GB; its zip has no "
    "media)",
    licence="ODbL-1.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SPACE, VOTES, LEVEL),
    raters={
        "actor": "the emotion that the actor was asked to express",
        "crowd_voice": "about ten people who heard the clip",
        "crowd_face": "about ten people who saw the clip without sound",
        "crowd_both": "about ten people who saw and heard the clip",
    },
    counts={"train": 5229, "validation": 738, "test": 1475},
    panels=tuple(
        Panel(SPACE.name, f"crowd_{channel}", majority, votes=f"crowd_{channel}", ratings=VOTES.name)
        for channel in CHANNELS.values()
    ),
    split_policy="ours, as there is no official one: by actor, women and men in each: test the 18 whose number leaves "
    "2 when divided by 5, validation the 9 whose number ends in 4, train the other 64",
    defects={
        "1076_MTI_SAD_XX": "no sound",
        "1076_MTI_NEU_XX": "cannot be played",
        "1064_TIE_SAD_XX": "no duration",
        "1064_IEO_DIS_MD": "61 seconds with several emotions",
    },
    speaker_disjoint=True,
    max_seconds=15.0,
    notes=(
        "Acted and perceived differ: 1,087 clips are acted neutral, 3,897 heard as neutral, without the ties.",
        "The individual ratings (finishedResponses.csv) are not read; two of its rows (137526, 312184) are duplicates.",
        "Contents are under the Database Contents License 1.0; the authors ask users to fill in a form.",
        "Clips were rated without being told the sentence; the sentence says nothing about the emotion.",
    ),
)
_VOTES_HEADER = (
    '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote","meanEmoResp","meanAngerResp",'
    '"meanDisgustResp","meanFearResp","meanHappyResp","meanNeutralResp","meanSadResp"\n'
)
MINIATURE: Mapping[str, Content] = {
    "SentenceFilenames.csv": '"Stimulus_Number","Filename"\n1,"1001_DFA_ANG_XX"\n2,"1002_IEO_HAP_LO"\n'
    '3,"1004_TIE_SAD_HI"\n4,"1076_MTI_SAD_XX"\n',
    "VideoDemographics.csv": '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n',
    "processedResults/summaryTable.csv": '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel",'
    '"MultiModalVote","MultiModalLevel"\n"1","1001_DFA_ANG_XX","A:D","66:54","A","70","A","80.5"\n',
    "processedResults/tabulatedVotes.csv": _VOTES_HEADER
    + '"100001",5,5,0,0,0,0,"1001_DFA_ANG_XX",10,0.5,"A:D",60,66,54,-1,-1,-1,-1\n'
    + '"200001",9,0,0,0,1,0,"1001_DFA_ANG_XX",10,0.9,"A",65,70,-1,-1,-1,20,-1\n'
    + '"300001",10,0,0,0,0,0,"1001_DFA_ANG_XX",10,1,"A",80.5,80.5,-1,-1,-1,-1,-1\n'
    + '"100002",0,0,0,3,7,0,"1002_IEO_HAP_LO",10,0.7,"N",50,-1,-1,-1,40,60,-1\n',
    "VideoFlash/1001_DFA_ANG_XX.flv": Clip(),
    "AudioWAV/1001_DFA_ANG_XX.wav": Tone(),
    "AudioMP3/1002_IEO_HAP_LO.mp3": Tone(rate=44_100),
    "AudioWAV/1076_MTI_SAD_XX.wav": Tone(),
    "AudioWAV/1009_ITS_NEU_XX.wav": Tone(),
    "AudioWAV/1004_TIE_SAD_HI.wav": "version https://git-lfs.github.com/spec/v1\n"
    + f"oid sha256:{'0' * 64}\nsize 9999\n",
}
_NAME = re.compile(r"(?P<actor>\d{4})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>LO|MD|HI|XX|X)")
_TABLES = ("SentenceFilenames.csv", "VideoDemographics.csv", "tabulatedVotes.csv", "summaryTable.csv")
_SUFFIXES = (*FILMS, *SOUNDS)


@dataclass
class _Index:
    """Data of the tables and folders, by clip name."""

    media: dict[str, dict[str, str]] = field(default_factory=dict)
    pointers: dict[str, list[str]] = field(default_factory=dict)
    votes: dict[str, list[Annotation]] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    people: dict[str, dict[str, str]] = field(default_factory=dict)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of ``SentenceFilenames.csv``; by name where that is missing."""
    base = folder_of(root, CARD, _looks_right, "SentenceFilenames.csv, processedResults/ and VideoFlash/ or AudioWAV/")
    index = _Index()
    tables = {name: find_file(base, name) for name in _TABLES}
    yield from (missing_file(name, CARD) for name, path in tables.items() if path is None)
    _list_media(base, root, index)
    yield from _read_votes(tables["tabulatedVotes.csv"], root, index)
    yield from _read_people(tables["VideoDemographics.csv"], root, index)
    yield from _read_summary(tables["summaryTable.csv"], root, index)
    seen: set[str] = set()
    for item in _listed(tables["SentenceFilenames.csv"], root, index):
        if isinstance(item, Rejection):
            yield item
        elif again := first_sight(seen, item[0], item[1]):
            yield again
        else:
            yield from _clip(*item, index)
    for name in sorted((index.media.keys() | index.votes.keys()) - seen):
        where = next(iter(index.media.get(name, {}).values()), "processedResults")
        yield Rejection(name, "no_annotation", where, "not in SentenceFilenames.csv")


def _looks_right(folder: Path) -> bool:
    places = (folder / "AudioWAV", folder / "VideoFlash", folder / "AudioMP3")
    return (folder / "SentenceFilenames.csv").is_file() or any(place.is_dir() for place in places)


def _list_media(base: Path, root: Path, index: _Index) -> None:
    for path in list_media(base, _SUFFIXES, depth=2):
        where = relative(path, root)
        if is_lfs_pointer(path):
            index.pointers.setdefault(path.stem, []).append(where)
        elif _NAME.fullmatch(path.stem):
            index.media.setdefault(path.stem, {}).setdefault(path.suffix.lower(), where)


def _listed(path: Path | None, root: Path, index: _Index) -> Iterator[tuple[str, str] | Rejection]:
    if path is None:
        for name in sorted(index.media.keys() | index.votes.keys()):
            yield name, next(iter(index.media.get(name, {}).values()), "processedResults/tabulatedVotes.csv")
        return
    for row in read_csv(path, root, ("Filename",)):
        yield row if isinstance(row, Rejection) else (row["Filename"], row.where)


def _read_votes(path: Path | None, root: Path, index: _Index) -> Iterator[Rejection]:
    columns = ("", "fileName", "numResponses", "agreement", "emoVote", *VOTED, *MEANS)
    for row in read_csv(path, root, columns) if path else ():
        if isinstance(row, Rejection):
            yield row
            continue
        channel = CHANNELS.get(row[""][:1])
        if channel is None or not all(row[letter].isdecimal() for letter in VOTED):
            yield Rejection(row["fileName"], "broken_row", row.where, "not a voice, face or both row of counts")
            continue
        if not set(row["emoVote"].split(":")) <= VOTED.keys():
            yield Rejection(row["fileName"], "unknown_label", row.where, row["emoVote"])
            continue
        answers = index.votes.setdefault(row["fileName"], [])
        if any(annotation.rater == f"crowd_{channel}" for annotation in answers):
            yield Rejection(f"{row['fileName']}/{channel}", "duplicate_id", row.where, "its votes are there already")
            continue
        answers.extend(_annotations(row, f"crowd_{channel}"))
        facts = {f"{channel}_responses": row["numResponses"], f"{channel}_agreement": row["agreement"]}
        index.facts.setdefault(row["fileName"], {}).update(facts)


def _annotations(row: Row, rater: str) -> Iterator[Annotation]:
    winners = tuple(VOTED[letter] for letter in row["emoVote"].split(":"))
    yield Annotation(SPACE.name, rater, winners if len(winners) > 1 else winners[0])
    yield Annotation(VOTES.name, rater, {emotion: float(row[letter]) for letter, emotion in VOTED.items()})
    levels = {emotion: _number(row[column]) for column, emotion in MEANS.items()}
    yield Annotation(LEVEL.name, rater, {emotion: level for emotion, level in levels.items() if level is not None})


def _number(text: str) -> float | None:
    """Parse a mean level; the tables say -1 or NA where nobody chose the emotion."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number <= 100 else None


def _read_people(path: Path | None, root: Path, index: _Index) -> Iterator[Rejection]:
    columns = ("Age", "Sex", "Race", "Ethnicity")
    for row in read_csv(path, root, ("ActorID", *columns)) if path else ():
        if isinstance(row, Rejection):
            yield row
        else:
            index.people[row["ActorID"]] = {column.lower(): row[column].lower() for column in columns}


def _read_summary(path: Path | None, root: Path, index: _Index) -> Iterator[Rejection]:
    columns = {"VoiceLevel": "voice_level", "FaceLevel": "face_level", "MultiModalLevel": "both_level"}
    for row in read_csv(path, root, ("FileName", *columns)) if path else ():
        if isinstance(row, Rejection):
            yield row
        else:
            levels = {fact: row[column] for column, fact in columns.items()}
            index.facts.setdefault(row["FileName"], {}).update(levels)


def _clip(name: str, where: str, index: _Index) -> Iterator[Sample | Rejection]:
    parts = _NAME.fullmatch(name)
    if parts is None or parts["actor"] not in SPLIT or parts["sentence"] not in SENTENCES:
        yield Rejection(name, "unknown_name", where, "not actor, sentence, emotion, level")
        return
    if parts["emotion"] not in ACTED:
        yield Rejection(name, "unknown_label", where, parts["emotion"])
        return
    trouble = _trouble(name, where, index)
    if trouble:
        yield trouble
    defect = CARD.defects.get(name)
    facts = {"sentence": parts["sentence"], "intensity": LEVELS.get(parts["level"], "unspecified")}
    facts |= index.people.get(parts["actor"], {}) | index.facts.get(name, {})
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=SPLIT[parts["actor"]],
        annotations=(Annotation(SPACE.name, "actor", ACTED[parts["emotion"]]), *index.votes.get(name, ())),
        source=where,
        text=SENTENCES[parts["sentence"]],
        language="en",
        speaker=parts["actor"],
        media=() if trouble else tuple(_media(index.media.get(name, {}))),
        attributes={**facts, "sample_rate": "16000", **({"defect": defect} if defect else {})},
    )


def _trouble(name: str, where: str, index: _Index) -> Rejection | None:
    """Return why this clip has no media while others have; its words and votes are used all the same."""
    if name in CARD.defects:
        return Rejection(name, "known_defect", where, CARD.defects[name])
    if name in index.media or not (index.media or index.pointers):
        return None
    if name in index.pointers:
        return Rejection(name, "lfs_pointer", index.pointers[name][0], "run `git lfs pull`")
    return Rejection(name, "media_missing", where, "neither flv nor wav nor mp3")


def _media(files: Mapping[str, str]) -> Iterator[MediaRef]:
    if video := next((files[suffix] for suffix in (".flv", *FILMS) if suffix in files), None):
        yield MediaRef(video, "video", sound=True)
    if audio := next((files[suffix] for suffix in SOUNDS if suffix in files), None):
        yield MediaRef(audio, "audio")
