"""The page of ``affectllm fidelity``: which clips are judged, by whom, and what the judges are held against."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from affectllm.page_schema import build
from affectllm.yaml_page import PageKind, read_page

KIND = PageKind("fidelity page")
WORDS = ("target", "speaker", "language", "view", "system", "item")
COLUMNS = (
    "id", "clip", "reference", "target", "intensity", "speaker", "language", "view", "system", "item",
    "valence", "arousal", "start", "end",
)  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """Samples of a corpus with an annotation each, or a table with the columns clip, label and speaker."""

    corpus: str = ""
    """a corpus, see `affectllm ls corpora`"""
    split: str = "test"
    """train, validation or test"""
    space: str = ""
    """the label space"""
    rater: str = ""
    """who gave the labels"""
    table: str = ""
    """a table in place of a corpus: columns clip, label, speaker"""
    modalities: tuple[str, ...] = ("audio", "video", "image")
    """what is looked at"""


@dataclass(frozen=True)
class JudgePage:
    """One judge: a model, a classifier of transformers' pipelines, or a shallow model fitted on the spot."""

    name: str
    """how tables call it"""
    model: str = ""
    """as --model of `affectllm predict`: Hub id, folder, folder of a head, tiny:FAMILY, affectllm-api"""
    model_args: str = ""
    """of affectllm-api: base_url=URL,model=NAME"""
    pipeline: str = ""
    """a task of transformers' pipelines, such as audio-classification, with the classifier as model"""
    learn: Labelled | None = None
    """what a shallow model is fitted on, in place of model"""
    template: str = "emotion_choice"
    """what a model is asked"""
    labels: tuple[str, ...] = ()
    """the answers that a model may give (default: those of the page)"""
    rename: dict[str, str] = field(default_factory=dict)
    """judge's word → word of the page"""
    trained_on: tuple[str, ...] = ()
    """corpora that it has learned from; those of learn are known"""
    real: Labelled | None = None
    """real clips on which the judge itself is scored (default: the test split of what a shallow model learned from)"""


@dataclass(frozen=True)
class Windows:
    """Windows of each generated clip that are judged one by one."""

    seconds: float
    """length of a window"""
    step: float = 0.0
    """from one beginning to the next (default: the length)"""


@dataclass(frozen=True)
class FidelityPage:
    """A table of generated clips, and the judges."""

    table: str
    """CSV, JSON Lines, Parquet …, one generated clip a row; paths are relative to it"""
    judges: tuple[JudgePage, ...]
    """who judges"""
    labels: tuple[str, ...] = ()
    """the emotions that may be meant and judged (default: the targets of the table)"""
    description: str = ""
    """what is compared"""
    columns: dict[str, str] = field(default_factory=dict)
    """role → column of the table, where they are called otherwise"""
    trained_on: tuple[str, ...] = ()
    """corpora that the generator has learned from"""
    correct: bool = False
    """whether the accuracy is also given corrected for the judge's confusions"""
    windows: Windows | None = None
    """for temporal consistency"""
    by: tuple[str, ...] = ("language", "view")
    """roles whose values are scored apart: target, speaker, language, view, system, item"""
    resample: Literal["speaker", "item"] = "speaker"
    """what intervals resample; items tell nothing of other speakers, but a handful of speakers gives no interval"""
    ratings: str = ""
    """a table of opinion scores: columns system, item, rater, score"""
    preferences: str = ""
    """a table of paired choices: columns first, second, item, rater, preferred (a system, or same)"""
    answers: str = ""
    """folder in which judgements are kept (default: fidelity/ in the cache folder)"""
    roots: dict[str, str] = field(default_factory=dict)
    """corpus → folder"""


def read_fidelity(path: Path) -> FidelityPage:
    """Read and check a page.

    Raises:
        NotFound: when it cannot be read.
        Malformed: with file and line, for unknown keys, wrong types, a judge that is none, or two of one name.
    """
    page = read_page(path, KIND)
    value: FidelityPage = build(FidelityPage, page)
    if not value.judges:
        raise KIND.wrong("there is no judge", where=page.where(("judges",)), do="name at least one under judges:")
    seen: set[str] = set()
    for number, judge in enumerate(value.judges):
        _check(judge, seen, page.where(("judges", number)))
    if strange := [role for role in value.columns if role not in COLUMNS]:
        where, do = page.where(("columns", strange[0])), f"the roles are {', '.join(COLUMNS)}"
        raise KIND.wrong(f"{strange[0]!r} is no role of a column", where=where, do=do)
    if value.windows and not (0 < value.windows.seconds < math.inf and 0 <= value.windows.step < math.inf):
        raise KIND.wrong("windows are longer than 0 s, and go forward", where=page.where(("windows",)))
    for number, column in enumerate(value.by):
        if column not in WORDS:
            where, do = page.where(("by", number)), f"choose among {', '.join(WORDS)}"
            raise KIND.wrong(f"{column!r} is no role by which clips are grouped", where=where, do=do)
    page.check_file(("table",), value.table)
    return value


def _check(judge: JudgePage, seen: set[str], where: str) -> None:
    if judge.name in seen:
        raise KIND.wrong(f"two judges are called {judge.name!r}", where=where, do="rename one")
    seen.add(judge.name)
    if bool(judge.model) == bool(judge.learn):
        raise KIND.wrong(f"the judge {judge.name!r} has either model: or learn:", where=where, do="give one of the two")
    for labelled in (judge.learn, judge.real):
        whole = labelled is None or labelled.table or (labelled.corpus and labelled.space and labelled.rater)
        if not whole:
            raise KIND.wrong("labelled clips are a table, or corpus, space and rater", where=where, do="name them")
    if judge.learn and judge.real and judge.real == judge.learn:
        message = f"the judge {judge.name!r} would be scored on what it has learned"
        raise KIND.wrong(message, where=where, do="name another split under real:")


def inputs_of(page: FidelityPage) -> dict[str, Any]:
    """Return the page as JSON values, for a manifest."""
    from dataclasses import asdict

    return {name: value for name, value in asdict(page).items() if name not in ("answers", "roots")}
