"""Read the raw release of CMU-MOSI and CMU-MOSEI: transcripts of segments, the ratings of every worker, the folds.

Not a corpus. ``Transcript/Segmented/`` has ``{video}.annotprocessed`` (``1_DELIM_IT WAS…``) or ``Combined/{video}.txt``
(``video___clip___start___end___text``, where the text may hold underscores too); ``Labels/*.csv`` one row a worker and
segment; ``cmu_mosei_std_folds.py`` the video ids of the splits. Of computational sequences (``*.csd``) the labels are
read, by ``_cmu_csd``; features are not.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.data_builders.video._mmsa import Segment, is_own

from affectllm.corpus import TEST, TRAIN, VALIDATION, Rejection
from affectllm.corpus.reading import folders_below, list_media, read_csv, read_lines
from affectllm.corpus.tables import number
from affectllm.errors import Malformed, NotFound
from affectllm.labels import Annotation, LabelSpace

WORKERS = range(1, 10)
_FOLDS_AT = "mmsdk/mmdatasdk/dataset/standard_datasets/CMU_MOS*/"
_FOLDS = {"standard_train_fold": TRAIN, "standard_valid_fold": VALIDATION, "standard_test_fold": TEST}


@dataclass
class Raw:
    """The data of the raw release, by ``{video}_{clip}`` (and the split by video).

    Args:
        means: label → mean of the workers, as ``sequence`` has them, the computational sequence of the labels.
    """

    segments: dict[str, Segment] = field(default_factory=dict)
    ratings: dict[str, list[dict[str, float]]] = field(default_factory=lambda: defaultdict(list))
    rated_at: dict[str, str] = field(default_factory=dict)
    folds: dict[str, str] = field(default_factory=dict)
    means: dict[str, dict[str, float]] = field(default_factory=dict)
    sequence: str = ""

    def complete(self, segment: Segment, sentiment: LabelSpace, emotions: LabelSpace | None) -> Segment:
        """Add to a segment its words, its span, every worker's answers, and their mean where it has none."""
        stated = self.means.get(segment.name, {})
        other = self.segments.get(segment.name)
        if other:
            segment.text, segment.span = segment.text or other.text, other.span
        rated = self.ratings.get(segment.name, [])
        for space in filter(None, (sentiment, emotions)):
            answers = [{name: ratings[name] for name in space.names if name in ratings} for ratings in rated]
            for place, answer in enumerate(answers, 1):
                if answer:
                    segment.answers.append(Annotation(space.name, f"worker_{place}", answer))
            # The published mean goes before one of our own: label files may lack a worker.
            mean = {name: stated[name] for name in space.names if name in stated} or _mean(answers)
            if mean and (space is emotions or "whole" not in segment.labels):
                segment.answers.append(Annotation(space.name, "crowd", mean))
        return segment


def _mean(answers: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for answer in answers for name in answer)
    scores = {name: [answer[name] for answer in answers if name in answer] for name in names}
    return {name: round(sum(values) / len(values), 6) for name, values in scores.items()}


def read(base: Path, root: Path, sentiment: LabelSpace, emotions: LabelSpace | None, raw: Raw) -> Iterator[Rejection]:
    """Fill ``raw`` with whatever of the raw release lies below ``base``."""
    for folder in folders_below(base, 5):
        if folder.name in ("Segmented", "Combined") and "Transcript" in folder.parts:
            for path in list_media(folder, (".annotprocessed", ".txt")):
                yield from _transcript(path, root, raw)
        if folder.name == "Labels":
            for path in list_media(folder, (".csv",), depth=1):
                yield from _ratings(path, root, sentiment, emotions, raw)
        for path in sorted(folder.glob("*std_folds.py")):
            _folds(path, raw)


def _transcript(path: Path, root: Path, raw: Raw) -> Iterator[Rejection]:
    for line in read_lines(path, root):
        if isinstance(line, Rejection):
            yield line
            continue
        where, text = line
        segment = _timed(text, where) if "___" in text else _numbered(path.stem, text, where)
        if segment:
            raw.segments.setdefault(segment.name, segment)
        elif text.strip():
            yield Rejection(where, "broken_row", where, text[:120])


def _numbered(video: str, line: str, where: str) -> Segment | None:
    clip, marked, text = line.partition("_DELIM_")
    if not (marked and clip.strip().isdecimal()):
        return None
    return Segment(video, clip.strip(), "", where, text.strip())


def _timed(line: str, where: str) -> Segment | None:
    fields = line.split("___", 4)
    if len(fields) < 5:
        return None
    start, end = number(fields[2]), number(fields[3])
    # Some segments begin a moment before their video does.
    span = (max(0.0, start), end) if start is not None and end is not None and end > max(0.0, start) else None
    return Segment(fields[0].strip(), fields[1].strip(), "", where, fields[4].strip(), span=span)


def _ratings(
    path: Path, root: Path, sentiment: LabelSpace, emotions: LabelSpace | None, raw: Raw
) -> Iterator[Rejection]:
    spaces = {name: space for space in filter(None, (sentiment, emotions)) for name in space.names}
    for row in read_csv(path, root, ("Input.VIDEO_ID", "Input.CLIP")):
        if isinstance(row, Rejection):
            yield row
            continue
        name = f"{row['Input.VIDEO_ID'].strip()}_{re.sub(r'[.]0$', '', row['Input.CLIP'].strip())}"
        rated = {label: row.fields.get(f"Answer.{label}", "") for label in spaces}
        answer: dict[str, float] = {}
        for label, text in rated.items():
            value = number(text, *spaces[label].bounds or ())
            if value is not None:
                answer[label] = value
            elif text.strip():
                yield Rejection(name, "out_of_range", row.where, f"{label}: {text[:40]!r}")
        if not answer or len(raw.ratings[name]) == len(WORKERS):
            yield Rejection(name, "broken_row", row.where, "no answer, or more workers than are known")
        else:
            raw.ratings[name].append(answer)
            raw.rated_at.setdefault(name, row.where)


def _folds(path: Path, raw: Raw) -> None:
    """Read the lists of video ids without running the file that holds them."""
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError) as error:
        raise Malformed(f"no list of folds ({error})", where=str(path), do="take CMU-MultimodalSDK's") from error
    for node in body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            split = _FOLDS.get(node.targets[0].id)
            if split and isinstance(node.value, (ast.List, ast.Tuple, ast.Set)):
                raw.folds |= {str(each.value): split for each in node.value.elts if isinstance(each, ast.Constant)}


def combined(
    labelled: Iterator[Segment | Rejection], sentiment: LabelSpace, emotions: LabelSpace | None, raw: Raw
) -> Iterator[Segment | Rejection]:
    """Yield the segments of a label file completed by the raw release, then those that only the raw release has.

    Raises:
        NotFound: when a computational sequence is all there is, and no list of folds says what is train and test.
    """
    named: set[str] = set()
    videos: set[str] = set()
    for segment in labelled:
        if not isinstance(segment, Rejection):
            named.add(segment.name)
            videos.add(segment.video)
            segment = raw.complete(segment, sentiment, emotions)
        yield segment
    if raw.sequence and not (named or raw.folds):
        message = "no cmu_*_std_folds.py lies beside it, so that no segment has a split"
        raise NotFound(message, where=raw.sequence, do=f"put the file from {_FOLDS_AT} of CMU-MultimodalSDK beside it")
    for name, segment in raw.segments.items():
        if name in named:
            continue
        if segment.id and segment.video in videos:
            # It would be the same moment twice: which clip of the label file it is, only a transcript could tell.
            yield Rejection(name, "text_missing", segment.where, "no transcript says which clip of label.csv it is")
        elif split := raw.folds.get(segment.video):
            segment.split = split
            yield raw.complete(segment, sentiment, emotions)
        else:
            yield Rejection(name, "no_split", segment.where, "neither in label.csv nor in cmu_*_std_folds.py")
    for name in sorted(raw.ratings.keys() - raw.segments.keys() - named):
        yield Rejection(name, "text_missing", raw.rated_at[name], "rated, but in no transcript")


def has_raw(folder: Path, own: str) -> bool:
    """Whether a folder holds the raw release (``Raw/``, or its own ``Transcript/`` and ``Labels/``)."""
    places = (folder / "Raw", folder)
    return is_own(folder, own) and any((place / "Transcript" / "Segmented").is_dir() for place in places)


def full_folders(base: Path) -> list[Path]:
    """Return the folders of whole videos and whole sound tracks."""
    return [folder for folder in folders_below(base, 4) if folder.name == "Full"]
