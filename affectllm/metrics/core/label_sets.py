"""Parse open-vocabulary answers: one value of a table or an archive into its labels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from affectllm.errors import Malformed

_SEPARATORS = re.compile("['\",]")
_OTHER_SEPARATORS = re.compile(r"[;|\n\r\t\u201c\u201d\uff0c\u3001\uff1b]")  # curly quotation marks, Chinese commas
_COLLECTIONS = (list, tuple, set, frozenset)


def parse_set(value: Any) -> list[str]:
    """Split one value into labels exactly as the evaluator of AffectGPT and of the MER challenges does.

    A list (array, set, tuple) is itself; None and NaN are no labels. Of a string, one leading ``[`` and one trailing
    ``]`` are dropped, each only where it is the very first or last character; what remains is cut at ``'``, ``"`` and
    ``,``, blanks around the pieces go, and empty pieces too. So a label with an apostrophe falls in two.

    Raises:
        Malformed: when the value is none of these.
    """
    if hasattr(value, "tolist"):  # a numpy array or scalar
        value = value.tolist()
    if isinstance(value, _COLLECTIONS):
        return [_text(item, value) for item in value]
    if _absent(value):
        return []
    text = _text(value, value).removeprefix("[").removesuffix("]")
    return [piece for piece in map(str.strip, _SEPARATORS.split(text)) if piece]


def parse_labels(value: Any) -> list[str]:
    """Split one value into labels, from more forms than the published ``parse_set``.

    A JSON array is read as one first, so that its labels keep their apostrophes; round and curly brackets around the
    whole go too, and labels may also be separated by semicolons, bars, line ends or Chinese commas.
    """
    if isinstance(value, str) and '"' in value and value.lstrip().startswith("["):
        try:
            labels = json.loads(value)
        except (ValueError, RecursionError):
            return parse_set(_like_published(value))
        if isinstance(labels, list) and all(isinstance(item, str) for item in labels):
            return labels
    return parse_set(_like_published(value) if isinstance(value, str) else value)


def _like_published(text: str) -> str:
    text = text.strip()
    if text[:1] + text[-1:] in ("()", "{}"):
        text = text[1:-1]
    return _OTHER_SEPARATORS.sub(",", text)


def distinct(values: Sequence[Any], strict: bool) -> list[tuple[str, ...]]:
    """Return the labels of each value, lower-cased and stripped; equal values are parsed once."""
    parse = parse_labels if strict else parse_set
    cache: dict[Any, tuple[str, ...]] = {}
    result = []
    for value in values:
        if not isinstance(value, (str, frozenset)):
            result.append(_normal(parse(value)))
            continue
        if value not in cache:
            cache[value] = _normal(parse(value))
        result.append(cache[value])
    return result


def _normal(labels: list[str]) -> tuple[str, ...]:
    return tuple([name for label in labels if (name := label.lower().strip())])


def _absent(value: Any) -> bool:
    # pandas' NA and NaT are told by their names, because comparing NA with itself is no yes and no no.
    return (
        value is None or type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and value != value)
    )


def _text(value: Any, whole: Any) -> str:
    if not isinstance(value, str):
        quoted = repr(whole) if len(repr(whole)) < 80 else repr(whole)[:77] + "…"
        do = "give a string such as '[happy, surprised]', or a list of strings; --labels A,B,C names class numbers"
        raise Malformed(f"{quoted} holds no labels", do=do)
    return str(value)
