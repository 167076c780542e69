"""Write predictions as lines to read, as JSON lines, or as a CSV table."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

from affectllm.instruct.template import MODALITIES
from affectllm.predict.predicting import Prediction
from affectllm.predict.question import Question

_TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
_SHOWN = 3  # labels of which a line tells the likelihood


def as_line(one: Prediction) -> str:
    """Return a prediction to be read: the answer, the most likely labels, what was shown, and the explanation."""
    item = _flat(one.item)
    if not one.used:
        return f"{item}\t–\t{one.reason}{f' ({_flat(one.detail)})' if one.detail else ''}"
    best = sorted(one.likelihoods.items(), key=lambda pair: -pair[1])[:_SHOWN]
    text = answer_text(one) or f"– ({one.reason}: {' '.join((one.reply or '').split())[:80]!r})"
    likely = f"\t{', '.join(f'{name} {share:.2f}' for name, share in best)}" if best else ""
    line = f"{item}\t{_flat(text)}{likely}\t[{'+'.join(one.shown)}]"
    return f"{line}\n\t{_flat(' '.join(one.explanation.split()))}" if one.explanation else line


def _flat(text: str) -> str:
    """Return text with what would end its line, move the cursor or turn the direction of other words as escapes."""
    return "".join(one.encode("unicode_escape").decode() if _acts(one) else one for one in text)


def _acts(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or unicodedata.bidirectional(sign) in _TURNING


def as_json(one: Prediction) -> str:
    """Return a prediction as one JSON object; fields that say nothing are null."""
    fields: dict[str, Any] = {"item": one.item, "answer": _answer(one), "likelihoods": dict(one.likelihoods) or None}
    fields |= {
        "scored_by": one.scored_by or None,
        "reply": one.reply,
        "explanation": one.explanation,
        "shown": list(one.shown),
    }
    return json.dumps({**fields, "reason": one.reason or None, "detail": one.detail or None}, ensure_ascii=False)


class Table:
    """A CSV table of predictions: a column of the answer of each slot, and one of the likelihood of each label."""

    def __init__(self, question: Question) -> None:
        template = question.bound(question.modalities or MODALITIES)
        scored = len(template.slots) == 1 and template.slots[0].how.choices
        self._labels = template.space.names if scored else ()
        self._slots = tuple(slot.name for slot in template.slots)

    def header(self) -> str:
        """Return the names of the columns."""
        answers = self._slots if len(self._slots) > 1 else ("answer",)
        likely = [f"p_{label}" for label in self._labels]
        return _row(["item", *answers, *likely, "shown", "reply", "explanation", "reason", "detail", "scored_by"])

    def row(self, one: Prediction) -> str:
        """Return the cells of a prediction."""
        answers = [_cell(one.answer.get(slot)) for slot in self._slots]
        likely = [f"{one.likelihoods[label]:.6g}" if one.likelihoods else "" for label in self._labels]
        rest = ["+".join(one.shown), one.reply or "", one.explanation or "", one.reason, one.detail, one.scored_by]
        return _row([one.item, *answers, *likely, *rest])


def _row(cells: Sequence[str]) -> str:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\r\n").writerow(cells)  # without one, no line break within a cell is quoted
    return stream.getvalue().removesuffix("\r\n")


def _answer(one: Prediction) -> Any:
    """Return the answer of the only slot, or of several a mapping; None where there is none."""
    return next(iter(one.answer.values()), None) if len(one.answer) < 2 else dict(one.answer)


def answer_text(one: Prediction) -> str:
    """Return the answer in words; empty where there is none."""
    parts = {slot: _cell(value) for slot, value in one.answer.items() if value is not None}
    return next(iter(parts.values()), "") if len(one.answer) < 2 else "; ".join(f"{k}: {v}" for k, v in parts.items())


def _cell(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value) or "(none)"
    return json.dumps(value, ensure_ascii=False)
