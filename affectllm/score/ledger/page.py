"""The page of a reproduction: the files, how their columns are read, what is computed, and what was published."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from affectllm.score.ledger.printed import Printed

WHEELS = "emotion_wheels"
"""The root of the published emotion wheel tables."""


@dataclass(frozen=True)
class TableSource:
    """A table of a page: a file below a root, or the samples of a corpus.

    Args:
        root: the name for ``--root NAME=DIR``; left out for a corpus, whose root is its name.
        path: the file below the root.
        corpus: a corpus instead of a file; its columns are ``id``, ``value``, ``split``, ``speaker`` and attributes.
        space, rater: which annotation of the samples is ``value``.
        split: whose samples are read; empty for all.
        header, encoding, sheet, pickle: how the file is read, as by ``affectllm score``.
        votes: column of counts → label: a row becomes one row a vote, with the label in the column ``vote``.
        member: of a JSON object, what is read: ``a/b`` is the member b of the member a. A list becomes the column
            ``value``, an object the columns ``id`` and ``value``.
        sha256: first digits of the hash of the file that was scored; empty where nobody has scored one.
        rows: how many rows it is known to have.
        how: how the file is made, where it is no download.
    """

    root: str = ""
    path: str = ""
    corpus: str = ""
    space: str = ""
    rater: str = ""
    split: str = ""
    header: bool = True
    encoding: str | None = None
    sheet: str = ""
    pickle: bool = False
    votes: dict[str, str] = field(default_factory=dict)
    member: str = ""
    sha256: str = ""
    rows: int | None = None
    how: str = ""

    @property
    def folder(self) -> str:
        """The name of its root."""
        return self.corpus or self.root


@dataclass(frozen=True)
class Values:
    """One value an item.

    Args:
        table: name of the table.
        column: the column; ``A,B,C`` for one of each, ``*`` for every column but the id's.
        id: the column that names items, ``A,B`` for several together; left out where rows correspond.
        where: column → the value, or list of values, of the rows that are taken.
        matching: column → the pattern that the whole cell has in the rows that are taken.
        pattern: of the cell the part that the first group matches.
        map: value → label.
        bands: label → lowest and highest number; a number gets the first label whose band holds it. A gold cell that
            pattern, map or bands do not know is rejected, an answer is unreadable.
        constant: instead of a table, what is answered to every item.
    """

    table: str = ""
    column: str = ""
    id: str | None = None
    where: dict[str, Any] = field(default_factory=dict)
    matching: dict[str, str] = field(default_factory=dict)
    pattern: str = ""
    map: dict[str, str] = field(default_factory=dict)
    bands: dict[str, tuple[float, ...]] = field(default_factory=dict)
    constant: Any = None

    @property
    def reads(self) -> bool:
        """Whether cells are read, and not taken as they are."""
        return bool(self.pattern or self.map or self.bands)


@dataclass(frozen=True)
class Check:
    """One published number.

    Args:
        of: what it is of, in a few words.
        published: the number as it was printed, in quotes.
        source: paper and table, or file.
        evidence: how it is known, see ``evaluate.scoring.published``.
        unit: ``percent`` where a metric from 0 to 1 was printed in per cent.
        system: what was scored, where it is not the page's.
        metric: name of the metric; left out for a plain statistic.
        gold, answers: the two sides, or the one that the metric takes.
        count: instead of a metric, the rows that are counted.
        mean: instead of a metric, the column whose mean is taken.
        labels, options, compat, invalid, read: as ``affectllm score`` takes them.
        columns: what the metric takes per item besides → the column, with an id where it is in another table.
        part: which number of the result, such as ``details.recall``; the metric's value where it is left out.
        wheels: version of the emotion wheel tables, for metrics that need them.
        differs: why the score is not the published number; needed then, and wrong otherwise.
        chosen: what the source leaves open of the computation, and how it was settled by looking at published numbers.
            An equal value says little then, so it is never counted among the reproduced ones.
    """

    of: str
    published: str
    source: str
    evidence: Literal["checked", "abstract"]
    unit: Literal["", "percent"] = ""
    system: str = ""
    metric: str = ""
    gold: Values | None = None
    answers: Values | None = None
    count: Values | None = None
    mean: Values | None = None
    labels: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    compat: str | None = None
    invalid: str = "wrong"
    read: str | None = None
    columns: dict[str, Values] = field(default_factory=dict)
    part: str = "value"
    wheels: Literal["", "2025", "2026"] = ""
    differs: str = ""
    chosen: str = ""

    @property
    def printed(self) -> Printed:
        """The published number with its digits."""
        return Printed(self.published, self.unit)

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables that it reads."""
        sides = (self.gold, self.answers, self.count, self.mean, *self.columns.values())
        return tuple(dict.fromkeys(side.table for side in sides if side and side.table))

    @property
    def strict(self) -> Check | None:
        """The same by the strict metric and reader; None where that is what it is."""
        strict = replace(self, compat=None, invalid="wrong", read=self.read and "strict")
        return None if strict == self else strict


@dataclass(frozen=True)
class Reproduction:
    """A page.

    Args:
        paper: who published the numbers.
        system: what was scored.
        obtain: root → where its files come from; of a corpus its own card says it.
        tables: name → table.
        checks: the published numbers.
        task: a task of ours that asks the same, if there is one.
        note: what is to be known of the files that were scored, such as that they are a copy.
    """

    paper: str
    system: str
    tables: dict[str, TableSource]
    checks: tuple[Check, ...]
    obtain: dict[str, str] = field(default_factory=dict)
    task: str = ""
    note: str = ""
