"""Published reference figures of a task, as its page holds them: value, system, source, and how far they compare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from affectllm.errors import Malformed

EVIDENCE = {
    "checked": "read in the paper's table, code or data",
    "abstract": "stated in the abstract or on the project's page only",
}


@dataclass(frozen=True)
class Published:
    """One figure that somebody published for the task or for one like it.

    Args:
        system: what was scored.
        metric: name of the metric here.
        value: in the unit of the metric here: papers print 0.5602 as 56.02.
        source: paper, table or file.
        evidence: a key of ``EVIDENCE``.
        differs: what is otherwise in the published protocol; empty where a score here may stand beside the figure.
    """

    system: str
    metric: str
    value: float
    source: str
    evidence: str
    differs: str = ""

    @classmethod
    def read_all(cls, rows: Any, where: str) -> tuple[Published, ...]:
        """Read the list of a task page; None is none.

        Raises:
            Malformed: with ``where``, when a figure has other keys, no number, or evidence that nobody has seen.
        """
        if rows is None:
            return ()
        if not isinstance(rows, list):
            raise Malformed(f"published must be a list of figures, not {rows!r}", where=where)
        return tuple(cls._read(row, where) for row in rows)

    @classmethod
    def _read(cls, row: Any, where: str) -> Published:
        if not isinstance(row, Mapping):
            raise Malformed(f"a published figure is a mapping, not {row!r}", where=where)
        try:
            figure = cls(**row)
        except TypeError as error:
            message = f"a published figure has system, metric, value, source, evidence and perhaps differs: {error}"
            raise Malformed(message, where=where) from error
        if (
            isinstance(figure.value, bool)
            or not isinstance(figure.value, (int, float))
            or not math.isfinite(figure.value)
        ):
            raise Malformed(f"the published value {figure.value!r} is no number", where=where)
        words = {name: value for name, value in asdict(figure).items() if name != "value"}
        if strange := next((name for name, value in words.items() if not isinstance(value, str)), ""):
            raise Malformed(f"{strange} of a published figure is {words[strange]!r}, and no text", where=where)
        if figure.evidence not in EVIDENCE:
            message = f"{figure.evidence!r} is no evidence for a published figure"
            raise Malformed(message, where=where, do=f"say {' or '.join(EVIDENCE)}; leave out what nobody has checked")
        return figure

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return asdict(self)
