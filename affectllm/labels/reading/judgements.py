"""Judgements: whether an answer says that a statement holds."""

from __future__ import annotations

import re
from typing import Any

from affectllm.labels.reading.chinese import simplified
from affectllm.labels.reading.mentions import mentions
from affectllm.labels.reading.structure import ABSENT, JUDGEMENT_KEYS, after_answer, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import SENTENCE_ENDS, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable

_YES = (
    *("correct", "true", "accurate", "valid", "正确", "属实", "准确", "成立", "无误"),
    *("correcto", "cierto", "verdadero", "صحيح"),
)
_NO = (
    *("incorrect", "false", "inaccurate", "invalid", "wrong", "untrue"),
    *("错误", "有误", "不准确", "不成立", "不属实", "不正确", "incorrecto", "falso", "خطأ"),
)
# Words that judge only where they are the answer or begin it: "no sign of joy", "on the right", "对他来说".
_MERE_YES = ("yes", "agree", "yeah", "对", "是", "是的", "对的", "真", "sí", "نعم", "はい", "正しい")
_MERE_NO = ("no", "disagree", "nope", "不对", "错", "错的", "否", "不", "不是", "假", "不同意", "لا", "いいえ")
_SAID = {**dict.fromkeys(_MERE_YES, True), **dict.fromkeys(_MERE_NO, False)}
_WORDS = {**dict.fromkeys(_YES, "yes"), **dict.fromkeys(_NO, "no")}
_JUDGES = "|".join(sorted(_WORDS, key=len, reverse=True))
_PARTS = re.compile(r"[\s,.:;!，。；：！、\-—(（\n]*[,.:;!，。；：！、\-—(（\n][\s,.:;!，。；：！、\-—(（\n]*")
_BEGINNING = 3  # parts between signs in which a mere yes or no is the answer
# What is said of something else than the statement: "the correct emotion is", "she is wrong about him".
_JUDGING = "correct|true|accurate|valid|wrong|incorrect|false|invalid|inaccurate"
_ELSEWHERE = re.compile(
    rf"(?<!\w)(?:{_JUDGING})\s"
    r"(?!(?:statement|description|claim|because|since|as|and|or|but|that|in|to|for|with|according|based|given|"
    r"overall|here|instead|rather|"
    r"at all)(?!\w))[^\W\d_]+"
    r"|(?<!\w)the (?:correct|true|accurate) (?:statement|description|claim)"
    r"|(?<!\w)(?:video|audio|file|input|image|link|request|clip|something|everything|nothing|he|she|they|you|i|man|"
    r"woman|"
    rf"person|speaker)(?:'s|\s(?:is|are|was|were|am))\s(?:\w+\s){{0,2}}?(?:{_JUDGING})(?!\w)"
    r"|正确(?:的)?(?:答案|情绪|情感|标签|选项)"
)
_PARTLY = (
    r"partial(?:ly)?|partly|mostly|largely|mainly|somewhat|half[- ]?|almost|nearly|generally|broadly|roughly|"
    r"approximately|"
    r"basically|to (?:some|a certain|a large|a great) (?:extent|degree)|more or less|kind of|sort of|in part|"
    r"in some (?:ways|respects)|probably|possibly|perhaps|maybe|might be|may be|could be|likely|unlikely|would be|"
    r"should be|"
    r"parcialmente|casi|en parte|quizás?|部分|基本上?|大致|大体上?|大部分|"
    r"不完全|不太|不够|可能是?|也许|或许|大概|未必|不一定|"
    r"不全|半|جزئيا"
)
_WHOLLY = (
    "entirely|completely|fully|quite|totally|exactly|wholly|altogether|strictly|necessarily|always|absolutely|100%"
)
_HEDGED = re.compile(
    rf"(?<![^\W\u3400-\u9fff])(?:{_PARTLY})\s?(?:[^\W\d_\u3400-\u9fff]+\s){{0,2}}(?:{_JUDGES})"
    r"|(?<!\w)neither\s"
    rf"|(?:(?<!\w)not|n't|cannot be)\s(?:{_WHOLLY})"
    rf"|(?:{_JUDGES}|yes|no|agree)[\s,]{{1,3}}(?:but\s|although\s|though\s|only\s|"
    rf"at least\s){{0,2}}(?:{_PARTLY})(?=\W*$)"
)
_UNSURE = re.compile(
    r"(?<!\w)(?:whether|if|unclear|unsure|not (?:sure|certain|clear)|n't (?:know|tell|say|determine|judge|decide)|"
    r"cannot (?:tell|say|determine|judge|decide|know)|unable|hard to|difficult to|impossible to|doubt|doubtful|"
    r"insufficient|no sé|no estoy seguro)(?!\w)|n't (?:know|tell|say|determine)|是否|无法|不确定|难以|难说"
)
_LEADS = re.compile(  # "the answer is yes", "I would say no"
    r"^\W{0,9}(?:(?:so|therefore|thus|hence)\W{1,3})?"
    r"(?:(?:the|my) (?:final |correct )?(?:answer|judge?ment|verdict) (?:is|would be)"
    r"|i(?:'d| would) say|(?:i think|i believe)(?= (?:yes|no)\W*$))\W{1,4}",
    re.IGNORECASE,
)
_KEYS = re.compile(r'"[^"\n]{1,40}"\s{0,3}:')
_SIGNS = {True: re.compile("[✅✓✔☑]"), False: re.compile("[❌✗✘]")}


def read_judgement(text: Any) -> bool | Unreadable:
    """Whether an answer says that the statement is correct.

    Read are correct/incorrect, true/false, yes/no, 正确/错误, 对/不对, 是/否, and their likes in Spanish, Arabic and
    Japanese; ``not correct`` is incorrect. An answer that says both is ``ambiguous``, and so is one that judges in
    part or with doubt (``partially correct``, ``not entirely wrong``, ``probably true``, ``unclear whether``).
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, JUDGEMENT_KEYS)
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    if value is not ABSENT and not isinstance(value, str):
        return Unreadable("no_judgement", raw)
    part = value if isinstance(value, str) else (after_answer(part) or _LEADS.sub("", _KEYS.sub(" ", part)))
    if not bare(part):
        return Unreadable("empty", raw)
    part = simplified(part)
    said = {*_said(part), *_judged(normalised(part))}
    found = next(iter(said)) if len(said) == 1 else None
    return Unreadable("ambiguous" if said else "no_judgement", raw) if found is None else found


def _said(text: str) -> set[bool | None]:
    """A mere yes or no at the beginning, ``right`` as the whole answer, and signs."""
    if bare(text) == "right":
        return {True}
    parts = [set(bare(part).split()) for part in _PARTS.split(normalised(text[:2_000]))[: _BEGINNING + 1]]
    words = [next(iter(part)) for part in parts if len(part) == 1]
    found: set[bool | None] = {_SAID[word] for word in words[:_BEGINNING] if word in _SAID}
    return found.union(held for held, sign in _SIGNS.items() if sign.search(text))


def _judged(text: str) -> set[bool | None]:
    """What the sentences of a text judge; None for doubt."""
    found: set[bool | None] = set()
    for sentence in dict.fromkeys(map(str.strip, SENTENCE_ENDS.split(text))):
        if _HEDGED.search(sentence):
            found.add(None)
        elif sentence and sentence[-1] not in "?？؟":
            said = mentions(_ELSEWHERE.sub(" ", sentence), _WORDS, feelings=False)
            found.update((mention.name == "yes") != mention.denied for mention in said)
            if said and _UNSURE.search(sentence):
                found.add(None)
    return found
