"""Read several labels: of a closed label space, or in the answer's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from affectllm.labels.reading import spoken
from affectllm.labels.reading.label import AMBIGUOUS, NO_LABEL
from affectllm.labels.reading.mentions import affirmed
from affectllm.labels.reading.nothing import nothing_words, says_nothing
from affectllm.labels.reading.spoken import any_word, compiled, pattern
from affectllm.labels.reading.structure import (
    ABSENT,
    after_answer,
    after_fields,
    answer_keys,
    bracketed,
    bulleted,
    cut_off,
    differing_lists,
    items,
    json_value,
    texts_of,
)
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import as_text, bare
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.verdicts import Verdicts, verdicts
from affectllm.labels.reading.words import emotion_words, vocabulary
from affectllm.labels.space import LabelSpace

NEUTRAL = "neutral"  # the canonical name
_LONGEST_ITEM = 3  # words in an item of a plain list; more is a sentence
_EMPTY_LIST = re.compile(r"\s{0,9}(?:```(?:json)?)?\s{0,9}(?:\[\s{0,9}\]|【\s{0,9}】)\s{0,9}(?:```)?\s{0,9}")
_INTRODUCED = compiled(lambda: rf"{pattern('introduces')}(.+)")
_HAN = re.compile("[\u3400-\u9fff]")
_LEAD = compiled(lambda: rf"^\W{{0,9}}{pattern('leads', otherwise='')}\W{{0,9}}", re.IGNORECASE)
_REFUSES = compiled(lambda: pattern("refuses"))
_REFUSED = compiled(lambda: pattern("item_refused"))
_NUMBERED = re.compile(r"\d[.)]\s")
_DEGREE = compiled(lambda: rf"^{any_word('degree')}\s+")


def read_labels(text: Any, space: LabelSpace) -> tuple[str, ...] | Unreadable:
    """Return the labels of ``space`` that an answer states, in the order of the space; ``()`` for ``none`` and ``[]``.

    Words that are no label of the space are left out; an answer with such words only is ``no_label``. Labels that are
    only possible (``might be sad``) count, those that are denied do not. Where labels are judged one by one (``joy:
    yes, anger: no``, a JSON object of booleans), those that are affirmed are read; any other verdict is ``ambiguous``,
    and no label affirmed is the empty set only where all were judged. A list that was cut off is ``unfinished``; two
    JSON lists that differ, and neither of which is announced as the answer, are ``ambiguous``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    words = vocabulary(space)
    # A space may have a label called "none" (AffectNet), and "no emotion" may be a word for its neutral.
    if _EMPTY_LIST.fullmatch(part) or any(_nothing(statement, words) for statement in _statements(part)):
        return ()
    if not bare(part):
        return Unreadable("empty", raw)
    if (judged := verdicts(part, words)) is not None:
        return _affirmed(judged, space, raw)
    value = json_value(part, answer_keys("label"))
    texts = None if value is ABSENT else texts_of(value)
    # Objects that say more of each label than its name.
    said_more = texts is None and isinstance(value, list)
    if said_more or differing_lists(part, str):
        return Unreadable(AMBIGUOUS, raw)
    if value is ABSENT and cut_off(part):
        return Unreadable("unfinished", raw)
    return _of_texts(part, space, raw, texts, words)


def _of_texts(
    part: str, space: LabelSpace, raw: str, texts: list[str] | None, words: Mapping[str, str]
) -> tuple[str, ...] | Unreadable:
    """Return the labels that the texts of a JSON answer name, or those of an answer that has none."""
    if texts == []:
        return ()
    if texts is None:
        texts = [after_answer(part) or part]
    names = {name for item in texts for name in _named(item, words)}
    if not names and len(texts) == 1 and texts[0] != part:
        names = set(affirmed(part, words))
    return tuple(name for name in space.names if name in names) if names else Unreadable(NO_LABEL, raw)


def _nothing(statement: str, words: Mapping[str, str]) -> bool:
    """Whether a statement says that no label applies; ``neutral`` does, where it is none of the labels."""
    if statement in words or any(word in words and word in statement for word in (NEUTRAL, *nothing_words())):
        return False
    return says_nothing(statement) or statement == NEUTRAL


def _affirmed(judged: Verdicts, space: LabelSpace, raw: str) -> tuple[str, ...] | Unreadable:
    """Return the affirmed labels; without any, the empty set only if every label was judged."""
    if judged.unclear:
        return Unreadable(AMBIGUOUS, raw)
    if not judged.affirmed and set(judged.by_label) != set(space.names):
        return Unreadable(NO_LABEL, raw)
    return tuple(name for name in space.names if name in judged.affirmed)


def _statements(text: str) -> Iterator[str]:
    """Yield the answer as it stands, and without what leads to it."""
    yield bare(text)
    yield bare(_LEAD().sub("", text[:2_000]))
    yield from (bare(part) for part in (after_answer(text), *after_fields(text)) if part is not None)
    value = json_value(text, answer_keys("label"))
    if isinstance(value, str):
        yield bare(value)


def _named(item: str, words: Any) -> list[str]:
    exact = words.get(bare(item))
    return [exact] if exact else affirmed(item, words)


def read_open_labels(text: Any) -> tuple[str, ...] | Unreadable:
    """Return the labels that an answer lists in its own words: lower case, each once, in its order.

    Read are a JSON array or field, a list in square brackets, with bullets or between commas whose items have at most
    three words or four Chinese characters, and sentences such as "the person feels happy and surprised" when every item
    is a known emotion word. ``[]`` and ``none`` are the empty list. Any other prose is ``no_label``: to extract labels
    from it takes a model, see ``metrics.judge.extract``.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    if _EMPTY_LIST.fullmatch(part) or bare(part) in nothing_words():
        return ()
    if not bare(part):
        return Unreadable("empty", raw)
    if json_value(part, answer_keys("label")) is ABSENT and cut_off(part):
        return Unreadable("unfinished", raw)
    labels = _listed(part)
    return Unreadable(NO_LABEL, raw) if labels is None else tuple(dict.fromkeys(labels))


def _listed(text: str) -> list[str] | None:
    value = json_value(text, answer_keys("label"))
    texts = None if value is ABSENT else texts_of(value)
    if texts is not None:
        several = isinstance(value, list)
        return [item for text in texts for item in ([bare(text)] if several else items(text)) if item]
    marked = [item for field in after_fields(text) for item in items(field)]
    for candidates in (bracketed(text), marked, bulleted(text), items(after_answer(text) or text)):
        if candidates and all(_short(item) for item in candidates):
            return candidates
    return _sentence(text)


@cache
def _sentence_words() -> frozenset[str]:
    return frozenset(spoken.words("sentence"))


def _short(item: str) -> bool:
    words = _DEGREE().sub("", item).split()
    if _NUMBERED.search(item) or _REFUSES().search(item):
        return False
    if _HAN.search(item):
        return len(item) <= 4 and not _REFUSED().match(item)
    return len(words) <= _LONGEST_ITEM and len(item) <= 40 and ":" not in item and _sentence_words().isdisjoint(words)


def _sentence(text: str) -> list[str] | None:
    introduced = _INTRODUCED().search(bare(text[:2_000]))
    if introduced is None:
        return None
    emotions = [_DEGREE().sub("", item) for item in items(introduced.group(1).partition(".")[0])]
    return emotions if emotions and all(item in emotion_words() for item in emotions) else None


def mentioned_emotions(text: Any) -> tuple[str, ...]:
    """Return the heads of the families of emotion words that free prose affirms, in its order; possibly none."""
    part = answer_part(as_text(text))
    return () if isinstance(part, Unreadable) else tuple(affirmed(part, emotion_words()))
