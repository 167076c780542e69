"""PMEmo2019: the choruses of 794 songs of the charts, judged by ten listeners each in valence and arousal.

``metadata.csv`` lists the songs with title, artist, album and where the chorus is;
``annotations/static_annotations.csv`` has the means of 767 of them between 0 and 1, ``dynamic_annotations.csv`` a mean
every half second from 15 seconds, and ``static_annotations_std.csv`` and ``dynamic_annotations_std.csv`` the
deviations. ``chorus/1.mp3`` is the sound, ``lyrics/1.lrc`` the words with times. The copy of Music2Emotion renames the
columns (song_id, valence_mean) and puts the numbers on a scale from 1 to 9; it is read back to 0 to 1.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.music._traces import trace

from affectllm.corpus import CorpusCard, MediaRef, Rejection, Sample
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
SPACE = LabelSpace(
    "pmemo_va",
    "dimension",
    AXES,
    source="Zhang et al., The PMEmo Dataset for Music Emotion Recognition, ICMR 2018",
    bounds=(0.0, 1.0),
)
CARD = CorpusCard(
    name="pmemo",
    title="PMEmo",
    citation="Zhang, Zhang, Li, Yang, Sun: The PMEmo Dataset for Music Emotion Recognition. ICMR 2018",
    url="https://github.com/HuiZhangDB/PMEmo",
    obtain="PMEmo2019.zip, linked at https://github.com/HuiZhangDB/PMEmo ; the folder with metadata.csv and "
    "annotations/",
    licence="research use; the songs belong to their authors",
    access="open",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("audio", "text"),
    spaces=(SPACE,),
    raters={"mean": "the mean of at least ten listeners, whose skin conductance was measured too"},
    counts={},
    total=767,
    split_policy="ours, as there is no official one: by a hash of the artist, 80, 10 and 10 percent (of the song where "
    "metadata.csv is missing)",
    speaker_disjoint=True,
    max_seconds=200.0,
    notes=(
        "27 of the 794 songs have no static annotation and are rejected as no_annotation.",
        "Means over time, every half second from 15 seconds, are in valence_trace and arousal_trace.",
        "The speaker is the artist, or the song where the artist is unknown.",
        "Numbers above 1 mean a copy on a scale from 1 to 9; they are put back to 0 to 1.",
        "The text is the words of the whole song where lyrics are there, not those of the chorus alone.",
        "Comments and skin conductance are not read.",
    ),
)
MINIATURE: Mapping[str, Content] = {
    "metadata.csv": "musicId,fileName,title,artist,album,duration,chorus_start_time,chorus_end_time\n"
    '1,1.mp3,"One, Two",Ann Example,First,31.1,00:30,01:00\n4,4.mp3,Four,Ben Example,Second,20.0,00:30,00:50\n'
    + "".join(f"{song},{song}.mp3,Song,Artist {song},Album,20.0,00:30,00:50\n" for song in range(10, 40)),
    "annotations/static_annotations.csv": "musicId,Arousal(mean),Valence(mean)\n1,0.4,0.575\n1,0.4,0.575\n5,,0.2\n"
    "6,12,0.2\n" + "".join(f"{song},0.5,0.25\n" for song in range(10, 40)),
    "annotations/static_annotations_std.csv": "musicId,Arousal(std),Valence(std)\n1,0.1,0.2\n",
    "annotations/dynamic_annotations.csv": "musicId,frameTime,Arousal(mean),Valence(mean)\n1,15.0,0.3,0.5\n"
    "1,15.5,0.4,0.6\n",
    "lyrics/1.lrc": "[ti:One]\n[00:01.00]Hello\n[00:02.50][00:08.50]World\n",
    "chorus/1.mp3": Tone(pitch=330),
    "chorus/._1.mp3": b"\x00\x05\x16\x07",
}
_STATIC = "static_annotations.csv"
_COLUMNS = {
    "song": ("musicId", "song_id", "id"),
    "arousal": ("Arousal(mean)", "arousal_mean", "mean_arousal"),
    "valence": ("Valence(mean)", "valence_mean", "mean_valence"),
}
_STD = {
    "song": ("musicId", "song_id"),
    "arousal": ("Arousal(std)", "arousal_std"),
    "valence": ("Valence(std)", "valence_std"),
}
_TAG = re.compile(r"\[[^\]]*\]")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per song, in the order of the static annotations."""
    base = folder_of(root, CARD, _is_ours, "metadata.csv and annotations/static_annotations.csv")
    path, facts = find_file(base, _STATIC), dict(_facts(base, root))
    if path is None:
        yield missing_file(_STATIC, CARD)
        return
    if not facts:
        yield missing_file("metadata.csv", CARD)
    folders = list(folders_below(base, 2))
    songs = {p.stem: relative(p, root) for f in folders if f.name == "chorus" for p in list_media(f, SOUNDS)}
    words = {p.stem: p for f in folders if f.name == "lyrics" for p in list_media(f, (".lrc",))}
    traces, deviations = _traces(base, root), dict(_deviations(base, root))
    seen: set[str] = set()
    for row in read_table(path, root, _COLUMNS):
        if isinstance(row, Rejection):
            yield row
            continue
        song = row["song"].strip()
        if duplicate := first_sight(seen, song, row.where):
            yield duplicate
            continue
        song_facts = {**facts.get(song, ({}, ""))[0], **deviations.get(song, {}), **traces.get(song, {})}
        yield from _sample(song, row.fields, row.where, song_facts, songs, words, root)
    for song in (song for song in facts if song not in seen):
        yield Rejection(song, "no_annotation", facts[song][1])


def _is_ours(folder: Path) -> bool:
    return (
        (folder / "metadata.csv").is_file()
        and any((folder / place / _STATIC).is_file() for place in (".", "annotations"))
    ) or ((folder / "chorus").is_dir() and (folder / "annotations" / _STATIC).is_file())


def _facts(base: Path, root: Path) -> Iterator[tuple[str, tuple[dict[str, str], str]]]:
    path = base / "metadata.csv"
    for row in read_table(path, root, {"song": _COLUMNS["song"]}) if path.is_file() else ():
        if not isinstance(row, Rejection):
            names = ("title", "artist", "album", "duration", "chorus_start_time", "chorus_end_time")
            facts = {name: row.fields[name].strip() for name in names if row.fields.get(name, "").strip()}
            yield row["song"].strip(), (facts, row.where)


def _traces(base: Path, root: Path) -> dict[str, dict[str, str]]:
    path = find_file(base, "dynamic_annotations.csv")
    traces: defaultdict[str, dict[str, list[float | None]]] = defaultdict(lambda: {axis: [] for axis in AXES})
    for row in read_table(path, root, _COLUMNS) if path else ():
        if not isinstance(row, Rejection):
            for axis in AXES:
                traces[row["song"].strip()][axis].append(number(row[axis]))
    return {song: {f"{axis}_trace": trace(values[axis]) for axis in AXES} for song, values in traces.items()}


def _deviations(base: Path, root: Path) -> Iterator[tuple[str, dict[str, str]]]:
    path = find_file(base, "static_annotations_std.csv")
    for row in read_table(path, root, _STD) if path else ():
        if not isinstance(row, Rejection):
            yield row["song"].strip(), {f"{axis}_std": row[axis].strip() for axis in AXES if row[axis].strip()}


def _sample(
    song: str,
    fields: Mapping[str, str],
    where: str,
    facts: Mapping[str, str],
    songs: Mapping[str, str],
    words: Mapping[str, Path],
    root: Path,
) -> Iterator[Sample | Rejection]:
    numbers = [number(fields[axis], 0.0, 9.0) for axis in AXES]
    if any(value is None for value in numbers) or not song:
        yield Rejection(song or where, "broken_row", where, "no value from 0 to 1")
        return
    judged = {axis: value for axis, value in zip(AXES, numbers, strict=True) if value is not None}
    if max(judged.values()) > 1:
        judged = {axis: round((max(value, 1.0) - 1) / 8, 6) for axis, value in judged.items()}
    audio = songs.get(song)
    if audio and (trouble := unusable(root, audio, song)):
        yield trouble
        audio = None
    elif audio is None and songs:
        yield Rejection(song, "media_missing", where)
    artist = facts.get("artist") or f"song {song}"
    yield Sample(
        id=song,
        corpus=CARD.name,
        split=by_hash(artist, salt=CARD.name),
        annotations=(Annotation(SPACE.name, "mean", judged),),
        source=where,
        text=_lyrics(words[song], root) if song in words else None,
        language="en",
        speaker=artist,
        media=(MediaRef(audio, "audio"),) if audio else (),
        attributes=dict(facts),
    )


def _lyrics(path: Path, root: Path) -> str | None:
    """Return the lyrics without their times, line by line."""
    lines = (_TAG.sub("", line[1]).strip() for line in read_lines(path, root) if not isinstance(line, Rejection))
    return "\n".join(line for line in lines if line) or None
