"""A label space: the set of answers that may be given to one question."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from affectllm.errors import Malformed

Kind = Literal["category", "set", "dimension", "distribution", "open", "spans", "options", "pairs"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""The letters of options, in the order in which they are shown."""


@dataclass(frozen=True)
class LabelSpace:
    """The answers that may be given to one question.

    Args:
        name: unique name, e.g. ``ekman_6_neutral``.
        kind: ``category`` (one name), ``set`` (several names), ``dimension`` (numbers within ``bounds``),
            ``distribution`` (a count or weight per name), ``open`` (free text), ``spans`` (passages of a dialogue),
            ``options`` (answers that are offered with each question) or ``pairs`` (which turns of a dialogue feel one
            of the names, and what caused it).
        names: the category or dimension names, in the order in which the source lists them; empty for ``open``,
            ``spans`` and ``options``.
        source: where the space is defined (paper or release).
        aliases: other words for a name, as they occur in corpora and in answers (``angry`` → ``anger``).
        bounds: the smallest and largest value of a ``dimension``, both included.
        several: whether several of the ``options`` may be right.
    """

    name: str
    kind: Kind
    names: tuple[str, ...]
    source: str
    aliases: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[float, float] | None = None
    several: bool = False

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            raise Malformed("a label space names a label twice", where=self.name)
        if strange := sorted(set(self.aliases.values()) - set(self.names)):
            raise Malformed(f"aliases point at names that are not in the space: {strange}", where=self.name)
        if (self.kind == "dimension") != (self.bounds is not None):
            raise Malformed("bounds belong to dimensions, and to nothing else", where=self.name)
        if self.several and self.kind != "options":
            raise Malformed("several belongs to options; several names of a space are a set", where=self.name)

    def focused(self, names: Collection[str]) -> LabelSpace:
        """Return this space of dimensions with only some of them.

        Raises:
            Malformed: when it is another kind of space, or does not have one of ``names``.
        """
        if self.kind != "dimension":
            raise Malformed(f"focus chooses dimensions, and {self.name} is a {self.kind} space")
        if strange := [name for name in names if name not in self.names]:
            raise Malformed(f"{self.name} has no {strange[0]!r}", do=f"choose among {', '.join(self.names)}")
        chosen = tuple(name for name in self.names if name in names)
        aliases = {word: name for word, name in self.aliases.items() if name in chosen}
        return replace(self, names=chosen, aliases=aliases)

    def resolve(self, word: str) -> str | None:
        """Return the canonical name for ``word`` (case and outer blanks ignored), or None when the space has none."""
        key = word.strip().lower()
        return key if key in self.names else self.aliases.get(key)

    def check(self, value: Any) -> None:
        """Raise ``Malformed`` unless ``value`` is an answer in this space (see ``Annotation.value`` for the shapes)."""
        if not self._admits(value):
            raise Malformed(f"{value!r} is not an answer in the {self.kind} space {self.name}", where=self.name)

    def _admits(self, value: Any) -> bool:
        return _ADMITS[self.kind](self, value)

    def _admits_names(self, value: Any) -> bool:
        if self.kind == "set" and isinstance(value, Mapping):
            return set(value) <= set(self.names) and all(0 <= score <= 1 for score in value.values())
        if self.kind == "category" and isinstance(value, str):
            return value in self.names
        return (
            isinstance(value, (list, tuple))
            and set(value) <= set(self.names)
            and len(set(value)) == len(value)
            and (self.kind == "set" or len(value) > 1)
        )

    def _admits_numbers(self, value: Any) -> bool:
        if not isinstance(value, Mapping) or not set(value) <= set(self.names):
            return False
        low, high = self.bounds or (0.0, math.inf)
        return all(low <= number <= high for number in value.values())

    def _admits_text(self, value: Any) -> bool:
        return isinstance(value, str)

    def _admits_passages(self, value: Any) -> bool:
        return isinstance(value, (list, tuple)) and all(map(_is_passage, value))

    def _admits_pairs(self, value: Any) -> bool:
        return isinstance(value, (list, tuple)) and all(self._is_pair(item) for item in value)

    def _is_pair(self, item: Any) -> bool:
        if not isinstance(item, Mapping) or not {"turn", "emotion", "cause"} <= set(item) <= {*_PAIR}:
            return False
        turns = [item["turn"], item["cause"]]
        numbered = all(type(turn) is int and turn >= 1 for turn in turns)
        return numbered and item["emotion"] in self.names and isinstance(item.get("span", ""), str)

    def _admits_options(self, value: Any) -> bool:
        if not isinstance(value, Mapping) or set(value) != {"options", "right"}:
            return False
        options, right = list(value["options"]), list(value["right"])
        are_texts = all(isinstance(option, str) and option.strip() for option in options)
        once = len(set(options)) == len(options) and len(set(right)) == len(right)
        return are_texts and once and 2 <= len(options) <= len(LETTERS) and bool(right) and set(right) <= set(options)


def _is_passage(item: Any) -> bool:
    """Whether an item is ``{"turn": 3, "span": "words"}``: a number or ``background``, and optionally a text."""
    if not isinstance(item, Mapping) or not {"turn"} <= set(item) <= {"turn", "span"}:
        return False
    turn = item["turn"]
    numbered = turn == "background" or (isinstance(turn, int) and not isinstance(turn, bool) and turn >= 0)
    return numbered and isinstance(item.get("span", ""), str)


_PAIR = ("turn", "emotion", "cause", "span")
_ADMITS = {
    **dict.fromkeys(("category", "set"), LabelSpace._admits_names),
    **dict.fromkeys(("dimension", "distribution"), LabelSpace._admits_numbers),
    "pairs": LabelSpace._admits_pairs,
    **{"open": LabelSpace._admits_text, "spans": LabelSpace._admits_passages, "options": LabelSpace._admits_options},
}
