"""Read instruction data in the common form of conversations: the question, field by field, and its answer.

A record is ``{"id": …, "conversations": [{"from": "human", "value": …}, {"from": "assistant", "value": …}]}``;
the question is written in lines such as ``Task: …`` and ``Text: …`` and ends in an empty slot (``Intensity Score:``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.records.json_reading import read_json
from affectllm.corpus.sample import Rejection

_HUMANS, _MODELS = ("human", "user"), ("agent", "assistant", "gpt", "model")
_WRAPPER = re.compile(r"^\s*Human:\s*\n(.*?)(?:\n\s*Assistant:\s*)?$", re.DOTALL)
_FIELD = re.compile(r"^(?P<name>[A-Z][\w -]{0,40}?)\s*:[ \t]*(?P<value>.*)$")
_FREE = ("text", "tweet", "sentence")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with its answer.

    Attributes:
        key: id of the record, or its number in the file.
        question: the whole question, without the wrapper of the prompt.
        fields: name of a field in lower case → its value; the slot for the answer is there with an empty value.
        slot: name of the field that the answer fills, in lower case; empty where the question ends otherwise.
        answer: what was answered.
        where: ``file:line``.
    """

    key: str
    question: str
    fields: Mapping[str, str]
    slot: str
    answer: str
    where: str


def read_asked(path: Path, root: Path) -> Iterator[Asked | Rejection]:
    """Yield every record of a JSON file or of JSON lines that has a question and an answer."""
    for place, item in enumerate(read_json(path, root), 1):
        if isinstance(item, Rejection):
            yield item
            continue
        value = item.value if isinstance(item.value, dict) else {}
        question, answer = (
            _first_value(value.get("conversations"), _HUMANS),
            _first_value(value.get("conversations"), _MODELS),
        )
        if not question or not answer:
            yield Rejection(item.where, "broken_row", item.where, "no question or no answer")
            continue
        wrapped = _WRAPPER.match(question)
        question = (wrapped[1] if wrapped else question).strip()
        fields, slot = _fields(question)
        yield Asked(str(value.get("id", place)), question, fields, slot, answer, item.where)


def _first_value(turns: Any, people: tuple[str, ...]) -> str:
    for turn in turns if isinstance(turns, list) else ():
        if isinstance(turn, dict) and str(turn.get("from", turn.get("role", ""))).lower() in people:
            return str(turn.get("value", turn.get("content", "")) or "").strip()
    return ""


def _fields(question: str) -> tuple[dict[str, str], str]:
    """Parse fields in order, and the slot. A text may hold colons and line breaks; an emotion or a slot ends it."""
    fields: dict[str, str] = {}
    name = ""
    for line in question.splitlines():
        match = _FIELD.match(line)
        begins = match is not None and (name not in _FREE or not match["value"] or match["name"].lower() == "emotion")
        if match is not None and begins:
            name = match["name"].lower()
            fields[name] = match["value"].strip()
        elif name:
            fields[name] = f"{fields[name]}\n{line}".strip()
    return fields, name if name and not fields[name] else ""
