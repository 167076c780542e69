"""Read judgements: whether an answer says that a statement is correct."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.mentions import mentions
from affectllm.labels.reading.spoken import compiled, pattern, simplified, words
from affectllm.labels.reading.structure import ABSENT, after_answer, answer_keys, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import SENTENCE_ENDS, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable
from affectllm.labels.reading.words import Words


@cache
def _lone_judgements() -> Mapping[str, bool]:
    """Map words that judge only as the answer or its beginning, not in "no sign of joy" or "on the right"."""
    return {**dict.fromkeys(words("agree"), True), **dict.fromkeys(words("disagree"), False)}


_PARTS = re.compile(r"[\s,.:;!，。；：！、\-—(（\n]*[,.:;!，。；：！、\-—(（\n][\s,.:;!，。；：！、\-—(（\n]*")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")  # "non-verbal" is one word
_BEGINNING = 3  # parts between signs in which a mere yes or no is the answer
_ELSEWHERE = compiled(lambda: pattern("elsewhere"))
# A judgement that is limited before it ("partly correct", up to two words between) or after it ("yes, but partly").
_HEDGED = compiled(
    lambda: (
        rf"(?<![^\W\u3400-\u9fff]){pattern('partly')}\s?(?:[^\W\d_\u3400-\u9fff]+\s){{0,2}}(?:{_judges()})"
        rf"|{pattern('hedges')}|(?:{_judges()}|{alternatives((*words('agree'), *words('disagree')))})[\s,]{{1,3}}"
        rf"(?:{pattern('hedge_joint')}){{0,2}}{pattern('partly')}(?=\W*$)"
    )
)
_UNSURE = compiled(lambda: pattern("judges_unsure"))
_LEADS = compiled(  # "the answer is yes", "I would say no"
    lambda: rf"^\W{{0,9}}{pattern('judgement_leads')}\W{{1,4}}", re.IGNORECASE
)
_KEYS = re.compile(r'"[^"\n]{1,40}"\s{0,3}:')
_SIGNS = {True: re.compile("[✅✓✔☑]"), False: re.compile("[❌✗✘]")}


@cache
def _words() -> Words:
    """Word → ``yes`` or ``no``, for words that judge wherever they stand."""
    return Words({**dict.fromkeys(words("correct"), "yes"), **dict.fromkeys(words("incorrect"), "no")})


def _judges() -> str:
    return alternatives(_words())


def read_judgement(text: Any) -> bool | Unreadable:
    """Whether an answer says that the statement is correct.

    Read are correct/incorrect, true/false, yes/no and their likes in every language of the lexicon; ``not correct``
    is incorrect. An answer that says both is ``ambiguous``, and so is one that judges in part or with doubt
    (``partially correct``, ``not entirely wrong``, ``probably true``, ``unclear whether``).
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, answer_keys("judgement"))
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    if value is not ABSENT and not isinstance(value, str):
        return Unreadable("no_judgement", raw)
    part = value if isinstance(value, str) else (after_answer(part) or _LEADS().sub("", _KEYS.sub(" ", part)))
    if not bare(part):
        return Unreadable("empty", raw)
    part = simplified(part)
    judgements = {*_leading_judgements(part), *_judgements_of_sentences(normalised(part))}
    judgement = next(iter(judgements)) if len(judgements) == 1 else None
    return Unreadable("ambiguous" if judgements else "no_judgement", raw) if judgement is None else judgement


def _leading_judgements(text: str) -> set[bool | None]:
    """Return the judgements of a lone yes or no at the beginning, of ``right`` as the whole answer, and of ✓ and ✗."""
    if bare(text) in words("correct_alone"):
        return {True}
    parts = [
        set(bare(part).split()) for part in _PARTS.split(_HYPHEN.sub("", normalised(text[:2_000])))[: _BEGINNING + 1]
    ]
    alone = [next(iter(part)) for part in parts if len(part) == 1]
    judgements: set[bool | None] = {
        _lone_judgements()[word] for word in alone[:_BEGINNING] if word in _lone_judgements()
    }
    return judgements.union(judgement for judgement, sign in _SIGNS.items() if sign.search(text))


def _judgements_of_sentences(text: str) -> set[bool | None]:
    """Return the judgements that the sentences of a text make; None stands for doubt."""
    judgements: set[bool | None] = set()
    for sentence in dict.fromkeys(map(str.strip, SENTENCE_ENDS.split(text))):
        if _HEDGED().search(sentence):
            judgements.add(None)
        elif sentence and sentence[-1] not in "?？؟":
            judging = mentions(_ELSEWHERE().sub(" ", sentence), _words(), feelings=False)
            judgements.update((mention.name == "yes") != mention.denied for mention in judging)
            if judging and _UNSURE().search(sentence):
                judgements.add(None)
    return judgements
