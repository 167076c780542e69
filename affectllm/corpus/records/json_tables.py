"""Tables in one JSON object: the forms of pandas, columns as lists, and rows or values under their ids.

``{"label": {"0": "joy"}}`` is a column with the row 0 or a row called ``label``: which one follows from the names, and
where these say nothing it is a row, because that is how people write ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from affectllm.corpus.records.json_reading import Item
from affectllm.corpus.sample import Rejection
from affectllm.errors import Malformed

USUAL = frozenset(
    (
        *("id", "ids", "name", "names", "filename", "filenames", "file_name", "file", "path", "key", "index", "idx"),
        *("video_name", "utt_id", "qid", "uid", "gold", "label", "labels", "emotion", "emo", "emotions", "mood"),
        *("sentiment", "category", "class", "target", "discrete", "openset", "reference", "val", "valence", "arousal"),
        *("answer", "answers", "prediction", "predictions", "predicted", "pred", "fileitems", "reply", "response"),
        *("output", "text", "sentence", "utterance", "question", "speaker", "split", "score"),
    )
)
"""Names that columns go by, and ids do not."""
_Rows = Iterator[tuple[Mapping[str, Any], str] | Rejection]


def read_object(items: Sequence[Item | Rejection], name: str, key: str) -> _Rows:
    """Yield the rows of an object, of which ``items`` are the members.

    Args:
        name: the file.
        key: the column for the names of rows.

    Raises:
        Malformed: when columns have different lengths.
    """
    broken = [item for item in items if isinstance(item, Rejection)]
    members = {item.key: item.value for item in items if isinstance(item, Item)}
    lines = {item.key: item.where for item in items if isinstance(item, Item)}
    yield from broken
    if rows := _split(members) or _schema(members):
        yield from ((row, name) for row in rows)
    elif _are_columns(members):
        yield from ((row, name) for row in _of_columns(members, name, key))
    elif _is_row(members):
        yield members, name
    else:
        yield from _of_ids(members, lines, key)


def _split(members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read pandas' ``split`` and ``tight`` forms: names, and rows of cells."""
    columns, data = members.get("columns"), members.get("data")
    if not (isinstance(columns, list) and isinstance(data, list) and set(members) <= _TIGHT):
        return []
    if not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        return []
    index = members.get("index")
    rows = [dict(zip(map(str, columns), row, strict=True)) for row in data]
    if isinstance(index, list) and len(index) == len(rows) and index != list(range(len(rows))):
        rows = [{"index": place, **row} for place, row in zip(index, rows, strict=True)]
    return rows


_TIGHT = frozenset(("columns", "data", "index", "index_names", "column_names", "name"))


def _schema(members: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Read pandas' ``table`` form, and data sets with metadata: rows under ``data``."""
    data = members.get("data")
    if set(members) == {"schema", "data"} and isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return data
    return []


def _are_columns(members: Mapping[str, Any]) -> bool:
    """Whether the members are columns: objects of the same rows, or lists under names that columns go by."""
    values = list(members.values())
    usual = any(name.strip().lower() in USUAL for name in members)
    if all(isinstance(value, dict) for value in values):
        rows = list(values[0])
        if any(list(value) != rows for value in values) or not rows:
            return False
        numbered = all(row.isdecimal() for row in rows)
        return numbered or (usual and not any(row.strip().lower() in USUAL for row in rows))
    return usual and len(values) > 1 and all(isinstance(value, list) for value in values)


def _of_columns(members: Mapping[str, Any], name: str, key: str) -> Iterator[dict[str, Any]]:
    lengths = {column: len(cells) for column, cells in members.items()}
    if len(set(lengths.values())) > 1:
        raise Malformed(f"columns of different lengths: {str(lengths)[:200]}", where=name, do="write one object a row")
    first = next(iter(members.values()))
    if isinstance(first, list):
        cells = zip(*members.values(), strict=True)
        yield from (dict(zip(members, row, strict=True)) for row in cells)
        return
    counted = list(first) == [str(place) for place in range(len(first))]  # pandas numbers what has no names
    for row in first:
        named = {} if counted else {"index" if row.isdecimal() else key: row}
        yield {**named, **{column: cells[row] for column, cells in members.items()}}


def _is_row(members: Mapping[str, Any]) -> bool:
    """Whether the object is one row: JSON lines of a single line."""
    named = [name for name in members if name.strip().lower() in USUAL]
    return bool(named) and not any(isinstance(value, (dict, list)) for value in members.values())


def _of_ids(members: Mapping[str, Any], lines: Mapping[str, str], key: str) -> _Rows:
    for name, value in members.items():
        if isinstance(value, dict):
            yield {key: name, **value}, lines[name]
        elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
            detail = f"{name!r} holds a list of objects, and is neither a column nor a row"
            yield Rejection(lines[name], "broken_row", lines[name], detail)
        else:
            yield {key: name, "value": value}, lines[name]
