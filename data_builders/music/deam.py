"""DEAM, the MediaEval Database for Emotional Analysis in Music: 1,802 pieces judged in valence and arousal.

Excerpts of 45 seconds (songs 2 to 2000) and 58 whole songs (2001 to 2058) with free licences. *Static* answers are one
number a person from 1 to 9; ``annotations averaged per song/song_level/static_annotations_averaged_songs_1_2000.csv``
has their means and deviations, with blanks before the names of its columns, and a second file has the whole songs,
with more columns. *Dynamic* answers are a number from -1 to 1 every half second after the first fifteen;
``arousal.csv`` and ``valence.csv`` have their means, a row a song, of any length. Both lie in folders whose names have
blanks or, in copies, underscores. Sound is ``MEMD_audio/2.mp3``. ``annotations per each rater`` has single people, who
are not the same person in two songs by column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.music._traces import trace

from affectllm.corpus import TEST, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    folders_below,
    list_media,
    missing_file,
    read_lines,
    relative,
)
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

AXES = ("valence", "arousal")
STATIC = ("static_annotations_averaged_songs_1_2000.csv", "static_annotations_averaged_songs_2000_2058.csv")
_SOURCE = "Aljanaki et al., Developing a benchmark for emotional analysis of music, PLoS ONE 12(3), 2017"
SPACE = LabelSpace("deam_va", "dimension", AXES, source=_SOURCE, bounds=(1.0, 9.0))
DYNAMIC = LabelSpace("deam_dynamic_va", "dimension", AXES, source=_SOURCE, bounds=(-1.0, 1.0))
CARD = CorpusCard(
    name="deam",
    title="DEAM",
    citation="Aljanaki, Yang, Soleymani: Developing a benchmark for emotional analysis of music. PLoS ONE 12(3): "
    "e0173392, "
    "2017",
    url="https://cvml.unige.ch/databases/DEAM/",
    obtain="DEAM_Annotations.zip and DEAM_audio.zip from https://cvml.unige.ch/databases/DEAM/ , unpacked in one "
    "folder",
    licence="CC-BY-NC (annotations and audio, for research)",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("audio",),
    spaces=(SPACE, DYNAMIC),
    raters={"mean": "the mean of at least five crowd and laboratory workers"},
    counts={},
    total=1802,
    split_policy="test: the 58 whole songs, on which MediaEval 2015 was scored. The other 1,744 ours by a hash of the "
    "song, 90 to 10",
    built_from=("emomusic",),
    max_seconds=700.0,
    notes=(
        "Static answers are on a scale from 1 to 9, dynamic ones from -1 to 1: two spaces.",
        "The dynamic answer is the mean over the song; the traces, every half second from 15 seconds, are in "
        "valence_trace and arousal_trace.",
        "Deviations are in valence_std and arousal_std.",
        "Artists are not in these files, so a musician may be in train and validation.",
        "The songs of EmoMusic are among these (the development set of 2013).",
    ),
)
_FOLDER = "annotations/annotations averaged per song"
MINIATURE: Mapping[str, Content] = {
    f"{_FOLDER}/song_level/{STATIC[0]}": "song_id, valence_mean, valence_std, arousal_mean, arousal_std\n"
    "2, 3.1, 0.94, 3, 0.63\n3, 13.5, 1.75, 3.3, 1.62\n4, 5.7, 1.42\n2, 3.1, 0.94, 3, 0.63\n"
    + "".join(f"{song}, 5, 1, 5, 1\n" for song in range(10, 40)),
    f"{_FOLDER}/song_level/{STATIC[1]}": "song_id, valence_mean, valence_std, valence_ max_mean, arousal_mean, "
    "arousal_std\n"
    "2001, 4.5, 1, 5, 4, 1\n",
    f"{_FOLDER}/dynamic (per second annotations)/valence.csv": "song_id,sample_15000ms,sample_15500ms,sample_16000ms\n"
    "2,0.1,0.2\n2001,-0.1,,0.3\n",
    f"{_FOLDER}/dynamic (per second annotations)/arousal.csv": "song_id,sample_15000ms,sample_15500ms,sample_16000ms\n"
    "2,-0.5,-0.5\n",
    "MEMD_audio/2.mp3": Tone(),
    "MEMD_audio/._2.mp3": b"\x00\x05\x16\x07",
    "MEMD_audio/2001.mp3": Tone(),
}
_COLUMNS = {"song_id": ("songid", "id"), "valence_mean": (), "arousal_mean": ()}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per song, in the order of the two tables."""
    base = folder_of(root, CARD, lambda folder: bool(_static(folder)), f"{_FOLDER}/song_level/{STATIC[0]}")
    traces = {axis: dict(_traces(_dynamic(base, axis), root)) for axis in AXES}
    songs = {
        path.stem: relative(path, root)
        for folder in folders_below(base, 2)
        if folder.name.lower() in ("memd_audio", "audio")
        for path in list_media(folder, SOUNDS)
    }
    seen: set[str] = set()
    for index, path in enumerate(find_file(base, name) for name in STATIC):
        if path is None:
            yield missing_file(STATIC[index], CARD)
            continue
        for row in read_table(path, root, _COLUMNS):
            if isinstance(row, Rejection):
                yield row
                continue
            song = row["song_id"].strip()
            if duplicate := first_sight(seen, song, row.where):
                yield duplicate
                continue
            split = TEST if index else by_hash(song, validation=0.1, test=0.0, salt=CARD.name)
            yield from _sample(song, split, row.fields, row.where, traces, songs, root)


def _static(folder: Path) -> list[Path]:
    inner = ("annotations averaged per song", "annotations_averaged_per_song")
    places = [folder, *(folder / top / name / "song_level" for top in (".", "annotations") for name in inner)]
    return [place / name for place in places for name in STATIC if (place / name).is_file()]


def _dynamic(base: Path, axis: str) -> Path | None:
    """Averages only: other folders have files of the same name for each rater or for features."""
    for folder in folders_below(base):
        if folder.name.startswith("dynamic") and (folder / f"{axis}.csv").is_file():
            return folder / f"{axis}.csv"
    return None


def _traces(path: Path | None, root: Path) -> Iterator[tuple[str, list[float | None]]]:
    for line in read_lines(path, root) if path else ():
        if not isinstance(line, Rejection) and line[1][:1].isdecimal():
            song, *values = line[1].strip().rstrip(",").split(",")
            yield song.strip(), [number(value, -1.0, 1.0) for value in values]


def _sample(
    song: str,
    split: str,
    fields: Mapping[str, str],
    where: str,
    traces: Mapping[str, Mapping[str, list[float | None]]],
    songs: Mapping[str, str],
    root: Path,
) -> Iterator[Sample | Rejection]:
    axes = {axis: number(fields[f"{axis}_mean"], 1.0, 9.0) for axis in AXES}
    judged = {axis: value for axis, value in axes.items() if value is not None}
    if len(judged) < len(AXES) or not song.isdecimal():
        yield Rejection(song or where, "broken_row", where, "no value from 1 to 9, or an id that is no number")
        return
    moments = {axis: traces[axis].get(song, []) for axis in AXES}
    present = {axis: [value for value in values if value is not None] for axis, values in moments.items()}
    means = {axis: sum(values) / len(values) for axis, values in present.items() if values}
    audio = songs.get(song)
    if audio and (trouble := unusable(root, audio, song)):
        yield trouble
        audio = None
    elif audio is None and songs:
        yield Rejection(song, "media_missing", where)
    others = {re.sub(r"\W+", "_", name): value.strip() for name, value in fields.items() if name not in _COLUMNS}
    yield Sample(
        id=song,
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(SPACE.name, "mean", judged),
            *((Annotation(DYNAMIC.name, "mean", means),) if means else ()),
        ),
        source=where,
        media=(MediaRef(audio, "audio"),) if audio else (),
        attributes={
            **{name: value for name, value in others.items() if value},
            **{f"{axis}_trace": trace(values) for axis, values in moments.items() if values},
        },
    )
