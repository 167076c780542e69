"""MTG-Jamendo, mood and theme: full-length songs from Jamendo with the tags that their own uploaders gave them.

``autotagging_moodtheme.tsv`` lists 18,486 tracks with artist, album, path, seconds and one or more tags. It has a
header of six columns but every tag is a column of its own (``mood/theme---happy``), so rows have any number of fields.
``splits/split-0`` to ``split-4`` are five ways to divide the tracks into train, validation and test, no artist in two
of them; they keep the 56 tags of 59 that every part has enough of, so 504 tracks are in no split. Split 0 is the split
here, as in the MediaEval task; where a track stands in the others is in the attributes ``fold_1`` to ``fold_4``.

Songs lie as ``48/948.mp3`` or, in the smaller release, ``48/948.low.mp3``, in a folder such as ``audio/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    folders_below,
    inside,
    is_lfs_pointer,
    media_path,
    missing_file,
    read_delimited,
)
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace

TAGS = (
    *("action", "adventure", "advertising", "background", "ballad", "calm", "children", "christmas", "commercial"),
    *("cool", "corporate", "dark", "deep", "documentary", "drama", "dramatic", "dream", "emotional", "energetic"),
    *("epic", "fast", "film", "fun", "funny", "game", "groovy", "happy", "heavy", "holiday", "hopeful", "inspiring"),
    *("love", "meditative", "melancholic", "melodic", "motivational", "movie", "nature", "party", "positive"),
    *("powerful", "relaxing", "retro", "romantic", "sad", "sexy", "slow", "soft", "soundscape", "space", "sport"),
    *("summer", "trailer", "travel", "upbeat", "uplifting"),
)
ALL_TAGS = tuple(sorted((*TAGS, "ambiental", "horror", "mellow")))
SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
FOLDS = range(5)
TABLE = "autotagging_moodtheme.tsv"
_SOURCE = "Bogdanov et al., The MTG-Jamendo Dataset for Automatic Music Tagging, ICML workshop 2019"
SPACE = LabelSpace("mtg_jamendo_56", "set", TAGS, source=_SOURCE)
ALL = LabelSpace("mtg_jamendo_59", "set", ALL_TAGS, source=_SOURCE + "; before tags were dropped for the splits")
CARD = CorpusCard(
    name="mtg_jamendo",
    title="MTG-Jamendo (mood and theme)",
    citation="Bogdanov, Won, Tovstogan, Porter, Serra: The MTG-Jamendo Dataset for Automatic Music Tagging. Machine "
    "Learning for Music Discovery Workshop, ICML 2019",
    url="https://github.com/MTG/mtg-jamendo-dataset",
    obtain="data/autotagging_moodtheme.tsv and data/splits from https://github.com/MTG/mtg-jamendo-dataset ; the songs "
    "with its script: scripts/download/download.py --dataset autotagging_moodtheme --type audio (or audio-low)",
    licence="CC-BY-NC-SA-4.0 (metadata); each song has its own Creative Commons licence",
    access="open",
    redistribution=True,
    commercial=False,
    languages=("und",),
    modalities=("audio",),
    spaces=(SPACE, ALL),
    raters={"uploader": "the artist who uploaded the song, by tags that were merged and filtered by the authors"},
    counts={TRAIN: 9949, VALIDATION: 3802, TEST: 4231},
    split_policy="official: split-0 of five; no artist is in two parts. The other four are in fold_1 to fold_4",
    speaker_disjoint=True,
    max_seconds=4000.0,
    notes=(
        "Every tag is a column of its own, so a row has six fields or more.",
        "Of 18,486 tracks 504 have none of the 56 tags that are left in the splits; they are rejected as not_in_split.",
        "mtg_jamendo_56 are the tags of the split files, mtg_jamendo_59 those of autotagging_moodtheme.tsv.",
        "The speaker is the artist. The genre and instrument tags of the collection are not read.",
        "Tags are what an artist calls the song, not what listeners felt: about half are themes (film, christmas).",
    ),
)
_HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
_ONE = "track_0000011\tartist_000001\talbum_000001\t11/11.mp3\t0.5\tmood/theme---happy"
_TWO = "track_0000012\tartist_000002\talbum_000002\t12/12.mp3\t200.0\tmood/theme---sad\tmood/theme---slow\n"
_THREE = "track_0000013\tartist_000003\talbum_000003\t13/13.mp3\t95.5\tmood/theme---epic\n"
MINIATURE: Mapping[str, Content] = {
    f"data/{TABLE}": _HEADER
    + (_ONE + "\tmood/theme---mellow\n" + _TWO + _THREE)
    + "track_0000014\tartist_000004\talbum_000004\t14/14.mp3\t60.0\tmood/theme---horror\n"
    + "track_0000015\tartist_000004\n",
    f"data/splits/split-0/{TABLE.replace('.', '-train.')}": _HEADER
    + (_ONE + "\n" + _ONE + "\n")
    + "track_0000016\tartist_000001\talbum_000009\t../16.mp3\t60.0\tmood/theme---fun\n"
    + "track_0000017\tartist_000001\talbum_000009\t17/17.mp3\t60.0\tmood/theme---sleepy\n",
    f"data/splits/split-0/{TABLE.replace('.', '-validation.')}": _HEADER + _TWO,
    f"data/splits/split-0/{TABLE.replace('.', '-test.')}": _HEADER + _THREE,
    f"data/splits/split-1/{TABLE.replace('.', '-test.')}": _HEADER + _ONE + "\n",
    "audio/11/11.mp3": Tone(),
    "audio/12/12.low.mp3": Tone(),
}
_TRACK = re.compile(r"track_\d+")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per track of split 0, in the order of train, validation and test."""
    base = folder_of(root, CARD, _is_ours, f"{TABLE}, and splits/split-0")
    songs = _song_folder(base, root)
    folds = {name: fold for name in FOLDS if (fold := dict(_fold(base, root, name)))}
    whole = find_file(base, TABLE)
    tags: dict[str, tuple[str, tuple[str, ...] | None]] = {}
    if whole is None:
        yield missing_file(TABLE, CARD)
    for row in _rows(whole, root) if whole else ():
        if isinstance(row, Rejection):
            yield row
        else:
            tags[row[1][0]] = (row[0], _tags(row[1][5:], ALL))
    seen: set[str] = set()
    for name, split in SPLITS.items():
        path = _split_file(base, 0, name)
        if path is None:
            yield missing_file(f"split-0/{TABLE.replace('.', f'-{name}.')}", CARD)
        for row in _rows(path, root) if path else ():
            if isinstance(row, Rejection):
                yield row
            elif duplicate := first_sight(seen, row[1][0], row[0]):
                yield duplicate
            else:
                yield from _sample(split, *row, songs, root, folds, tags.get(row[1][0], ("", None))[1])
    for track in (track for track in tags if track not in seen):
        yield Rejection(track, "not_in_split", tags[track][0], "in no part of split 0")


def _is_ours(folder: Path) -> bool:
    return (
        (folder / TABLE).is_file() or (folder / "data" / TABLE).is_file() or _split_file(folder, 0, "train") is not None
    )


def _split_file(base: Path, fold: int, part: str) -> Path | None:
    name = TABLE.replace(".", f"-{part}.")
    places = (base / f"split-{fold}", base / "splits" / f"split-{fold}", base / "data" / "splits" / f"split-{fold}")
    return next((place / name for place in places if (place / name).is_file()), None)


def _fold(base: Path, root: Path, fold: int) -> Iterator[tuple[str, str]]:
    for part, split in SPLITS.items():
        path = _split_file(base, fold, part)
        for row in _rows(path, root) if path else ():
            if not isinstance(row, Rejection):
                yield row[1][0], split


def _rows(path: Path, root: Path) -> Iterator[tuple[str, list[str]] | Rejection]:
    for line in read_delimited(path, root, "\t", width=6):
        if isinstance(line, Rejection):
            yield line
        elif _TRACK.fullmatch(line[1][0].strip()):
            yield line[0], [field.strip() for field in line[1]]
        elif line[1][0] != "TRACK_ID":
            yield Rejection(line[0], "broken_row", line[0], f"no track: {line[1][0][:80]!r}")


def _tags(fields: list[str], space: LabelSpace) -> tuple[str, ...] | None:
    """Return the tags of a row in the space's order; None when one of them is unknown."""
    names = {field.rpartition("---")[2].lower() for field in fields if field}
    return tuple(name for name in space.names if name in names) if names and names <= set(space.names) else None


def _song_folder(base: Path, root: Path) -> Path | None:
    """Return the folder that holds ``48/948.mp3`` and so on; None where no song was downloaded."""
    for folder in (*folders_below(base, 2), *folders_below(root, 2)):
        for inner in (folder / f"{place:02d}" for place in range(100)):
            if inner.is_dir() and any(inner.glob("*.mp3")):
                return folder
    return None


def _sample(
    split: str,
    where: str,
    fields: list[str],
    songs: Path | None,
    root: Path,
    folds: Mapping[int, Mapping[str, str]],
    every: tuple[str, ...] | None,
) -> Iterator[Sample | Rejection]:
    track, artist, album, named, seconds = fields[:5]
    tags = _tags(fields[5:], SPACE)
    if tags is None:
        yield Rejection(track, "unknown_label", where, ", ".join(fields[5:])[:120])
        return
    song = _song(named, where, songs, root)
    if isinstance(song, Rejection):
        yield song
    parts = {f"fold_{fold}": parts[track] for fold, parts in folds.items() if track in parts}
    length = number(seconds, 0.0)
    yield Sample(
        id=track,
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(SPACE.name, "uploader", tags),
            *((Annotation(ALL.name, "uploader", every),) if every else ()),
        ),
        source=where,
        speaker=artist or None,
        media=(MediaRef(song, "audio"),) if isinstance(song, str) else (),
        attributes={"album": album, "path": named, **({"seconds": seconds} if length else {}), **parts},
    )


def _song(named: str, where: str, songs: Path | None, root: Path) -> str | Rejection | None:
    if not inside(named):
        return Rejection(named, "unsafe_path", where, "absolute, or outside the corpus")
    if songs is None:
        return None
    song = media_path(songs, root, named, where)
    if isinstance(song, Rejection):
        low = media_path(songs, root, re.sub(r"(?=\.\w+$)", ".low", named), where)
        song = low if isinstance(low, str) else song
    if isinstance(song, str) and is_lfs_pointer(root / song):
        return Rejection(named, "lfs_pointer", song, "run `git lfs pull`")
    return song
