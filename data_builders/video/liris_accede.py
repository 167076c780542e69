"""LIRIS-ACCEDE, discrete part: 9,800 excerpts of 160 free films, ranked by the valence and arousal that they induce.

Viewers compared two excerpts at a time; of their choices all 9,800 were ranked, and a regression turned ranks into
values between 1 and 5. ``annotations/ACCEDEranking.txt`` (tabs) has id, file, both ranks, both values and variances;
``ACCEDEsets.txt`` says of each id whether it belongs to test (0), learning (1) or validation (2), with no film in two;
``ACCEDEdescription.xml`` says from which film, and from which frames, it is. Excerpts last 8 to 12 seconds and lie in
``data/ACCEDE00000.mp4``.

The continuous part of MediaEval 2018 (``MEDIAEVAL18_00_Valence-Arousal.txt``: time, valence and arousal of each second
of whole films; ``…_Fear.txt``: when a film frightens) is read too where it is there: ten seconds are a sample.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from affectllm.data_builders.video._windows import windows

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files.media_files import clips_below, unusable
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import (
    find_file,
    first_sight,
    folder_of,
    folders_below,
    missing_file,
    read_lines,
    relative,
)
from affectllm.corpus.splits import by_hash
from affectllm.corpus.tables import number, read_table
from affectllm.labels import Annotation, LabelSpace

SETS = {"0": TEST, "1": TRAIN, "2": VALIDATION}
SECONDS = 10.0
_SOURCE = "Baveye et al., LIRIS-ACCEDE, IEEE Transactions on Affective Computing 6(1), 2015"
VALUES = LabelSpace("liris_accede_va", "dimension", ("valence", "arousal"), source=_SOURCE, bounds=(1.0, 5.0))
CONTINUOUS = LabelSpace(
    "liris_accede_continuous",
    "dimension",
    ("valence", "arousal"),
    source="Dellandréa et al., The MediaEval 2018 Emotional Impact of Movies Task, 2018",
    bounds=(-1.0, 1.0),
)
FEAR = LabelSpace("liris_accede_fear", "category", ("fear", "no fear"), source=CONTINUOUS.source)
CARD = CorpusCard(
    name="liris_accede",
    title="LIRIS-ACCEDE",
    citation="Baveye, Dellandrea, Chamaret, Chen: LIRIS-ACCEDE: A Video Database for Affective Content Analysis. IEEE "
    "Transactions on Affective Computing 6(1), 2015",
    url="https://liris-accede.ec-lyon.fr/",
    obtain="by the agreement at https://liris-accede.ec-lyon.fr/ ; the folders annotations/ (ACCEDEranking.txt, "
    "ACCEDEsets.txt) and data/ side by side",
    licence="LIRIS-ACCEDE agreement (research only); the films are under Creative Commons licences",
    access="eula",
    redistribution=False,
    commercial=False,
    languages=("und",),
    modalities=("video", "audio"),
    spaces=(VALUES, CONTINUOUS, FEAR),
    raters={
        "viewers": "crowd workers who compared pairs of excerpts, by the rank that followed",
        "watchers": "the mean of the annotators who moved a joystick while they watched a film",
    },
    counts={TRAIN: 2450, VALIDATION: 2450, TEST: 4900},
    split_policy="official: ACCEDEsets.txt, no film in two parts. Of the continuous part, folders whose name has test "
    "are test, the other films ours by a hash, 80 to 20",
    max_seconds=7200.0,
    notes=(
        "The counts are those of the discrete part.",
        "Values lie between 1.3 and 4.6 in truth; ranks and variances are in the attributes.",
        "A sample of the continuous part is ten seconds of a film, with the means of its valence and arousal, and "
        "whether any moment of it frightens.",
        "What is judged is the emotion that a film induces, not one that somebody in it shows.",
    ),
)
_HEADER = "id\tname\tvalenceRank\tarousalRank\tvalenceValue\tarousalValue\tvalenceVariance\tarousalVariance\n"
MINIATURE: Mapping[str, Content] = {
    "annotations/ACCEDEranking.txt": _HEADER
    + "0\tACCEDE00000.mp4\t4\t1\t2.61\t1.49\t0.11\t0.13\n1\tACCEDE00001.mp4\t1\t2\t1.5\t2\t0.1\t0.1\n"
    + "2\tACCEDE00002.mp4\t2\t3\t3\t3.5\t0.1\t0.1\n2\tACCEDE00002.mp4\t2\t3\t3\t3.5\t0.1\t0.1\n"
    + "3\tACCEDE00003.mp4\t3\t4\t30\t3.5\t0.1\t0.1\n4\tACCEDE00004.mp4\t3\n"
    + "5\tACCEDE00005.mp4\t3\t4\t3\t3.5\t0.1\t0.1\n",
    "annotations/ACCEDEsets.txt": "id\tname\tset\n0\tACCEDE00000.mp4\t1\n"
    "1\tACCEDE00001.mp4\t2\n2\tACCEDE00002.mp4\t0\n3\tx\t0\n",
    "ACCEDEdescription.xml": "<library><media><id>0</id><name>ACCEDE00000.mp4</name><movie>A Short Film</movie>"
    "<start>10</start><end>250</end></media></library>",
    "continuous/testset/annotations/MEDIAEVAL18_54_Valence-Arousal.txt": "Time\tValence\tArousal\n"
    + "".join(f"{second}\t0.{second % 5}\t-0.1\n" for second in range(15))
    + "15\tlost\t0\n",
    "continuous/testset/annotations/MEDIAEVAL18_54_Fear.txt": "12\t14\n",
    "continuous/testset/MEDIAEVAL18_54.mp4": Clip(),
    "data/ACCEDE00000.mp4": Clip(),
    "data/._ACCEDE00000.mp4": b"\x00\x05\x16\x07",
}
_FILM = re.compile(r"(MEDIAEVAL\d\d_\d+)_Valence-Arousal", re.IGNORECASE)
_COLUMNS = {"id": (), "name": ("file",), "valenceValue": (), "arousalValue": ()}
_FACTS = ("valenceRank", "arousalRank", "valenceVariance", "arousalVariance")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per excerpt, in the order of the ranking; then one per ten seconds of a film."""
    base = folder_of(root, CARD, _is_ours, "annotations/ACCEDEranking.txt, or MEDIAEVAL18_00_Valence-Arousal.txt")
    clips = clips_below(list(folders_below(base, 4)), root)
    ranking = find_file(base, "ACCEDEranking.txt")
    if ranking is None:
        yield missing_file("ACCEDEranking.txt", CARD)
    else:
        yield from _discrete(ranking, base, root, clips)
    for folder in folders_below(base):
        for path in sorted(folder.glob("*.txt")):
            if (name := _FILM.fullmatch(path.stem)) and not path.name.startswith("."):
                yield from _continuous(path, name[1], root, clips)


def _is_ours(folder: Path) -> bool:
    places = [folder, folder / "annotations", folder / "annotations" / "annotations"]
    return any((place / "ACCEDEranking.txt").is_file() for place in places) or any(
        _FILM.fullmatch(path.stem) for place in places for path in place.glob("*.txt")
    )


def _discrete(ranking: Path, base: Path, root: Path, clips: Mapping[str, str]) -> Iterator[Sample | Rejection]:
    sets = find_file(base, "ACCEDEsets.txt")
    parts: dict[str, str] = {}
    if sets is None:
        yield missing_file("ACCEDEsets.txt", CARD)
    for row in read_table(sets, root, {"id": (), "set": ()}, "\t") if sets else ():
        if not isinstance(row, Rejection):
            parts[row["id"].strip()] = row["set"].strip()
    films = _films(find_file(base, "ACCEDEdescription.xml"))
    seen: set[str] = set()
    for row in read_table(ranking, root, _COLUMNS, "\t"):
        if isinstance(row, Rejection):
            yield row
            continue
        identifier, name = row["id"].strip(), row["name"].strip().removesuffix(".mp4")
        if duplicate := first_sight(seen, identifier, row.where):
            yield duplicate
            continue
        numbers = {axis: number(row[f"{axis}Value"], 1.0, 5.0) for axis in VALUES.names}
        judged = {axis: value for axis, value in numbers.items() if value is not None}
        split = SETS.get(parts.get(identifier, ""))
        if split is None or len(judged) < len(numbers):
            reason = "not_in_split" if split is None else "broken_row"
            yield Rejection(name, reason, row.where, "in no set" if split is None else "no value from 1 to 5")
            continue
        media = yield from _clip(name, row.where, clips, root)
        facts = {fact: row.fields[fact] for fact in _FACTS if row.fields.get(fact)}
        yield Sample(
            id=name,
            corpus=CARD.name,
            split=split,
            annotations=(Annotation(VALUES.name, "viewers", judged),),
            source=row.where,
            media=(MediaRef(media, "video", sound=True),) if media else (),
            attributes={**facts, **films.get(identifier, {})},
        )


def _films(path: Path | None) -> dict[str, dict[str, str]]:
    """Return id → film and frames; empty where the description is missing or broken."""
    try:
        tree = ElementTree.parse(path) if path else None
    except ElementTree.ParseError:
        return {}
    films = {}
    for media in tree.iter("media") if tree else ():
        facts = {"film": "movie", "start_frame": "start", "end_frame": "end"}
        values = {name: (media.findtext(tag) or "").strip() for name, tag in facts.items()}
        films[(media.findtext("id") or "").strip()] = {name: fact for name, fact in values.items() if fact}
    return films


def _clip(name: str, where: str, clips: Mapping[str, str], root: Path) -> Generator[Rejection, None, str | None]:
    """Yield why there is no clip while others are there, and return the clip."""
    clip = clips.get(name)
    if clip and (trouble := unusable(root, clip, name)):
        yield trouble
        return None
    if clip is None and clips:
        yield Rejection(name, "media_missing", where)
    return clip


def _continuous(path: Path, film: str, root: Path, clips: Mapping[str, str]) -> Iterator[Sample | Rejection]:
    points: list[tuple[float, dict[str, float]]] = []
    for row in read_table(path, root, {"time": (), "valence": (), "arousal": ()}, "\t"):
        if isinstance(row, Rejection):
            yield row
            continue
        moment, axes = number(row["time"], 0.0), {axis: number(row[axis], -1.0, 1.0) for axis in CONTINUOUS.names}
        judged = {axis: value for axis, value in axes.items() if value is not None}
        if moment is None or len(judged) < len(axes):
            yield Rejection(row.where, "broken_row", row.where, "no moment, or no value from -1 to 1")
        else:
            points.append((moment, judged))
    fears = list(_fears(path.with_name(path.name.replace("Valence-Arousal", "Fear")), root))
    is_test = any("test" in part.lower() for part in path.relative_to(root).parts[:-1])
    split = TEST if is_test else by_hash(film, validation=0.2, test=0.0, salt=CARD.name)
    where = relative(path, root)
    media = yield from _clip(film, where, clips, root)
    for window in windows(points, SECONDS):
        frightens = any(start < window.end and end > window.start for start, end in fears)
        yield Sample(
            id=f"{film}@{window.start:g}",
            corpus=CARD.name,
            split=split,
            annotations=(
                Annotation(CONTINUOUS.name, "watchers", window.means),
                Annotation(FEAR.name, "watchers", "fear" if frightens else "no fear"),
            ),
            source=where,
            media=(MediaRef(media, "video", sound=True, start=window.start, end=window.end),) if media else (),
            attributes={"film": film},
        )


def _fears(path: Path, root: Path) -> Iterator[tuple[float, float]]:
    for line in read_lines(path, root) if path.is_file() else ():
        numbers = [number(part) for part in line[1].split()] if not isinstance(line, Rejection) else []
        if len(numbers) > 1 and numbers[0] is not None and numbers[1] is not None:
            yield numbers[0], numbers[1]
