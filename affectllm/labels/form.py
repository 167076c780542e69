"""Answer forms: how an annotation is asked for, worded, read back and scored; one file per form in ``forms/``.

A form fits certain kinds of label spaces. ``gold`` takes the value out of an annotation (or says why it cannot be
asked), ``worded`` writes it as text, ``read`` is the inverse of ``worded``: a value of the same shape, or
``Unreadable``. Numbers are written with at most three decimals and shares as whole percents; ``read`` inverts
``worded`` at that precision.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, cast

from affectllm import registry
from affectllm.imported import member
from affectllm.labels.pictures import Pictures
from affectllm.labels.space import LabelSpace


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an annotation cannot be asked about: ``tie``, ``no_label``, ``outside_space``, ``no_votes``, …"""

    reason: str


OUTSIDE = Refused("outside_space")


def same(value: Any, space: LabelSpace) -> Any:
    """Return the value unchanged."""
    return value


def equal(answer: Any, gold: Any, space: LabelSpace) -> float:
    """Return 1 for the gold answer, 0 for any other."""
    return float(answer == gold)


def commonest(golds: Sequence[Any], space: LabelSpace) -> Any:
    """Return the most frequent gold value; of several, the first."""
    keys = [repr(gold) for gold in golds]
    return golds[keys.index(Counter(keys).most_common(1)[0][0])]


def any_other(golds: Sequence[Any], space: LabelSpace, draw: Random) -> Any:
    """Draw the gold value of some item."""
    return draw.choice(golds)


def any_name(golds: Sequence[Any], space: LabelSpace, draw: Random) -> Any:
    """Draw a name of the space."""
    return draw.choice(space.names)


def another_name(gold: Any, space: LabelSpace, draw: Random) -> Any:
    """Draw a name of the space that is not the gold one; None where there is no other."""
    others = [name for name in space.names if name != gold]
    return draw.choice(others) if others else None


@dataclass(frozen=True)
class Form:
    """An answer form: how values of some kinds of label spaces are asked for, worded, read and scored.

    Args:
        description: what an answer is, in a few words, for documentation and errors.
        kinds: kinds of label spaces that it fits.
        gold: (value of an annotation, space) → JSON value, or ``Refused``.
        worded: (gold, space, language, word for nothing) → the answer.
        read: (answer, space, language) → value of an annotation, or ``Unreadable``.
        shape: space → the form of values that its metrics take, see ``metrics.core.value_forms``.
        tokens: most new tokens of a generated answer, sentence and tags not counted.
        truth, answer: (value, space) → gold value and answer as metrics take them.
        majority: (gold values, space) → the best answer that is the same for all items, for the majority model.
        chance: (gold values, space, random) → an answer drawn without looking at the item.
        wrong: (gold, space, random) → another answer, clearly not the gold one, or None where there is none.
        agreement: (answer, gold, space) → from 0 to 1, how far an answer is the gold one: both as ``gold`` gives them.
        texts: gold → the words in it that come from the corpus.
        classes: whether gold values are labels, so that classes can be counted, balanced and capped.
        choices: whether an answer is one name of its space, so that all of them can be scored by likelihood.
        free: whether an answer may hold any words, so that it must be tried whether they are read back.
        judged: whether ``agreement`` can tell how good an answer is; free words need a judge.
        needs: placeholders without which its questions say too little.
        only: the names that a space may have; None for any.
        unfit: space → why it does not fit although its kind does; empty where it does.
        last_turn: gold → the highest number of a turn of the dialogue that it names; 0 for none.
        arranged: (gold, key of the sample) → gold in the order in which a question shows it.
        shown: gold → placeholder → what a question shows of it.
        own_space: (space, gold) → the space of one item, where the answers that may be given belong to the item.
        pictures: (gold values, readings or None, space) → what a report shows of them, see ``labels.pictures``.
        restored: (value that was read in that space, gold) → value of an annotation in the form's own space.
    """

    description: str
    kinds: tuple[str, ...]
    gold: Callable[[Any, LabelSpace], Any]
    worded: Callable[[Any, LabelSpace, str, str], str]
    read: Callable[[str, LabelSpace, str], Any]
    shape: Callable[[LabelSpace], str]
    tokens: int
    truth: Callable[[Any, LabelSpace], Any] = same
    answer: Callable[[Any, LabelSpace], Any] = same
    majority: Callable[[Sequence[Any], LabelSpace], Any] = commonest
    chance: Callable[[Sequence[Any], LabelSpace, Random], Any] = any_other
    wrong: Callable[[Any, LabelSpace, Random], Any] | None = None
    agreement: Callable[[Any, Any, LabelSpace], float] = equal
    texts: Callable[[Any], Iterable[str]] = lambda gold: ()
    classes: bool = False
    choices: bool = False
    free: bool = False
    judged: bool = True
    needs: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    unfit: Callable[[LabelSpace], str] = lambda space: ""
    last_turn: Callable[[Any], int] = lambda gold: 0
    arranged: Callable[[Any, str], Any] | None = None
    shown: Callable[[Any], Mapping[str, str]] | None = None
    own_space: Callable[[LabelSpace, Any], LabelSpace] | None = None
    pictures: Pictures = lambda golds, readings, space: ()
    restored: Callable[[Any, Any], Any] = lambda value, gold: value

    def scored(self, gold: Any, reading: Any, space: LabelSpace) -> tuple[Any, Any]:
        """Convert a gold value and a reading (None where unreadable) to what the metrics of ``shape`` take."""
        return self.truth(gold, space), None if reading is None else self.answer(reading, space)

    def mark(self, gold: Any, reading: Any, space: LabelSpace) -> float:
        """Return how far a reading (None where unreadable: 0) agrees with a gold value, in [0, 1]."""
        return 0.0 if reading is None else self.agreement(self.gold(reading, space), gold, space)


def shape_of(name: str) -> Callable[[LabelSpace], str]:
    """Return a ``shape`` function that gives ``name`` for every space."""
    return lambda space: name


def form_names() -> list[str]:
    """Return the names of all forms; imports none."""
    return list(registry.names("forms"))


@cache
def find_form(name: str) -> Form:
    """Return the form called ``name``.

    Raises:
        NotFound: when there is none.
        Malformed: when its file cannot be imported or holds no ``FORM``.
    """
    return cast(Form, member("forms", name, "FORM", Form))


def check_fit(form: Form, space: LabelSpace) -> str:
    """Return why a space cannot be asked about in a form; empty where it can."""
    if space.kind not in form.kinds:
        return f"asks for {form.description}, but {space.name} is a {space.kind} space"
    if form.only is not None and not set(space.names) <= form.only:
        return f"asks for one of {', '.join(sorted(form.only))}, but {space.name} has other names"
    return form.unfit(space)
