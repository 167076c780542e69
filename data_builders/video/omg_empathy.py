"""OMG-Empathy: ten listeners hear eight stories each, and say frame by frame how they felt.

Four actors told eight half-scripted stories to one listener at a time. Afterwards the listener watched the recording
and followed his or her own feeling with a joystick, from negative (-1) to positive (1): the table
``Annotations/Subject_1_Story_2.csv`` has a header ``valence`` and a number for each frame of
``Videos/Subject_1_Story_2.mp4``, about five minutes long. The challenge asks for one listener (personalized: by
subject) or for all (generalized: by story). Subjects and stories are attributes; the whole curve is kept beside its
mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, Rejection, Sample
from affectllm.corpus.files.clips import Clips
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import first_sight, folder_of, folders_below, list_media, read_lines, relative
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace

FOLDERS = {"training": TRAIN, "train": TRAIN, "validation": VALIDATION, "testing": TEST, "test": TEST}
STORIES = {1: VALIDATION, **dict.fromkeys((2, 4, 5, 8), TRAIN), **dict.fromkeys((3, 6, 7), TEST)}
TOPICS = {
    1: "a childhood friend",
    2: "starting a band",
    3: "a dog",
    4: "a bad flight",
    5: "an adventurous journey",
    6: "cheating in an examination",
    7: "winning a martial arts contest",
    8: "very bad food",
}
_SOURCE = "Barros et al., The OMG-Empathy Dataset, ACII 2019"
VALENCE = LabelSpace("omg_empathy_valence", "dimension", ("valence",), source=_SOURCE, bounds=(-1.0, 1.0))
CURVE = LabelSpace("omg_empathy_curve", "open", (), source=_SOURCE)
CARD = CorpusCard(
    name="omg_empathy",
    title="OMG-Empathy",
    citation="Barros, Churamani, Lim, Wermter: The OMG-Empathy Dataset: Evaluating the Impact of Affective Behavior in "
    "Storytelling. ACII 2019",
    url="https://www2.informatik.uni-hamburg.de/wtm/omgchallenges/omg_empathy.html",
    obtain="by e-mail, as https://www2.informatik.uni-hamburg.de/wtm/omgchallenges/omg_empathy.html says; Training/, "
    "Validation/ and Test/ hold Videos/ and Annotations/",
    licence="CC-BY-NC-SA-3.0-DE",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video",),
    spaces=(VALENCE, CURVE),
    raters={"listener": "the listener, about his or her own feeling, with a joystick while watching the recording"},
    counts={TRAIN: 40, VALIDATION: 10, TEST: 30},
    split_policy="official: by story (validation 1, train 2, 4, 5 and 8, test 3, 6 and 7); the folder decides where it "
    "is called Training, Validation or Test",
    max_seconds=900.0,
    notes=(
        "All ten listeners are in all splits; stories are not.",
        "Video and audio show speaker and listener side by side; the label is the listener's.",
        "A table may have a few rows more or fewer than its video has frames.",
        "Annotations of the test stories were given out after the challenge; without them they are no_annotation.",
        "The curve is a list of numbers separated by blanks, one a frame; valence is its mean.",
        "The licence allows no handing on of the corpus.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "Training/Annotations/Subject_1_Story_2.csv": "valence\n0.0\n0.25\n-0.5\n0.1\n",
    "Training/Videos/Subject_1_Story_2.mp4": Clip(),
    "Training/Annotations/Subject_2_Story_4.csv": "valence\r\n0.5\r\nnan\r\n1.5\r\n",
    "Training/Annotations/Subject_3_Story_5.csv": "valence\n",
    "Validation/Annotations/Subject_1_Story_1.csv": "valence\n-1\n",
    "Validation/Videos/Subject_1_Story_1.mp4": Clip(),
    "Test/Annotations/Subject_1_Story_3.csv": "valence\n0.75\n",
    "Test/Videos/Subject_1_Story_7.mp4": Clip(),
    "Test/Videos/notes.mp4": Clip(),
}
_NAME = re.compile(r"subject_0?(\d+)_story_0?(\d+)", re.IGNORECASE)
_PLACES = re.compile("|".join((*FOLDERS, "annotations", "videos", r"subject_\d+")))


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per video, by folder and name."""
    base = folder_of(root, CARD, _looks_right, "Training/Annotations/Subject_1_Story_2.csv and so on")
    clips = Clips(base, root, _key)
    yield from clips.odd()
    seen: set[str] = set()
    for path in list_media(base, (".csv",), depth=4):
        key, where = _key(path), relative(path, root)
        if key is None:
            yield Rejection(where, "unknown_name", where, "not subject and story")
        elif again := first_sight(seen, key, where):
            yield again
        else:
            yield from _video(path, root, key, clips)
    yield from clips.left()


def _key(path: Path) -> str | None:
    name = _NAME.fullmatch(path.stem)
    return f"Subject_{int(name[1])}_Story_{int(name[2])}" if name else None


def _looks_right(folder: Path) -> bool:
    # A place within a place: folders of other names below would make any folder above the corpus look like it.
    outer = [place for place in folders_below(folder, 1) if place == folder or _PLACES.fullmatch(place.name.lower())]
    inner = [place for one in outer if one != folder for place in folders_below(one, 1)]
    places = [*outer, *(place for place in inner if _PLACES.fullmatch(place.name.lower()))]
    return any(_key(path) for place in places for path in list_media(place, (".csv", *FILMS)))


def _video(path: Path, root: Path, key: str, clips: Clips) -> Iterator[Sample | Rejection]:
    where = relative(path, root)
    curve: list[float] = []
    yield from _curve(path, root, curve)
    subject, story = (int(part) for part in re.findall(r"\d+", key))
    split = next((FOLDERS[part] for part in where.lower().split("/") if part in FOLDERS), STORIES.get(story))
    media = clips.media(key)
    if not curve or split is None:
        yield Rejection(
            key, "no_annotation" if split else "unknown_name", where, f"{len(curve)} numbers, story {story}"
        )
        return
    yield from clips.missing(key, key, where)
    yield Sample(
        id=key,
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(VALENCE.name, "listener", {"valence": round(sum(curve) / len(curve), 6)}),
            Annotation(CURVE.name, "listener", " ".join(f"{value:g}" for value in curve)),
        ),
        source=where,
        language="en",
        speaker=f"Subject_{subject}",
        media=media,
        attributes={"subject": str(subject), "story": str(story), "topic": TOPICS.get(story, "unknown")},
    )


def _curve(path: Path, root: Path, curve: list[float]) -> Iterator[Rejection]:
    for place, line in enumerate(read_lines(path, root)):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        value = number(text.strip().strip('"'), *VALENCE.bounds or ())
        if value is not None:
            curve.append(value)
        elif text.strip() and (place or not text.strip().strip('"').isalpha()):
            yield Rejection(where, "broken_row", where, text[:80])
