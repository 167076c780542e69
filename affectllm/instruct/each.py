"""Questions that are asked of one name of a label space at a time, and answered by words that stand for values.

A page says them beside its own questions, for scores from likelihoods::

    each:
      questions: ["Does the {stimulus} express {label}? Answer Yes or No.", …]
      held_out: ["Is there {label} in the {stimulus}? Yes or No."]
      levels: ["No", "Yes"]

``levels`` are the words from the lowest value to the highest, evenly spaced. Scores of items are compared with each
other, so all items are asked in the first question, whatever the page's own questions do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import Malformed
from affectllm.page_schema import check_keys
from affectllm.yaml_page import Page

_LISTS: Mapping[str, int] = {"questions": 2, "held_out": 1, "levels": 2}


@dataclass(frozen=True)
class Each:
    """What a page asks of each name.

    Args:
        questions: paraphrases with the placeholder ``label``; the first is asked.
        held_out: the same for the questions that no training set uses.
        levels: the answers, from the lowest to the highest.
    """

    questions: tuple[str, ...]
    held_out: tuple[str, ...]
    levels: tuple[str, ...]


def read_each(value: Any, page: Page, tag: str) -> Each | None:
    """Return the questions of each name that a page has in one language, None where it has none.

    Raises:
        Malformed: with file and line, for an unknown key, too few texts, or levels that begin with the same word.
    """
    if value is None:
        return None
    path = (tag, "each")
    if not isinstance(value, Mapping):
        raise Malformed(f"{tag}.each must be a mapping with {', '.join(_LISTS)}", where=page.where(path))
    check_keys(value, tuple(_LISTS), page, path)
    for key, least in _LISTS.items():
        texts = value.get(key)
        if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts) or len(set(texts)) < least:
            message = f"{tag}.each.{key} must be a list of at least {least} different texts, not {texts!r}"
            raise Malformed(message, where=page.where((*path, key) if key in value else path))
    # Where only the first token's likelihood is known, it must tell the levels apart.
    if len({level.split()[0].casefold() for level in value["levels"] if level.strip()}) < len(value["levels"]):
        message = f"two of {tag}.each.levels begin with the same word, or with none"
        raise Malformed(message, where=page.where((*path, "levels")), do="choose words that differ in the first one")
    return Each(*(tuple(value[key]) for key in _LISTS))


def values_of(levels: Sequence[str], low: float, high: float) -> tuple[float, ...]:
    """Return the values of levels, evenly spaced from ``low`` to ``high``."""
    step = (high - low) / (len(levels) - 1)
    return tuple(low + step * number for number in range(len(levels)))
