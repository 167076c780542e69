"""IEMOCAP: ten actors in pairs, five sessions, twelve hours of played and improvised scenes, every turn judged.

Each of the five sessions has one actress and one actor. ``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt`` has a
block for each turn: its times, its name, the label on which most evaluators agree (``xxx`` where none has a majority),
the mean valence, activation and dominance, then one line for each person who judged it: ``C-E2`` is what evaluator 2
chose (often several words), ``A-E2`` the ratings of evaluator 2, and ``C-F1``, ``A-M1`` and so on are the actors' own.
Words are in ``dialog/transcriptions/``, a sound file a turn in ``sentences/wav/``, the video of a whole scene in
``dialog/avi/DivX/``; the letter after the session in its name says who wore the motion-capture markers, and who sits
on the left. A turn of the video is a span of it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.miniature import Clip, Content, Tone
from affectllm.corpus.panel import Panel, majority, mean
from affectllm.corpus.reading import first_sight, folder_of, list_media, missing_file, read_lines, relative
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

CODES = {
    "neu": "neutral",
    "hap": "happiness",
    "sad": "sadness",
    "ang": "anger",
    "fru": "frustration",
    "exc": "excitement",
    "sur": "surprise",
    "fea": "fear",
    "dis": "disgust",
    "oth": "other",
}
SESSIONS = range(1, 6)
TEST_SESSION = 5
DIMENSIONS = {"val": "valence", "act": "activation", "dom": "dominance"}
EVALUATORS = range(1, 7)
_NAMES = tuple(CODES.values())
_SOURCE = "Busso et al., IEMOCAP, Language Resources and Evaluation 42(4), 2008"
_ALIASES = {**aliases(*_NAMES), **CODES, "neutral state": "neutral"}
SPACE = LabelSpace("iemocap_10", "category", _NAMES, source=_SOURCE, aliases=_ALIASES)
CHOICES = LabelSpace("iemocap_choices", "set", _NAMES, source=_SOURCE, aliases=_ALIASES)
VAD = LabelSpace("iemocap_vad", "dimension", tuple(DIMENSIONS.values()), source=_SOURCE, bounds=(1.0, 5.0))
_PEOPLE = tuple(f"evaluator_{n}" for n in EVALUATORS)
CARD = CorpusCard(
    name="iemocap",
    title="IEMOCAP",
    citation="Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee, Narayanan: IEMOCAP: Interactive emotional dyadic "
    "motion capture database. Language Resources and Evaluation 42(4), 2008",
    url="https://sail.usc.edu/iemocap/",
    obtain="request it at https://sail.usc.edu/iemocap/iemocap_release.htm ; IEMOCAP_full_release holds Session1 to "
    "Session5, each with dialog/ and sentences/",
    licence="IEMOCAP release agreement",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("audio", "video", "text"),
    spaces=(SPACE, CHOICES, VAD),
    raters={
        "majority": "what most evaluators chose",
        "mean": "the mean of the evaluators",
        **{f"evaluator_{n}": f"evaluator {n}, who saw and heard the scene turn by turn" for n in EVALUATORS},
        "self": "the actor who speaks, judging the recording later",
        "partner": "the other actor of the scene",
    },
    counts={TRAIN: 7869, TEST: 2170},
    panels=(
        Panel(SPACE.name, "majority", majority, of=_PEOPLE, ratings=CHOICES.name),
        Panel(VAD.name, "mean", mean, of=_PEOPLE),
    ),
    split_policy="ours, as there is no official one: by session and so by speaker, test is Session5, train the others; "
    "the fold of leave-one-session-out is the attribute fold",
    speaker_disjoint=True,
    max_seconds=60.0,
    notes=(
        "10,039 turns. Where the evaluators do not agree (xxx) there is no majority answer, but every evaluator's own.",
        "The usual four classes merge happiness and excitement (5,531 turns); here they are apart.",
        "EmoEvaluation/ also holds Attribute/, Categorical/ and Self-evaluation/ with the same answers: not read.",
        "Some evaluators gave no dominance; means outside the scale of 1 to 5 are left out and counted.",
        "The video shows both actors: the attribute side says on which side the speaker sits.",
        "Turns whose names have XX (Ses01F_impro01_MXX0) were not judged; their words are context.",
    ),
)
_FIRST = """% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral; Anger;\t()
C-F1:\tNeutral state;\t(tired)
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 3; dom  ;\t()
A-F1:\tval 3; act 2; dom  1;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M000\txxx\t[2.5000, 5.5000, 2.5000]
C-E2:\tFrustration; Boredom;\t()
C-E4:\tAnger;\t()

[12.0000 - 11.0000]\tSes01F_impro01_F001\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()

[13 - 14 Ses01F_impro01_F002 neu
"""
MINIATURE: Mapping[str, Content] = {
    "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": _FIRST,
    "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt": b"\x00\x05\x16\x07",
    "Session1/dialog/EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt": "Ses01F_impro01_F000 :Neutral; ()\n",
    "Session1/dialog/transcriptions/Ses01F_impro01.txt": "Ses01F_impro01_F000 [006.2901-008.2357]: Pardon me.\n"
    "M: breathes\nSes01F_impro01_MXX0 [009.0000-009.5000]: Mhm.\nSes01F_impro01_M000 [010.0100-011.3925]: What now?\n",
    "Session1/dialog/avi/DivX/Ses01F_impro01.avi": Clip(seconds=1.0),
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": Tone(),
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_MXX0.wav": Tone(),
    "Session5/dialog/EmoEvaluation/Ses05M_script01_1b.txt": "% [START_TIME - END_TIME] …\r\n\r\n"
    "[0.5000 - 1.9000]\tSes05M_script01_1b_M000\texc\t[4.0000, 4.0000, 3.5000]\r\nC-E1:\tExcited;\t()\r\n"
    "C-M5:\tHappiness;\t()\r\n",
    "Session5/dialog/transcriptions/Ses05M_script01_1b.txt": "Ses05M_script01_1b_M000 [000.5000-001.9000]: We won!\n",
}
_TURN = re.compile(r"\[(\d+\.?\d*)\s*-\s*(\d+\.?\d*)\]\s+(\w+)\s+(\w+)\s+\[([^,\]]+),([^,\]]+),([^,\]]+)\]\s*")
_GIVEN = re.compile(r"(?P<kind>[CA])-(?P<who>[EFM])(?P<number>\d+):\s*(?P<answer>[^(]*?)\s*(?:\((?P<remark>.*)\))?\s*")
_NAME = re.compile(r"(?P<dialogue>Ses0(?P<session>[1-5])(?P<left>[MF])_\w+)_(?P<speaker>[MF])\d{3,4}")
_SAID = re.compile(r"(Ses0[1-5][MF]_(?:impro|script)\w+_([MF])(?:XX|\d\d)\d+) \[[\d.]+\s*-\s*[\d.]+\]:(.*)")
_RATING = re.compile(r"(val|act|dom)\s+([\d.]+)\s*;")


@dataclass
class _Block:
    """A block of an evaluation file, about one turn."""

    where: str
    header: tuple[str, ...]
    lines: list[tuple[str, str]] = field(default_factory=list)


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per turn, by session, scene and place in the evaluation file."""
    base = folder_of(root, CARD, _looks_right, "Session1/dialog/EmoEvaluation/*.txt and so on")
    seen: set[str] = set()
    for session in SESSIONS:
        folder = base / f"Session{session}" / "dialog" / "EmoEvaluation"
        if folder.is_dir():
            yield from _session(base / f"Session{session}", folder, root, seen)
        else:
            yield missing_file(f"Session{session}/dialog/EmoEvaluation", CARD)


def _looks_right(folder: Path) -> bool:
    return any((folder / f"Session{number}" / "dialog" / "EmoEvaluation").is_dir() for number in SESSIONS)


def _session(base: Path, evaluations: Path, root: Path, seen: set[str]) -> Iterator[Sample | Rejection]:
    sounds, films = (_clips(base / "sentences" / "wav", root), _clips(base / "dialog" / "avi", root))
    for path in list_media(evaluations, (".txt",)):
        spoken: list[tuple[str, Turn]] = []
        transcript = base / "dialog" / "transcriptions" / path.name
        if transcript.is_file():
            yield from _transcript(transcript, root, spoken)
        else:
            yield missing_file(relative(base, root) + f"/dialog/transcriptions/{path.name}", CARD)
        for block in _blocks(path, root):
            if isinstance(block, Rejection):
                yield block
            elif again := first_sight(seen, block.header[2], block.where):
                yield again
            else:
                yield from _turn(block, spoken, sounds, films)
    for clips in filter(None, (sounds, films)):
        yield from (*clips.odd(), *clips.left())


def _clips(folder: Path, root: Path) -> Clips | None:
    return Clips(folder, root) if folder.is_dir() else None


def _transcript(path: Path, root: Path, spoken: list[tuple[str, Turn]]) -> Iterator[Rejection]:
    """Read the words of a scene in order; remarks (``M: breathes``) have no times and are nobody's turn."""
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
        elif match := _SAID.fullmatch(line[1].strip()):
            spoken.append((match[1], Turn(match[1][:5] + match[2], match[3].strip())))


def _blocks(path: Path, root: Path) -> Iterator[_Block | Rejection]:
    block: _Block | None = None
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        if text.startswith("["):
            if block:
                yield block
            header = _TURN.fullmatch(text)
            block = _Block(where, header.groups()) if header else None
            if header is None:
                yield Rejection(where, "broken_row", where, text[:120])
        elif block and text.strip():
            block.lines.append((where, text))
    if block:
        yield block


def _turn(
    block: _Block, spoken: list[tuple[str, Turn]], sounds: Clips | None, films: Clips | None
) -> Iterator[Sample | Rejection]:
    start, end, name, code, *_ = block.header
    parts = _NAME.fullmatch(name)
    if parts is None or float(end) <= float(start):
        yield Rejection(name, "broken_row" if parts else "unknown_name", block.where, f"{start} to {end} seconds")
        return
    answers: dict[tuple[str, str], Annotation] = {}
    facts: dict[str, str] = {}
    yield from _majority(block, answers)
    for where, line in block.lines:
        yield from _person_line(where, line, parts, answers, facts)
    yield from sounds.missing(name, name, block.where) if sounds else ()
    if not answers:
        yield Rejection(name, "no_annotation", block.where)
        return
    place = next((place for place, (turn, _) in enumerate(spoken) if turn == name), None)
    yield Sample(
        id=name,
        corpus=CARD.name,
        split=TEST if int(parts["session"]) == TEST_SESSION else TRAIN,
        annotations=tuple(answers.values()),
        source=block.where,
        text=spoken[place][1].text or None if place is not None else None,
        language="en",
        speaker=f"{name[:5]}{parts['speaker']}",
        dialogue=parts["dialogue"],
        context=tuple(turn for _, turn in spoken[:place]) if place is not None else (),
        media=tuple(_media(block, parts["dialogue"], sounds, films)),
        attributes={
            "fold": f"Session{parts['session']}",
            "kind": "improvised" if "impro" in name else "scripted",
            "side": "left" if parts["left"] == parts["speaker"] else "right",
            "sex": "female" if parts["speaker"] == "F" else "male",
            **({"agreement": "none"} if code == "xxx" else {}),
            **facts,
        },
    )


def _majority(block: _Block, answers: dict[tuple[str, str], Annotation]) -> Iterator[Rejection]:
    _, _, name, code, *means = block.header
    if label := CODES.get(code.lower()):
        answers[SPACE.name, "majority"] = Annotation(SPACE.name, "majority", label)
    elif code != "xxx":
        yield Rejection(name, "unknown_label", block.where, code)
    ratings = {}
    for dimension, stated in zip(VAD.names, means, strict=True):
        rating = number(stated, *VAD.bounds or ())
        if rating is None:
            yield Rejection(name, "out_of_range", block.where, f"{dimension} {stated}")
        else:
            ratings[dimension] = rating
    if ratings:
        answers[VAD.name, "mean"] = Annotation(VAD.name, "mean", ratings)


def _person_line(
    where: str, line: str, parts: re.Match[str], answers: dict[tuple[str, str], Annotation], facts: dict[str, str]
) -> Iterator[Rejection]:
    """Parse one person's line of a block: chosen words, or ratings."""
    match, name = _GIVEN.fullmatch(line), parts[0]
    if match is None or (match["who"] == "E" and int(match["number"]) not in EVALUATORS):
        yield Rejection(name, "broken_row", where, line[:120])
        return
    rater = f"evaluator_{match['number']}" if match["who"] == "E" else "partner"
    rater = "self" if match["who"] == parts["speaker"] else rater
    if match["remark"]:
        facts[f"{rater}_remark"] = match["remark"].strip()
    space = CHOICES.name if match["kind"] == "C" else VAD.name
    if (space, rater) in answers:
        yield Rejection(name, "duplicate_id", where, f"{rater} answers again")
    elif space == VAD.name:
        rated = {DIMENSIONS[key]: number(text, *VAD.bounds or ()) for key, text in _RATING.findall(match["answer"])}
        if ratings := {key: rating for key, rating in rated.items() if rating is not None}:
            answers[space, rater] = Annotation(space, rater, ratings)
    else:
        words = [word.strip() for word in match["answer"].split(";") if word.strip()]
        labels = [CHOICES.resolve(word) for word in words]
        for word, label in zip(words, labels, strict=True):
            if label is None:
                yield Rejection(name, "unknown_label", where, f"{rater}: {word[:60]!r}")
        if chosen := tuple(dict.fromkeys(label for label in labels if label)):
            answers[space, rater] = Annotation(space, rater, chosen)


def _media(block: _Block, dialogue: str, sounds: Clips | None, films: Clips | None) -> Iterator[MediaRef]:
    start, end, name, *_ = block.header
    yield from films.media(dialogue, float(start), float(end)) if films else ()
    yield from sounds.media(name) if sounds else ()
