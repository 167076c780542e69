"""demo_affect: a synthetic corpus. Nobody is seen or heard in it: faces are drawn, voices computed, sentences composed.

It exists so that the whole line from files to scores can be run, in minutes and without a download, on clips in which
face, voice and words each carry the emotion. In four of five clips the three agree; in the others at least one
contradicts the rest, so that one can ask which of them a model follows. It is no evidence about people.

Voice: pitch level and range, tempo, level and brightness follow the acoustic correlates gathered by Scherer (Vocal
affect expression, Psychological Bulletin 99, 1986; Speech Communication 40, 2003) and Juslin and Laukka (Communication
of emotions in vocal expression and music performance, Psychological Bulletin 129, 2003, table 11), around a base that
differs by speaker. Face: brows, eyes and mouth follow the action units of Ekman and Friesen (Facial Action Coding
System, 1978), the tint of the skin Benitez-Quiroz, Srinivasan and Martinez (Facial color is an efficient mechanism to
visually transmit emotion, PNAS 115, 2018). Speakers and the situations that sentences speak of differ between splits.

``generate(root, seed)`` writes ``labels.csv`` and ``clips/``; the same seed and the same FFmpeg give the same bytes.
"""

from __future__ import annotations

import csv
import itertools
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import Row, first_sight, folder_of, inside, read_csv, relative
from affectllm.corpus.render import write_clip
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

if TYPE_CHECKING:
    import numpy as np

RATE, FPS, SIZE = 16_000, 8, 56
CONFLICTING = 5  # every fifth clip
CLIPS = {TRAIN: 500, VALIDATION: 75, TEST: 150}
SPEAKERS = {TRAIN: 20, VALIDATION: 5, TEST: 10}
CHANNELS = ("face", "voice", "words")


class Voice(NamedTuple):
    """Pitch relative to the speaker's, range in semitones, rise over the clip in semitones, syllables a second, level
    in dB, loss of the n-th harmonic (as a power of n), and irregularity of the pitch."""

    pitch: float
    span: float
    rise: float
    syllables: float
    level: float
    tilt: float
    jitter: float


class Face(NamedTuple):
    """Mouth corners (1 up), mouth opening and width, inner brows and whole brows (1 up), eye opening, nods and shakes
    (pixels) and their tempo (Hz), and the tint of the skin (red, green, blue)."""

    corners: float
    opening: float
    width: float
    inner: float
    brows: float
    eyes: float
    nod: float
    shake: float
    tempo: float
    tint: tuple[int, int, int]


VOICES = {
    "neutral": Voice(1.0, 2.0, 0.0, 4.0, -14.0, 1.4, 0.004),
    "happiness": Voice(1.6, 7.0, 3.0, 5.5, -8.0, 1.1, 0.002),
    "sadness": Voice(0.8, 1.0, -3.0, 2.0, -24.0, 2.4, 0.01),
    "anger": Voice(1.3, 6.0, 1.0, 6.5, -3.0, 0.5, 0.006),
    "fear": Voice(2.1, 1.0, 2.0, 8.0, -17.0, 1.8, 0.05),
}
FACES = {
    "neutral": Face(0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.5, (0, 0, 0)),
    "happiness": Face(1.0, 0.35, 1.3, 0.2, 0.3, 0.7, 2.5, 0.0, 1.5, (15, 15, -25)),  # AU 6+12+25
    "sadness": Face(-1.0, 0.0, 0.9, 1.0, -0.2, 0.45, 1.0, 0.0, 0.3, (-25, -15, 15)),  # AU 1+4+15
    "anger": Face(-0.35, 0.25, 1.2, -1.3, -0.7, 0.8, 0.0, 2.5, 2.0, (30, -35, -35)),  # AU 4+5+7+23
    "fear": Face(-0.2, 1.0, 0.75, 0.6, 1.0, 1.6, 0.7, 0.7, 3.5, (-10, 5, 25)),  # AU 1+2+4+5+20+26
}
EMOTIONS = tuple(VOICES)
# No label of the space is among the words, so an answer has to be understood rather than copied.
WORDS = {
    "neutral": "it was just the usual|nothing special happened there|I wrote it down as usual|it was an ordinary day",
    "happiness": "I was delighted, what a wonderful thing|it was wonderful and I could not stop laughing|"
    "I am so glad, it was great fun|I was delighted and laughing for hours",
    "sadness": "I was heartbroken and could only cry|I had to cry, I feel so alone|it broke my heart and I wept|"
    "I wept, everything is lost",
    "anger": "I was furious, how dare they|it is outrageous and I shouted at them|how dare they, I am fed up|"
    "I was outraged and furious",
    "fear": "I was terrified and began to tremble|I panicked and wanted to run away|I was trembling, it is dangerous|"
    "I was terrified, please help me run away",
}
SITUATIONS = {
    TRAIN: "When the letter arrived|After the meeting|On the train this morning|When my neighbour called|"
    "At the end of the film|When the door opened|During the lesson|When I read the report|In the kitchen last night|"
    "After the match|When the bus stopped|At my brother's flat",
    VALIDATION: "When the parcel came|At the station|After the concert|In the waiting room",
    TEST: "When the phone rang|On the way home|After the exam|At the market|When the lights went out|During dinner|"
    "When the results came|In front of the house",
}
SPACE = LabelSpace(
    "demo_affect_5",
    "category",
    EMOTIONS,
    source="four of the six emotions of Ekman (Cognition and Emotion 6, 1992), and neutral",
    aliases=aliases(*EMOTIONS),
)
CARD = CorpusCard(
    name="demo_affect",
    title="demo_affect (synthetic)",
    citation="generated by affectllm; correlates after Scherer 1986 and 2003, Juslin and Laukka 2003, Ekman and "
    "Friesen 1978, Benitez-Quiroz et al. 2018",
    url="",
    obtain="nothing to download: affectllm generates it on first use",
    licence="CC0-1.0",
    access="open",
    redistribution=True,
    commercial=True,
    languages=("en",),
    modalities=("video", "audio", "text"),
    spaces=(SPACE,),
    raters={
        "face": "the emotion that the face was drawn with",
        "voice": "the emotion that the voice was computed with",
        "words": "the emotion that the sentence was composed for",
        "intended": "the emotion of the clip, only where face, voice and words agree",
    },
    counts=CLIPS,
    split_policy="by construction: other speakers and other situations in each split",
    speaker_disjoint=True,
    max_seconds=3.0,
    notes=(
        "Synthetic: scores on it say that a model is trained and scored, and nothing about people.",
        "In every fifth clip at least one of face, voice and words contradicts the others; such a clip has no "
        "`intended` annotation.",
    ),
)
_COLUMNS = "file,split,speaker,sex,sentence,face,voice,words"
MINIATURE: Mapping[str, Content] = {
    "labels.csv": f"{_COLUMNS}\n"
    + 'clips/train_0000.mp4,train,train_00,female,"On the train this morning, it was just the usual.",neutral,neutral,'
    "neutral\n"
    + 'clips/train_0001.mp4,train,train_01,male,"After the match, I am so glad, it was great fun.",anger,happiness,'
    "happiness\n"
    + 'clips/test_0000.mp4,test,test_00,male,"During dinner, I wept, everything is lost.",sadness,sadness,sadness\n'
    + 'clips/validation_0000.mp4,validation,validation_00,female,"At the station, I was outraged and furious.",anger,'
    "anger,anger\n",
    "clips/train_0000.mp4": Clip(size=56),
    "clips/train_0001.mp4": Clip(size=56),
    "clips/test_0000.mp4": Clip(size=56),
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per clip, in the order of ``labels.csv``."""
    base = folder_of(root, CARD, lambda folder: _is_ours(folder / "labels.csv"), "labels.csv and clips/")
    seen: set[str] = set()
    for row in read_csv(base / "labels.csv", root, _COLUMNS.split(",")):
        if isinstance(row, Rejection):
            yield row
        elif duplicate := first_sight(seen, Path(row["file"]).stem, row.where):
            yield duplicate
        else:
            yield from _read(row, base, root)


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.readline().strip() == _COLUMNS


def _read(row: Row, base: Path, root: Path) -> Iterator[Sample | Rejection]:
    identifier = Path(row["file"]).stem
    emotions = {channel: SPACE.resolve(row[channel]) for channel in CHANNELS}
    if not inside(row["file"]):
        yield Rejection(identifier, "unsafe_path", row.where, row["file"])
        return
    if row["split"] not in CLIPS or None in emotions.values():
        yield Rejection(identifier, "unknown_label", row.where, f"{row['split']} {emotions}")
        return
    clip = base / row["file"]
    if not os.path.isfile(clip):
        yield Rejection(identifier, "media_missing", row.where, row["file"])
    annotations = [Annotation(SPACE.name, channel, emotion) for channel, emotion in emotions.items() if emotion]
    agree = len(set(emotions.values())) == 1
    if agree:
        annotations.append(Annotation(SPACE.name, "intended", annotations[0].value))
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=row["split"],
        annotations=tuple(annotations),
        source=row.where,
        text=row["sentence"],
        language="en",
        speaker=row["speaker"],
        media=(MediaRef(relative(clip, root), "video", sound=True),) if os.path.isfile(clip) else (),
        attributes={"synthetic": "yes", "sex": row["sex"], "agreement": "agree" if agree else "conflict"},
    )


@dataclass(frozen=True)
class Plan:
    """The plan of one clip; its fields are the columns of ``labels.csv``."""

    file: str
    split: str
    speaker: str
    sex: str
    sentence: str
    face: str
    voice: str
    words: str


def plan(seed: int, clips: Mapping[str, int]) -> list[Plan]:
    """Plan face, voice and words of every clip; speakers and emotions are crossed."""
    plans = []
    for split, count in clips.items():
        dice = random.Random(f"{seed}/{split}")
        conflicts = [mix for mix in itertools.product(EMOTIONS, repeat=3) if len(set(mix)) > 1]
        dice.shuffle(conflicts)
        disagree, agree = itertools.cycle(conflicts), itertools.count()
        for number in range(count):
            is_conflict = number % CONFLICTING == CONFLICTING - 1
            turn = number // CONFLICTING if is_conflict else next(agree)
            mix = next(disagree) if is_conflict else (EMOTIONS[turn % len(EMOTIONS)],) * 3
            who = (turn if is_conflict else turn // len(EMOTIONS)) % SPEAKERS[split]
            situation, words = (dice.choice(texts.split("|")) for texts in (SITUATIONS[split], WORDS[mix[2]]))
            sex = ("female", "male")[who % 2]
            file, speaker = f"clips/{split}_{number:04d}.mp4", f"{split}_{who:02d}"
            plans.append(Plan(file, split, speaker, sex, f"{situation}, {words}.", *mix))
    return plans


def generate(root: Path, seed: int, clips: Mapping[str, int] = CLIPS) -> None:
    """Fill the empty folder ``root`` with ``clips`` clips a split and their labels."""
    import numpy as np

    (root / "clips").mkdir(parents=True)
    planned = plan(seed, clips)
    for number, clip in enumerate(planned):
        person = np.random.default_rng([seed, *clip.speaker.encode()])
        body = _Person(person, clip.sex)
        dice = np.random.default_rng([seed, number])
        seconds = float(dice.uniform(1.6, 2.0))
        frames = draw(FACES[clip.face], body, seconds, dice)
        write_clip(root / clip.file, frames, FPS, speak(VOICES[clip.voice], body, seconds, dice), RATE)
    with (root / "labels.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Plan)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(clip) for clip in planned)


class _Person:
    """The constant features of one speaker: pitch in Hz, two resonances in Hz, skin, hair and room."""

    def __init__(self, dice: np.random.Generator, sex: str) -> None:
        import numpy as np

        low, high = (180, 215) if sex == "female" else (100, 130)
        self.pitch = float(dice.uniform(low, high))
        self.resonances = dice.uniform((450, 1200), (650, 1900))
        self.skin = np.asarray((230, 190, 160)) - dice.uniform(0, 1) * np.asarray((100, 100, 95))
        self.hair = np.asarray((120, 80, 45)) * dice.uniform(0.2, 1)
        self.room = dice.uniform(40, 120, 3)


def speak(voice: Voice, who: _Person, seconds: float, dice: np.random.Generator) -> np.ndarray:
    """Synthesise mono sound in [-1, 1] at ``RATE``: harmonics under two resonances, in syllables."""
    import numpy as np

    time = np.arange(int(seconds * RATE)) / RATE
    slow = np.sin(2 * np.pi * (0.8 * time + dice.uniform()))
    knots = np.arange(0, seconds + 0.02, 0.02)
    wobble = np.interp(time, knots, dice.normal(0, 1, len(knots)))
    semitones = voice.span / 2 * slow + voice.rise * (time / seconds - 0.5)
    level = who.pitch * voice.pitch * float(dice.uniform(0.95, 1.05))
    pitch = level * 2 ** (semitones / 12) * (1 + voice.jitter * wobble)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    sound, now, before, twice = np.zeros_like(time), np.sin(phase), np.zeros_like(time), 2 * np.cos(phase)
    for harmonic in range(1, 25):
        slowly = harmonic * pitch[::80]  # resonances and audibility, 200 times a second
        peaks = sum(np.exp(-(((slowly - peak) / 300) ** 2)) for peak in who.resonances)
        strength = (slowly < 0.45 * RATE) * (0.3 + peaks) / harmonic**voice.tilt
        sound += np.repeat(strength, 80)[: len(time)] * now
        now, before = twice * now - before, now  # the sine of the next multiple of the phase
    tempo = voice.syllables * float(dice.uniform(0.93, 1.07))
    sound *= np.sin(np.pi * (tempo * time + dice.uniform())) ** 2
    return sound / np.abs(sound).max() * 10 ** (voice.level / 20) + dice.normal(0, 5e-4, len(time))


def draw(face: Face, who: _Person, seconds: float, dice: np.random.Generator) -> np.ndarray:
    """Draw frames ``[time, SIZE, SIZE, 3]``, uint8 RGB, of a moving head."""
    import numpy as np

    time = np.arange(round(seconds * FPS))[:, None, None] / FPS
    beat = np.sin(2 * np.pi * (face.tempo * time + dice.uniform()))
    grid = np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2
    y = grid[0] - face.nod * beat - dice.uniform(-1.5, 1.5)
    x = grid[1] - face.shake * beat - dice.uniform(-1.5, 1.5)
    side = np.abs(x)
    skin = who.skin + np.asarray(face.tint)
    picture = np.ones((len(time), SIZE, SIZE, 3)) * who.room
    _paint(picture, 1 - np.hypot(x / 22, (y + 3) / 25), 24, who.hair)
    _paint(picture, 1 - np.hypot(x / 20, y / 24), 22, skin)
    eyes = 4.2 * face.eyes
    _paint(picture, 1 - np.hypot((side - 8.5) / 5, (y + 5) / eyes), 4, (250, 250, 250))
    _paint(picture, 1 - np.hypot((side - 8.5) / 2.2, (y + 5) / min(2.6, eyes)), 3, (20, 20, 30))
    slant = (side - 8.5) / 6
    brow = y + 11.5 + 3.0 * face.brows - 2.6 * face.inner * slant
    _paint(picture, np.minimum(1.5 - np.abs(brow), 6.5 - np.abs(side - 8.5)), 1, who.hair * 0.6)
    reach = 9.5 * face.width
    lips = y - 12.5 + 4.5 * face.corners * ((x / reach) ** 2 - 0.4)
    talk = 1 + 0.5 * np.sin(2 * np.pi * 2.7 * time)
    height = 1.4 + 4.5 * face.opening * talk * np.sqrt(np.clip(1 - (x / reach) ** 2, 0, 1))
    _paint(picture, np.minimum(height - np.abs(lips), reach - side), 1, (150, 35, 45))
    _paint(picture, np.minimum(height - 1.6 - np.abs(lips), reach - 2 - side), 1, (50, 10, 15))
    return np.clip(picture + dice.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)


def _paint(picture: np.ndarray, depth: np.ndarray, sharpness: float, colour: object) -> None:
    """Paint ``colour`` where ``depth`` is positive, with an edge that is soft over about a pixel."""
    import numpy as np

    share = np.clip(depth * sharpness + 0.5, 0, 1)[..., None]
    picture *= 1 - share
    picture += share * np.asarray(colour, float)
