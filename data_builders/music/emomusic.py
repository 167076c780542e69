"""EmoMusic (1000 Songs): 744 excerpts of 45 seconds, judged in valence and arousal by ten crowd workers each.

A thousand songs of the Free Music Archive were judged; after duplicates were removed 744 remain. ``songs_info.csv``
has tabs *inside* its quotes (``"\\t2.mp3"``, ``"\\t0.48"``), so every field is stripped; its last column says which
songs were for development and which for evaluation in MediaEval 2013. ``static_annotations.csv`` has mean and
deviation of one answer a song, from 1 to 9; ``arousal_cont_average.csv`` and ``valence_cont_average.csv`` means from
-1 to 1 every half second, a row a song. Sound is ``clips_45seconds/2.mp3``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.music._traces import trace

from affectllm.corpus import TEST, TRAIN, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.files.suffixes import SOUNDS
from affectllm.corpus.miniature import Content, Tone
from affectllm.corpus.reading import (
    Row,
    find_file,
    first_sight,
    folder_of,
    folders_below,
    list_media,
    missing_file,
    read_lines,
    relative,
)
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

AXES = ("valence", "arousal")
SETS = {"development": TRAIN, "evaluation": TEST}
_SOURCE = "Soleymani et al., 1000 Songs for Emotional Analysis of Music, CrowdMM 2013"
SPACE = LabelSpace("emomusic_va", "dimension", AXES, source=_SOURCE, bounds=(1.0, 9.0))
DYNAMIC = LabelSpace("emomusic_dynamic_va", "dimension", AXES, source=_SOURCE, bounds=(-1.0, 1.0))
CARD = CorpusCard(
    name="emomusic",
    title="EmoMusic",
    citation="Soleymani, Caro, Schmidt, Sha, Yang: 1000 Songs for Emotional Analysis of Music. CrowdMM 2013",
    url="https://cvml.unige.ch/databases/emoMusic/",
    obtain="the annotations and clips_45seconds from https://cvml.unige.ch/databases/emoMusic/ , unpacked in one "
    "folder",
    licence="CC-BY-NC (for research); the songs have Creative Commons licences of their own",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("audio",),
    spaces=(SPACE, DYNAMIC),
    raters={"mean": "the mean of at least ten crowd workers"},
    counts={TRAIN: 619, TEST: 125},
    split_policy="official: development and evaluation of MediaEval 2013, by songs_info.csv",
    max_seconds=60.0,
    notes=(
        "Fields of songs_info.csv have tabs inside their quotes.",
        "Static answers are on a scale from 1 to 9, dynamic ones from -1 to 1: two spaces. The dynamic answer is the "
        "mean "
        "over the excerpt; valence_trace and arousal_trace have all.",
        "There is no validation split.",
        "The songs are also in DEAM, whose annotations of them are these.",
    ),
)
_INFO = (
    '"song_id","file_name","Artist","Song title","start of the segment (min.sec)","end","Genre","Mediaeval 2013 set"\n'
)
MINIATURE: Mapping[str, Content] = {
    "annotations/songs_info.csv": _INFO
    + '2,"\t2.mp3","\tAnn Example","\tA Song, Slowly","\t0.48","\t1.33","\tBlues","\tdevelopment"\n'
    + '3,"\t3.mp3","\tBen Example","\tAnother","\t0.48","\t1.33","\tJazz","\tevaluation"\n'
    + '4,"\t4.mp3","\tCleo","\tThird","\t0.1","\t0.55","\tJazz","\tdevelopment"\n'
    + '5,"\t5.mp3","\tDora","\tFourth","\t0.1","\t0.55","\tJazz","\tnone"\n',
    "annotations/static_annotations.csv": "song_id,mean_arousal,std_arousal,mean_valence,std_valence\n"
    "2,3.1,0.99,3,0.67\n3,3.5,1.84,3.3,1.7\n3,3.5,1.84,3.3,1.7\n5,3.5,1.84,3.3,1.7\n6,99,1.84,3.3,1.7\n7,5\n",
    "annotations/valence_cont_average.csv": "song_id,sample_15000ms,sample_15500ms\n2,0.1,0.3\n",
    "annotations/arousal_cont_average.csv": "song_id,sample_15000ms,sample_15500ms\n2,-0.5\n",
    "clips_45seconds/2.mp3": Tone(),
    "clips_45seconds/._2.mp3": b"\x00\x05\x16\x07",
}
_COLUMNS = {
    "song": ("song_id", "id"),
    "arousal": ("mean_arousal", "arousal_mean"),
    "valence": ("mean_valence", "valence_mean"),
}
_SET = {"song": ("song_id", "id"), "set": ("Mediaeval 2013 set", "mediaeval2013set", "split")}


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per song, in the order of the static annotations."""
    base = folder_of(root, CARD, lambda folder: _info(folder) is not None, "songs_info.csv and static_annotations.csv")
    info = dict(_songs(_info(base), root))
    path = find_file(base, "static_annotations.csv")
    if path is None:
        yield missing_file("static_annotations.csv", CARD)
        return
    traces = {axis: dict(_traces(find_file(base, f"{axis}_cont_average.csv"), root)) for axis in AXES}
    clips = {
        clip.stem: relative(clip, root)
        for folder in folders_below(base, 2)
        if folder.name in ("clips_45seconds", "clips_45sec", "audio")
        for clip in list_media(folder, SOUNDS)
    }
    seen: set[str] = set()
    for row in read_table(path, root, _COLUMNS):
        if isinstance(row, Rejection):
            yield row
        elif duplicate := first_sight(seen, row["song"].strip(), row.where):
            yield duplicate
        else:
            yield from _sample(row, info, traces, clips, root)
    for song in (song for song in info if song not in seen):
        yield Rejection(song, "no_annotation", info[song].where)


def _info(folder: Path) -> Path | None:
    """Find ``songs_info.csv`` of this corpus: other collections of songs have a file of that name too."""
    for path in (folder / "songs_info.csv", folder / "annotations" / "songs_info.csv"):
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as stream:
                if "mediaeval" in stream.readline(2000).lower():
                    return path
    return None


def _songs(path: Path | None, root: Path) -> Iterator[tuple[str, Row]]:
    for row in read_table(path, root, _SET) if path else ():
        if not isinstance(row, Rejection):
            yield row["song"].strip(), Row({name: value.strip() for name, value in row.fields.items()}, row.where)


def _traces(path: Path | None, root: Path) -> Iterator[tuple[str, list[float | None]]]:
    for line in read_lines(path, root) if path else ():
        if not isinstance(line, Rejection) and line[1][:1].isdecimal():
            song, *values = line[1].strip().rstrip(",").split(",")
            yield song.strip(), [number(value, -1.0, 1.0) for value in values]


def _sample(
    row: Row,
    info: Mapping[str, Row],
    traces: Mapping[str, Mapping[str, list[float | None]]],
    clips: Mapping[str, str],
    root: Path,
) -> Iterator[Sample | Rejection]:
    song = row["song"].strip()
    numbers = {axis: number(row[axis], 1.0, 9.0) for axis in AXES}
    judged = {axis: value for axis, value in numbers.items() if value is not None}
    facts = dict(info[song].fields) if song in info else {}
    split = SETS.get(facts.get("set", "").lower())
    if len(judged) < len(AXES) or split is None:
        reason = "broken_row" if len(judged) < len(AXES) else "not_in_split"
        yield Rejection(song, reason, row.where, "no value from 1 to 9" if reason == "broken_row" else "in no set")
        return
    moments = {axis: traces[axis].get(song, []) for axis in AXES}
    present = {axis: [value for value in values if value is not None] for axis, values in moments.items()}
    means = {axis: sum(values) / len(values) for axis, values in present.items() if values}
    clip = clips.get(song)
    if clip and (trouble := unusable(root, clip, song)):
        yield trouble
        clip = None
    elif clip is None and clips:
        yield Rejection(song, "media_missing", row.where)
    columns = {"Artist": "artist", "Song title": "title", "Genre": "genre"}
    deviations = {f"{axis}_std": row.fields.get(f"std_{axis}", "").strip() for axis in AXES}
    yield Sample(
        id=song,
        corpus=CARD.name,
        split=split,
        annotations=(
            Annotation(SPACE.name, "mean", judged),
            *((Annotation(DYNAMIC.name, "mean", means),) if means else ()),
        ),
        source=row.where,
        media=(MediaRef(clip, "audio"),) if clip else (),
        attributes={
            **{name: facts[column] for column, name in columns.items() if facts.get(column)},
            **{name: value for name, value in deviations.items() if value},
            **{f"{axis}_trace": trace(values) for axis, values in moments.items() if values},
        },
    )
