"""What a face does, by tables of OpenFace or py-feat: "brows lowered (AU4, strong)".

OpenFace 2.x writes a CSV a clip with a row a frame: ``AU04_r`` is the intensity from 0 to 5, ``AU04_c`` whether the
unit is there, ``confidence`` and ``success`` whether the face was tracked; some versions put a blank before each name.
py-feat writes ``AU04`` as a probability from 0 to 1, and ``FaceScore``. Frames without success, or with less confidence
than ``confidence``, do not count; a clip with less than ``frames`` usable ones, as a share, has no hint. Of several
faces (``face_id``) the one that is there most often is looked at. What no tracker writes, an intensity or a confidence
beyond its scale, is an error with file and line: such a table is of something else, or of other units.

A unit is told by the mean of its highest tenth of frames, since expressions pass: slight, clear or strong, at
``levels`` of OpenFace's scale (of py-feat's probabilities, a fifth of them). A unit that OpenFace's classifier (``_c``)
sees in less than a tenth of the frames is not told, whatever its intensity.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from affectllm.corpus import MediaRef, Sample
from affectllm.errors import Malformed, NotFound
from affectllm.hinting.kind import Kind, Source, Work
from affectllm.hints.table import Hint
from affectllm.run import digest, file_digest
from affectllm.train.method import FROM_1, SHARE, Bound
from affectllm.yaml_page import Page

_RULES = 1
"""Version of the words."""
# Ekman, Friesen and Hager, Facial Action Coding System, 2002.
UNITS = {
    **{1: "inner brows raised", 2: "outer brows raised", 4: "brows lowered", 5: "upper lids raised"},
    **{6: "cheeks raised", 7: "lids tightened", 9: "nose wrinkled", 10: "upper lip raised"},
    **{11: "nasolabial fold deepened", 12: "lip corners pulled up", 14: "dimples", 15: "lip corners pulled down"},
    **{17: "chin raised", 18: "lips puckered", 20: "lips stretched", 22: "lips funnelled", 23: "lips tightened"},
    **{24: "lips pressed", 25: "lips parted", 26: "jaw dropped", 27: "mouth stretched", 28: "lips sucked in"},
    **{43: "eyes closed", 45: "blinking"},
}
STRENGTHS = ("slight", "clear", "strong")
_COLUMN = re.compile(r"AU0*(\d{1,2})(?:_(r|c))?", re.IGNORECASE)
_SCALE = {True: 5.0, False: 1.0}  # the highest intensity of OpenFace, the highest probability of py-feat
_HIGHEST, _PRESENT = 0.1, 0.1
_SURE = ("confidence", "FaceScore")
_ROUNDED = 1e-6  # by which a value may leave its scale
_BOUNDS = {"levels": Bound(0, 5), "most": FROM_1, "confidence": SHARE, "frames": Bound(0, 1, above=True)}
_LINE = "line of the table"


@dataclass(frozen=True)
class Options:
    """Options of hints of action units.

    Args:
        tables: folder with one CSV a clip, below it as the clip lies below the corpus (``a/b.mp4`` → ``a/b.csv``), or
            by its name alone (``b.csv``) where that is of one clip only.
        levels: from which intensity a unit is slight, clear and strong, on OpenFace's scale from 0 to 5.
        most: how many units are told, the strongest first.
        confidence: of the tracker, from which a frame counts.
        frames: share of usable frames from which a clip has a hint.
    """

    tables: str
    levels: tuple[float, ...] = (0.8, 1.5, 2.5)
    most: int = 6
    confidence: float = 0.8
    frames: float = 0.3


def check(options: Options, page: Page) -> None:
    """Refuse levels that are not one for each strength, each above the one before."""
    levels = options.levels
    if len(levels) != len(STRENGTHS) or list(levels) != sorted(set(levels)):
        message = f"levels must be {len(STRENGTHS)} numbers that grow ({', '.join(STRENGTHS)}), not {list(levels)}"
        raise page.kind.wrong(message, where=page.where(("levels",)))


def find(work: Work) -> Iterator[Hint]:
    """Yield the hint of every sample."""
    options: Options = work.options
    folder = work.tables / options.tables
    if not folder.is_dir():
        do = "run FeatureExtraction of OpenFace, or py-feat, on the clips; then --set tables=FOLDER"
        raise NotFound(f"there is no folder {folder} of tables of action units", where=work.where("tables"), do=do)
    files = Files.below(folder, work.samples)
    looked: set[Path] = set()
    version = digest([_RULES, {**vars(options), "levels": list(options.levels), "tables": ""}, files.digests()])
    source = Source("action_units", "OpenFace or py-feat", version)
    for sample in work.samples:
        ref = next((one for one in sample.media if one.modality in ("video", "image")), None)
        path = files.of(ref) if ref else None
        if ref is None or path is None:
            yield source.none(sample, "no_table" if ref else "no_video")
            continue
        looked.add(path)
        strengths = summary(path, ref, options, work.unused)
        if isinstance(strengths, str):
            yield source.none(sample, strengths)
        else:
            yield source.hint(
                sample, _words(strengths, options), {f"AU{unit}": value for unit, value in strengths.items()}
            )
    if others := files.count - len(looked):
        work.unused["tables of no sample"] += others


@dataclass(frozen=True)
class Files:
    """The tables below a folder.

    Args:
        folder: that holds them.
        by_name: name without suffix → the table, where one table and one clip have it.
    """

    folder: Path
    by_name: Mapping[str, Path]

    @cached_property
    def _all(self) -> list[Path]:
        return sorted(self.folder.rglob("*.csv"))

    @property
    def count(self) -> int:
        """How many tables there are."""
        return len(self._all)

    @classmethod
    def below(cls, folder: Path, samples: Sequence[Sample]) -> Files:
        """Look at the tables, and at the clips of the samples, whose names may not tell them apart."""
        clips: dict[str, set[str]] = {}
        for ref in (ref for sample in samples for ref in sample.media):
            clips.setdefault(PurePosixPath(ref.path).stem, set()).add(ref.path)
        tables: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*.csv")):
            tables.setdefault(path.stem, []).append(path)
        return cls(folder, {n: paths[0] for n, paths in tables.items() if len(paths) == 1 == len(clips.get(n, ()))})

    def of(self, ref: MediaRef) -> Path | None:
        """Return the table of a clip; None where there is none."""
        place = self.folder / PurePosixPath(ref.path).with_suffix(".csv")
        return place if place.is_file() else self.by_name.get(PurePosixPath(ref.path).stem)

    def digests(self) -> list[list[str]]:
        """Return name and digest of every table."""
        return [[p.relative_to(self.folder).as_posix(), file_digest(p)] for p in self._all]


def summary(path: Path, ref: MediaRef, options: Options, unused: Counter[str]) -> dict[int, float] | str:
    """Return unit → its intensity from 0 to 5, over the usable frames of a clip's span; or why there is none.

    Args:
        unused: reason → number of frames; those of this clip are added.

    Raises:
        Malformed: with the line, for a table that is no CSV, or a value beyond its scale.
    """
    rows = _rows(path)
    columns = {name: match for name in (rows[0] if rows else ()) if (match := _COLUMN.fullmatch(name))}
    if not columns:
        return "no_action_units"
    rows = _of_one_face([row for row in rows if _within(row, ref)])
    if not rows:
        return "no_frames_in_span"
    usable = [row for row in rows if _tracked(row, options.confidence, path)]
    if lost := len(rows) - len(usable):
        unused["frames without a tracked face"] += lost
    if not usable or len(usable) < options.frames * len(rows):
        return "face_not_tracked"
    scale = _SCALE[any(match[2] == "r" for match in columns.values())]
    graded = {name: int(match[1]) for name, match in columns.items() if (match[2] or "").lower() != "c"}
    values = {name: [_on_scale(row, name, scale, path) for row in usable] for name in graded}
    if unread := sum(any(not math.isfinite(its[n]) for its in values.values()) for n in range(len(usable))):
        unused["frames with a unit that is no number"] += unread
    strengths: dict[int, float] = {}
    for name, unit in graded.items():
        known = sorted(filter(math.isfinite, values[name]), reverse=True)
        if unit in UNITS and known and _present(usable, columns, unit):
            highest = known[: max(1, round(_HIGHEST * len(known)))]
            strengths[unit] = round(sum(highest) / len(highest) * 5.0 / scale, 3)
    return strengths or "no_action_units"


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table, each with its line in the file."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.DictReader(stream)
        try:
            return [
                {**{(key or "").strip(): its for key, its in row.items()}, _LINE: reader.line_num} for row in reader
            ]
        except csv.Error as error:
            where = f"{path}:{reader.line_num + 1}"
            raise Malformed(f"no CSV: {error}", where=where, do="write the table again") from error


def _within(row: Mapping[str, Any], ref: MediaRef) -> bool:
    """Whether a frame lies in the span of a clip; tables of one span, or without times, are taken whole."""
    if "timestamp" not in row or (ref.start is None and ref.end is None):
        return True
    # A frame of which nobody knows when it was is in no span.
    return (ref.start or 0.0) <= _number(row, "timestamp") <= (math.inf if ref.end is None else ref.end)


def _of_one_face(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the face that most frames have."""
    faces = Counter(row.get("face_id") for row in rows)
    most = faces.most_common(1)
    return [row for row in rows if row.get("face_id") == most[0][0]]


def _tracked(row: Mapping[str, Any], least: float, path: Path) -> bool:
    """Whether the tracker found the face; not where it says how sure it is, and that is no number."""
    sure = [_on_scale(row, key, 1.0, path) for key in _SURE if key in row]
    return _number(row, "success") != 0.0 and all(value >= least for value in sure)


def _present(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, Any], unit: int) -> bool:
    """Whether OpenFace's classifier sees a unit often enough; true where it does not judge it."""
    judged = [name for name, match in columns.items() if int(match[1]) == unit and (match[2] or "").lower() == "c"]
    if not judged:
        return True
    return sum(_number(row, judged[0]) == 1.0 for row in rows) >= _PRESENT * len(rows)


def _on_scale(row: Mapping[str, Any], key: str, highest: float, path: Path) -> float:
    """Return a number from 0 to ``highest``; NaN where there is none."""
    value = _number(row, key)
    if math.isnan(value) or -_ROUNDED <= value <= highest + _ROUNDED:
        return value
    message = f"{key} is {value:g}, and goes from 0 to {highest:g}"
    raise Malformed(message, where=f"{path}:{row[_LINE]}", do="write the table again by OpenFace 2.x or py-feat")


def _number(row: Mapping[str, Any], key: str) -> float:
    try:
        return float(row.get(key) or "nan")
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _words(strengths: Mapping[int, float], options: Options) -> str:
    """Return the line of the prompt; units below the lowest level are not told."""
    told = sorted(((value, -unit) for unit, value in strengths.items() if value >= options.levels[0]), reverse=True)
    parts = [
        f"{UNITS[-unit]} (AU{-unit}, {STRENGTHS[sum(value >= level for level in options.levels) - 1]})"
        for value, unit in told[: options.most]
    ]
    return f"Face: {', '.join(parts)}" if parts else "Face: nothing moves much"


KIND = Kind(
    "what a face does: action units by tables of OpenFace or py-feat", Options, find, bounds=_BOUNDS, check=check
)
