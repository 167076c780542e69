"""MELD, the Multimodal EmotionLines Dataset: 1,432 dialogues of the TV series Friends, every utterance judged.

Three csv files list the utterances with speaker, emotion, sentiment and place in the episode; the clips come in
archives of their own, one mp4 an utterance, called ``dia{Dialogue_ID}_utt{Utterance_ID}.mp4``. Ids start again in each
split, so they are prefixed with it here. The csv inside ``MELD.Raw.tar.gz`` (before November 2020) holds typographic
quotes as C1 control characters; both releases read to the same text.

Clips lie in ``train_splits/``, ``dev_splits_complete/`` and ``output_repeated_splits_test/``, or in folders that people
renamed to ``train/``, ``dev/`` and ``test/``. Many clips are cut too late, some by minutes: every clip is used only as
long as its row says. Where a row's own times are wrong too, the clip is not used. A download without any clip is a
text corpus; once a split has clips, each clip that is missing from it is reported.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample, Turn
from affectllm.corpus.files.suffixes import FILMS
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import (
    Row,
    find_file,
    first_sight,
    folder_of,
    folders_below,
    is_lfs_pointer,
    list_media,
    missing_file,
    read_csv,
    relative,
)
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import SENTIMENT_3, aliases

FILES = {"train_sent_emo.csv": TRAIN, "dev_sent_emo.csv": VALIDATION, "test_sent_emo.csv": TEST}
CLIP_FOLDERS = {
    TRAIN: ("train_splits", "train"),
    VALIDATION: ("dev_splits_complete", "dev_splits", "dev", "validation", "valid", "val"),
    TEST: ("output_repeated_splits_test", "test_splits", "test"),
}
COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID", "StartTime", "EndTime")
_EMOTIONS = ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")
SPACE = LabelSpace(
    "meld_7",
    "category",
    _EMOTIONS,
    source="Poria et al., MELD, ACL 2019; order of the ids in its repository",
    aliases=aliases(*_EMOTIONS),
)
UNUSABLE = {
    "train/dia125_utt3": "corrupt file",
    "validation/dia110_utt7": "missing from the release",
    "test/dia38_utt4": "minutes long, and so are the times of its row",
    "test/dia220_utt0": "minutes long, and so are the times of its row",
}
BADLY_CUT = dict.fromkeys(
    (
        "train/dia164_utt5",
        "train/dia309_utt0",
        "train/dia529_utt2",
        "train/dia682_utt1",
        "train/dia793_utt0",
        "train/dia1008_utt1",
        "train/dia1029_utt1",
    ),
    "badly cut, minutes long: used as long as its row says",
)
CARD = CorpusCard(
    name="meld",
    title="MELD",
    citation="Poria, Hazarika, Majumder, Naik, Cambria, Mihalcea: MELD: A Multimodal Multi-Party Dataset for Emotion "
    "Recognition in Conversations. ACL 2019",
    url="https://github.com/declare-lab/MELD",
    obtain="train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv from data/MELD of "
    "https://github.com/declare-lab/MELD ; for the clips unpack MELD.Raw.tar.gz, linked there, beside them",
    licence="GPL-3.0",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("text", "video", "audio"),
    spaces=(SPACE, SENTIMENT_3),
    raters={"annotators": "majority of three annotators who watched the clip in its dialogue"},
    counts={TRAIN: 9989, VALIDATION: 1109, TEST: 2610},
    split_policy="official: train, dev and test csv; no dialogue is in two of them, but the main cast is in all",
    defects={**UNUSABLE, **BADLY_CUT},
    max_seconds=45.0,
    notes=(
        "GPL-3.0 covers the repository with its annotations; words and clips are from a television series and are for "
        "research, so nothing derived from them is published.",
        "Dialogue and utterance ids start again in each split.",
        "Utterance ids have gaps, where the annotators dropped an utterance; the context is what remains.",
        "Sound is 5.1 AAC; some clips have two frames only.",
        "Released clips without a row (dev dia49_utt4, dia49_utt5, dia66_utt9, dia66_utt10, test dia108_utt2) are "
        "rejected as no_annotation.",
        "Where test has both dia{D}_utt{U}.mp4 and final_videos_testdia{D}_utt{U}.mp4, the first is used.",
    ),
)
_HEADER = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\n"
MINIATURE: Mapping[str, Content] = {
    "train_sent_emo.csv": _HEADER
    + '1,"Well, you\u0092re early.",Ross,surprise,positive,0,0,1,2,"00:00:01,000","00:00:01,400"\n'
    + '2,Am I?,Rachel,neutral,neutral,0,2,1,2,"00:00:02,000","00:00:02,300"\n'
    + '3,"He said ""no"".",Ross,anger,negative,125,3,1,2,"00:00:03,000","00:00:05,300"\n'
    + '4,Long one.,Joey,joy,positive,309,0,1,2,"00:00:03,000","00:00:03,200"\n',
    "dev_sent_emo.csv": _HEADER
    + '1,Oh no.,Phoebe,fear,negative,0,0,1,3,"00:00:01,000","00:00:01,400"\n'
    + '2,Ew.,Monica,disgust,negative,0,1,1,3,"0:0:02,000","00:00:02,500"\n',
    "test_sent_emo.csv": _HEADER + '1,Bye.,Joey,sadness,negative,0,0,1,4,"00:00:01,000","00:00:01,400"\n',
    "train_splits/dia0_utt0.mp4": Clip(),
    "train_splits/._dia0_utt0.mp4": b"\x00\x05\x16\x07",
    "train_splits/dia0_utt1.mp4": Clip(),
    "train_splits/dia125_utt3.mp4": b"",
    "train_splits/dia309_utt0.mp4": Clip(),
    "output_repeated_splits_test/dia0_utt0.mp4": Clip(),
    "output_repeated_splits_test/final_videos_testdia0_utt0.mp4": Clip(),
}
_CLIP = re.compile(r"(?:final_videos_test)?(dia\d+_utt\d+)")
_TIME = re.compile(r"(\d+):(\d+):(\d+)[,.](\d+)")
_SHORTEST = 0.5  # some rows give a tenth of a second for a whole sentence; a longer end harms no shorter clip


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per utterance, in the order of the csv files."""
    base = folder_of(root, CARD, lambda folder: any((folder / name).is_file() for name in FILES), ", ".join(FILES))
    for name, split in FILES.items():
        path = find_file(base, name)
        if path is None:
            yield missing_file(name, CARD)
            continue
        clips = _clips(base, root, split)
        yield from _duplicates(clips)
        yield from _split(path, root, split, {key: paths[0] for key, paths in clips.items()})


def _clips(base: Path, root: Path, split: str) -> dict[str, list[str]]:
    """Return clip key (``dia0_utt3``) → its files relative to the root, the plainly named one first."""
    files: defaultdict[str, list[str]] = defaultdict(list)
    for folder in folders_below(base):
        if folder.name in CLIP_FOLDERS[split] or (folder == base and folder.name == split):
            for path in list_media(folder, FILMS):
                if name := _CLIP.fullmatch(path.stem):
                    files[name[1]].append(relative(path, root))
    return {key: sorted(paths, key=lambda path: "final_videos" in path) for key, paths in files.items()}


def _duplicates(clips: Mapping[str, list[str]]) -> Iterator[Rejection]:
    for paths in clips.values():
        for path in paths[1:]:
            yield Rejection(path, "duplicate_file", path, f"{paths[0]} is used")


def _split(path: Path, root: Path, split: str, clips: Mapping[str, str]) -> Iterator[Sample | Rejection]:
    seen: set[str] = set()
    context: defaultdict[str, list[Turn]] = defaultdict(list)
    for row in read_csv(path, root, COLUMNS):
        if isinstance(row, Rejection):
            yield row
            continue
        if not (row["Dialogue_ID"].isdecimal() and row["Utterance_ID"].isdecimal() and row["Utterance"].strip()):
            yield Rejection(row.where, "broken_row", row.where, "no words, or ids that are no numbers")
            continue
        key = f"dia{int(row['Dialogue_ID'])}_utt{int(row['Utterance_ID'])}"
        if duplicate := first_sight(seen, f"{split}/{key}", row.where):
            yield duplicate
            continue
        earlier = context[row["Dialogue_ID"]]
        yield from _utterance(row, root, split, key, tuple(earlier), clips)
        earlier.append(Turn(row["Speaker"].strip(), row["Utterance"].strip()))
    for key in (key for key in clips if f"{split}/{key}" not in seen):
        yield Rejection(clips[key], "no_annotation", clips[key], "a clip without a row")


def _utterance(
    row: Row, root: Path, split: str, key: str, context: tuple[Turn, ...], clips: Mapping[str, str]
) -> Iterator[Sample | Rejection]:
    identifier = f"{split}/{key}"
    annotations = []
    for column, space in (("Emotion", SPACE), ("Sentiment", SENTIMENT_3)):
        if label := space.resolve(row[column]):
            annotations.append(Annotation(space.name, "annotators", label))
        else:
            yield Rejection(identifier, "unknown_label", row.where, f"{column} {row[column]!r}")
    media, trouble = _media(row, root, identifier, clips.get(key), bool(clips))
    yield from trouble
    defect = CARD.defects.get(identifier)
    facts = {name.lower(): row.fields[name] for name in ("Season", "Episode") if row.fields.get(name)}
    if not annotations:
        return
    yield Sample(
        id=identifier,
        corpus=CARD.name,
        split=split,
        annotations=tuple(annotations),
        source=row.where,
        text=row["Utterance"].strip(),
        language="en",
        speaker=row["Speaker"].strip() or None,
        dialogue=f"{split}/dia{int(row['Dialogue_ID'])}",
        context=context,
        media=media,
        attributes={**facts, "defect": defect} if defect else facts,
    )


def _media(
    row: Row, root: Path, identifier: str, clip: str | None, has_clips: bool
) -> tuple[tuple[MediaRef, ...], list[Rejection]]:
    """Return the usable span of the clip, and rejections; there are none in a download without clips."""
    if not has_clips:
        return (), []
    if identifier in UNUSABLE:
        return (), [Rejection(identifier, "known_defect", clip or row.where, UNUSABLE[identifier])]
    if clip is None:
        return (), [Rejection(identifier, "media_missing", row.where, "no clip; its words are used")]
    if is_lfs_pointer(root / clip):
        return (), [Rejection(identifier, "lfs_pointer", clip, "run `git lfs pull`; its words are used")]
    trouble = []
    if identifier in BADLY_CUT:
        trouble = [Rejection(identifier, "known_defect", clip, BADLY_CUT[identifier])]
    return (MediaRef(clip, "video", sound=True, end=_seconds(row)),), trouble


def _seconds(row: Row) -> float | None:
    start, end = _TIME.fullmatch(row["StartTime"].strip()), _TIME.fullmatch(row["EndTime"].strip())
    if start is None or end is None:
        return None
    length = _clock(end) - _clock(start)
    return max(_SHORTEST, round(length, 3)) if length > 0 else None


def _clock(time: re.Match[str]) -> float:
    hours, minutes, seconds, fraction = time.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{int(seconds)}.{fraction}")
