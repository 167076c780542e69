"""BoLD, the Body Language Dataset: people in 9,876 clips from films, judged by their bodies in 26 emotions.

A row of ``annotations/train.csv`` or ``val.csv`` is one person in one clip, without a header: the clip
(``003/IzvOYVMltkI.mp4/0114.mp4``: folder, film, clip), the number of the person, first and last frame, the share of
the raters who saw each of 26 emotions, valence, arousal and dominance from 1 to 10, and the person's gender, age and
ethnicity, and a score of confidence. The order of the emotions is not the alphabetical one of EMOTIC, whose names it
shares. The labels of the test part are not public.

Clips lie in ``videos/`` under the same path; ``joints/`` has the pose of every person in every frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import (
    first_sight,
    folder_of,
    is_lfs_pointer,
    media_path,
    missing_file,
    read_delimited,
)
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import aliases

EMOTIONS = (
    *("peace", "affection", "esteem", "anticipation", "engagement", "confidence", "happiness", "pleasure"),
    *("excitement", "surprise", "sympathy", "doubt/confusion", "disconnection", "fatigue", "embarrassment"),
    *("yearning", "disapproval", "aversion", "annoyance", "anger", "sensitivity", "sadness", "disquietment"),
    *("fear", "pain", "suffering"),
)
AXES = ("valence", "arousal", "dominance")
FACTS = ("gender", "age", "ethnicity", "annotation_confidence")
FILES = {"train.csv": TRAIN, "val.csv": VALIDATION, "test.csv": TEST}
SHARE_OF_RATERS = 0.5  # from which the authors count an emotion as present
_SOURCE = "Luo et al., ARBEE, International Journal of Computer Vision 128, 2020"
_ALIASES = {**aliases(*EMOTIONS), "doubt": "doubt/confusion", "confusion": "doubt/confusion"}
PRESENT = LabelSpace("bold_26", "set", EMOTIONS, source=_SOURCE, aliases=_ALIASES)
SHARES = LabelSpace("bold_26_share", "dimension", EMOTIONS, source=_SOURCE, aliases=_ALIASES, bounds=(0.0, 1.0))
VAD = LabelSpace("bold_vad", "dimension", AXES, source=_SOURCE, bounds=(1.0, 10.0))
CARD = CorpusCard(
    name="bold",
    title="BoLD",
    citation="Luo, Ye, Adams, Li, Newman, Wang: ARBEE: Towards Automated Recognition of Bodily Expression of Emotion "
    "in the Wild. International Journal of Computer Vision 128, 2020",
    url="https://cydar.ist.psu.edu/emotionchallenge/index.php",
    obtain="BOLD_public by request at https://cydar.ist.psu.edu/emotionchallenge ; the folder with annotations/ and "
    "videos/",
    licence="BoLD terms of use (research only)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("video", "audio"),
    spaces=(PRESENT, SHARES, VAD),
    raters={"crowd": "crowd workers who saw the clip with the person marked, weighted by their reliability"},
    counts={},
    split_policy="official: train.csv and val.csv; the labels of test are not public (70, 10 and 20 percent of "
    "13,239 persons)",
    max_seconds=60.0,
    notes=(
        "The order of the 26 emotions differs from that of EMOTIC.",
        "bold_26 are the emotions that half of the raters or more saw, as the authors count them; bold_26_share keeps "
        "the shares.",
        "A clip may show several people: which one is meant is in person, start_frame and end_frame, and `people` says "
        "how many of the clip were annotated. Frame numbers are those of the clip; joints start at the first of them.",
        "`film` is the video that a clip was cut from.",
        "Pose (joints/) and features (mmextract/) are not read.",
    ),
)


def _row(clip: str, person: str, shares: str, tail: str = "5.5,6,4.5,Female,Adult,Asian,0.9") -> str:
    return f"{clip},{person},0,120,{','.join(shares for _ in EMOTIONS[2:])},0.5,1.0,{tail}\n"


MINIATURE: Mapping[str, Content] = {
    "annotations/train.csv": _row("001/aaaaaaaaaaa.mp4/0001.mp4", "0", "0.0")
    + _row("001/aaaaaaaaaaa.mp4/0001.mp4", "1", "0.25")
    + _row("001/aaaaaaaaaaa.mp4/0001.mp4", "1", "0.25")
    + _row("001/aaaaaaaaaaa.mp4/0002.mp4", "0", "7")
    + "001/aaaaaaaaaaa.mp4/0003.mp4,0,0\n"
    + _row("../../aaaaaaaaaaa.mp4", "0", "0.1"),
    "annotations/val.csv": _row("002/bbbbbbbbbbb.mp4/0001.mp4", "0.0", "0.1", "nan,nan,nan,,,,"),
    "videos/001/aaaaaaaaaaa.mp4/0001.mp4": Clip(),
    "videos/001/aaaaaaaaaaa.mp4/._0001.mp4": b"\x00\x05\x16\x07",
}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per person in a clip, in the order of the csv files."""
    base = folder_of(root, CARD, lambda folder: _table(folder, "train.csv") is not None, "annotations/train.csv")
    videos = next((base / name for name in ("videos", "video") if (base / name).is_dir()), None)
    seen: set[str] = set()
    for name, split in FILES.items():
        path = _table(base, name)
        if path is None and split != TEST:
            yield missing_file(name, CARD)
        people = _people(path, root) if path else {}
        for line in read_delimited(path, root, ",", width=4) if path else ():
            if isinstance(line, Rejection):
                yield line
            else:
                yield from _sample(line, split, seen, videos, root, len(people.get(line[1][0].strip(), ())))


def _people(path: Path, root: Path) -> dict[str, set[str]]:
    """Return clip → the numbers of the people who were annotated in it."""
    people: dict[str, set[str]] = {}
    for line in read_delimited(path, root, ",", width=4):
        if not isinstance(line, Rejection):
            people.setdefault(line[1][0].strip(), set()).add(line[1][1].strip())
    return people


def _table(folder: Path, name: str) -> Path | None:
    path = folder / "annotations" / name
    return path if path.is_file() else None


def _sample(
    line: tuple[str, list[str]], split: str, seen: set[str], videos: Path | None, root: Path, people: int
) -> Iterator[Sample | Rejection]:
    where, fields = line[0], [field.strip() for field in line[1]]
    person, first, last = (number(field) for field in fields[1:4])
    if person is None or first is None or last is None:
        if fields[1] != "person_id":
            yield Rejection(where, "broken_row", where, "no person, or no frames")
        return
    # A person may come and go, so that the same number stands in a clip more than once.
    identifier = f"{fields[0]}#{int(person)}@{int(first)}"
    if duplicate := first_sight(seen, identifier, where):
        yield duplicate
        return
    annotations = tuple(_annotations(fields[4:]))
    if not annotations:
        reason = "no_annotation" if len(fields) == 4 else "broken_row"
        yield Rejection(identifier, reason, where, "not 26 shares from 0 to 1")
        return
    clip = media_path(videos, root, fields[0], where) if videos else None
    if isinstance(clip, str) and is_lfs_pointer(root / clip):
        clip = Rejection(identifier, "lfs_pointer", clip, "run `git lfs pull`")
    if isinstance(clip, Rejection):
        yield clip
    facts = dict(zip(FACTS, fields[33:37], strict=False))
    parts = fields[0].split("/")
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=annotations,
        source=where,
        speaker=f"{fields[0]}#{int(person)}",
        media=(MediaRef(clip, "video", sound=True),) if isinstance(clip, str) else (),
        attributes={
            "film": parts[-2].removesuffix(".mp4") if len(parts) > 1 else fields[0],
            "person": str(int(person)),
            "start_frame": str(int(first)),
            "end_frame": str(int(last)),
            "people": str(people),
            **{name: value for name, value in facts.items() if value},
        },
    )


def _annotations(fields: list[str]) -> Iterator[Annotation]:
    shares = [number(field, 0.0, 1.0) for field in fields[: len(EMOTIONS)]]
    levels = {name: share for name, share in zip(EMOTIONS, shares, strict=False) if share is not None}
    if len(levels) == len(EMOTIONS):
        present = tuple(name for name, share in levels.items() if share >= SHARE_OF_RATERS)
        yield Annotation(PRESENT.name, "crowd", present)
        yield Annotation(SHARES.name, "crowd", levels)
        axes = zip(AXES, (number(field, 1.0, 10.0) for field in fields[26:29]), strict=False)
        if vad := {name: value for name, value in axes if value is not None}:
            yield Annotation(VAD.name, "crowd", vad)
