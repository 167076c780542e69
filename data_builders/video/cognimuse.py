"""COGNIMUSE: half an hour of each of seven Hollywood films, with the emotion that was intended and that was felt.

Experts drew valence and arousal as the director meant them (three times: Intended_1 to Intended_3), seven viewers as
they felt them, most of them twice (Subj1_1 to Subj7_2), each a value from -1 to 1 for every frame, 25 a second. The
films are A Beautiful Mind, Chicago, Crash, The Departed, Gladiator, The Return of the King and Finding Nemo, each in a
folder of its three letters (BMI, CHI, CRA, DEP, GLA, LOR, FNE).

The files of the release were not seen when this was written. A trace is taken to be a table (txt, csv or dat) below
the folder of a film whose name has ``intended`` or ``subj`` and a number: two columns are valence and arousal, three
are time, valence, arousal; a header may name them. Ten seconds of a film are a sample.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from affectllm.data_builders.video._windows import windows

from affectllm.corpus import TEST, TRAIN, VALIDATION, CorpusCard, MediaRef, Rejection, Sample
from affectllm.corpus.files import suffixes
from affectllm.corpus.files.media_files import unusable
from affectllm.corpus.miniature import Clip, Content
from affectllm.corpus.reading import folder_of, folders_below, list_media, read_lines, relative
from affectllm.corpus.tables import number
from affectllm.labels import Annotation, LabelSpace

FILMS = {
    "BMI": TRAIN,
    "CHI": TRAIN,
    "CRA": TRAIN,
    "DEP": TRAIN,
    "GLA": TRAIN,
    "LOR": VALIDATION,
    "FNE": TEST,
    "GWW": TEST,
}
SECONDS, RATE = 10.0, 25.0
SPACE = LabelSpace(
    "cognimuse_va",
    "dimension",
    ("valence", "arousal"),
    source="Zlatintsi et al., COGNIMUSE, EURASIP Journal on Image and Video Processing 2017:54",
    bounds=(-1.0, 1.0),
)
INTENDED = {f"intended_{index}": f"an expert on what the director intended, pass {index}" for index in (1, 2, 3)}
FELT = {f"subject_{who}_{index}": f"what viewer {who} felt, viewing {index}" for who in range(1, 8) for index in (1, 2)}
CARD = CorpusCard(
    name="cognimuse",
    title="COGNIMUSE",
    citation="Zlatintsi, Koutras, Evangelopoulos, Malandrakis, Efthymiou, Pastra, Potamianos, Maragos: COGNIMUSE: a "
    "multimodal video database annotated with saliency, events, semantics and emotion. EURASIP Journal on Image and "
    "Video Processing, 2017",
    url="http://cognimuse.cs.ntua.gr/database",
    obtain="by request at http://cognimuse.cs.ntua.gr/database ; a folder for every film (BMI, CHI, …) with its traces "
    "of emotion and the video",
    licence="COGNIMUSE terms of use (research only)",
    access="request",
    redistribution=False,
    commercial=False,
    languages=("en",),
    modalities=("video", "audio"),
    spaces=(SPACE,),
    raters={**INTENDED, **FELT},
    counts={},
    split_policy="ours, as there is no official one: by film, validation The Return of the King, test Finding Nemo "
    "(and Gone with the Wind where it is there)",
    max_seconds=7200.0,
    notes=(
        "The files were not seen: names and columns are taken liberally, and a file that fits is never skipped in "
        "silence.",
        "Intended and felt emotion are different answers, and people differ much; all are kept.",
        "A sample is ten seconds, with the mean of each trace.",
        "Saliency, events and semantics are not read.",
    ),
)


def _lines(level: float, count: int = 300) -> str:
    return "".join(f"{level:.2f} {-level:.2f}\n" for _ in range(count))


MINIATURE: Mapping[str, Content] = {
    "BMI/emotion/Intended_1.txt": _lines(0.25),
    "BMI/emotion/Subj1_2.txt": "time,valence,arousal\n0.0,0.5,0.1\n0.04,0.5,0.3\n0.08,much,0.3\n",
    "BMI/emotion/notes.txt": "hello\n",
    "BMI/BMI.mp4": Clip(),
    "BMI/._BMI.mp4": b"\x00\x05\x16\x07",
    "LOR/experienced_subj2_1.csv": "0.1,0.2\n7,0.2\n",
    "FNE/intended_2.dat": "0.1\t0.2\n",
}
_TRACE = re.compile(r"(?:^|_)(?P<kind>intended|subj(?:ect)?)_?(?P<numbers>\d+(?:_\d+)?)(?!\d)", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,;]+")


def samples(root: Path) -> Iterator[Sample | Rejection]:
    """Yield one sample per ten seconds of a film, with the answers of all who judged them."""
    base = folder_of(root, CARD, lambda folder: any(_traces(folder / film) for film in FILMS), "BMI/…/Intended_1.txt")
    for film, split in FILMS.items():
        means: defaultdict[tuple[float, float], dict[str, Mapping[str, float]]] = defaultdict(dict)
        source = ""
        for path, rater in _traces(base / film):
            points: list[tuple[float, Mapping[str, float]]] = []
            for point in _points(path, root):
                if isinstance(point, Rejection):
                    yield point
                else:
                    points.append(point)
            source = source or relative(path, root)
            for window in windows(points, SECONDS):
                means[window.start, window.end].setdefault(rater, window.means)
        video = _video(base / film, root)
        for (start, end), answers in sorted(means.items()):
            yield Sample(
                id=f"{film}@{start:g}",
                corpus=CARD.name,
                split=split,
                annotations=tuple(Annotation(SPACE.name, rater, answers[rater]) for rater in sorted(answers)),
                source=source,
                language="en",
                media=(MediaRef(video, "video", sound=True, start=start, end=end),) if video else (),
                attributes={"film": film},
            )


def _traces(folder: Path) -> list[tuple[Path, str]]:
    """Return (file, rater) of every trace below the folder of a film."""
    traces = []
    for place in folders_below(folder, 3) if folder.is_dir() else ():
        for path in list_media(place, (".txt", ".csv", ".dat")):
            name = _TRACE.search(path.stem)
            rater = (
                f"{'intended' if name['kind'].lower() == 'intended' else 'subject'}_{name['numbers']}" if name else ""
            )
            if rater in CARD.raters:
                traces.append((path, rater))
    return traces


def _points(path: Path, root: Path) -> Iterator[tuple[float, Mapping[str, float]] | Rejection]:
    for index, line in enumerate(read_lines(path, root)):
        if isinstance(line, Rejection):
            yield line
            continue
        fields = [field for field in _SEPARATOR.split(line[1].strip()) if field]
        if not fields or (index == 0 and number(fields[-1]) is None):
            continue
        axes = [number(field, -1.0, 1.0) for field in fields[-2:]]
        moment = number(fields[0], 0.0) if len(fields) > 2 else index / RATE
        if len(axes) < 2 or axes[0] is None or axes[1] is None or moment is None:
            yield Rejection(line[0], "broken_row", line[0], line[1][:120])
        else:
            yield moment, {"valence": axes[0], "arousal": axes[1]}


def _video(folder: Path, root: Path) -> str | None:
    """Return the film: the first video file below its folder."""
    paths = list_media(folder, suffixes.FILMS, depth=2) if folder.is_dir() else iter(())
    return next((name for path in paths if not unusable(root, name := relative(path, root), folder.name)), None)
