"""Judgements: whether a statement holds, and which of two descriptions is better."""

from __future__ import annotations

import re
from typing import Any

from affectllm.labels.reading.mentions import mentions
from affectllm.labels.reading.structure import JUDGEMENT_KEYS, after_answer, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import EDGE, EDGES, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable

_YES = ("correct", "true", "accurate", "valid", "正确", "属实", "准确", "成立", "无误")
_NO = ("incorrect", "false", "inaccurate", "invalid", "wrong", "untrue", "错误", "有误", "不准确", "不成立", "不属实")
# Words that judge only where they are the answer or begin it: "no sign of joy", "on the right", "对他来说".
_SAID = {**dict.fromkeys(("yes", "right", "agree", "yeah", "对", "是", "是的", "对的", "真"), True)}
_SAID |= dict.fromkeys(("no", "disagree", "nope", "不对", "错", "错的", "否", "不", "不是", "假", "不同意"), False)
_WORDS = {**dict.fromkeys(_YES, "yes"), **dict.fromkeys(_NO, "no"), "不正确": "no", "不准确": "no"}
_FIRST = re.compile(r"\s*([^\s,.:;!?，。；！？、\-—(（\n]+)\s*(?=[,.:;!?，。；！？、\-—(（\n]|$)")
_LIKES = r"(?:prefer|choose|pick|select|选择|更喜欢|favou?r)s?\s{0,2}"
_PREFERENCES = {
    "a1": r"a\s?1|(?:answer|description|option|response|candidate|text)\s?(?:1|one)|(?:the )?first(?: one)?"
    r"|描述\s?[1一]|第一[个条]",
    "a2": r"a\s?2|(?:answer|description|option|response|candidate|text)\s?(?:2|two)|(?:the )?second(?: one)?"
    r"|描述\s?[2二]|第二[个条]",
    "same": r"same|ties?|tied|equal(?:ly)?(?: good| accurate)?|draw|both(?: equally)?|no difference"
    r"|一样|相同|平局|差不多",
}
_NAMED = re.compile("|".join(rf"(?<!{EDGE})(?P<{name}>{words})(?!{EDGE})" for name, words in _PREFERENCES.items()))
_PAUSE = re.compile(r"\s*(?:[,.:;!?，。；！？、\-—(（\n*\"']|$)")
_BEATEN = re.compile(r"(?:than|over|instead of|rather than|not|优于|比)\s{0,2}(?:the )?$")
_WINS = re.compile(
    r"\s{0,2}(?:is|are|seems?|fits?|matches|describes?|wins|更|较)\s{0,2}(?:much |clearly |slightly |far )?"
    r"(?:better|best|preferred|more|closer|superior|wins?|preferable|good|准确|好|合适|贴切)"
)


def read_judgement(text: Any) -> bool | Unreadable:
    """Whether an answer says that the statement is correct.

    Read are correct/incorrect, true/false, yes/no, right/wrong, 正确/错误, 对/不对 and 是/否; ``not correct`` is
    incorrect. An answer that says both is ambiguous.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, JUDGEMENT_KEYS)
    if isinstance(value, bool):
        return value
    part = value if isinstance(value, str) else (after_answer(part) or part)
    if not bare(part):
        return Unreadable("empty", raw)
    said = {*_said(part), *_judged(part)}
    if len(said) == 1:
        return said.pop()
    return Unreadable("ambiguous" if said else "no_judgement", raw)


def _said(text: str) -> set[bool]:
    first = _FIRST.match(normalised(text))
    word = bare(text) if bare(text) in _SAID else bare(first.group(1)) if first else ""
    return {_SAID[word]} if word in _SAID else set()


def _judged(text: str) -> set[bool]:
    return {(mention.name == "yes") != mention.denied for mention in mentions(text, _WORDS)}


def read_preference(text: Any) -> str | Unreadable:
    """``a1``, ``a2`` or ``same``: which of two descriptions an answer prefers.

    In this order: a JSON field or what follows ``Answer:``; the whole answer or its first word; the one that is said
    to be better or to be chosen; the only one that is named. ``a1 is better than a2`` names a2 as the other one.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, JUDGEMENT_KEYS)
    part = value if isinstance(value, str) else (after_answer(part) or part)
    if not bare(part):
        return Unreadable("empty", raw)
    found = _preferred(normalised(part[:100_000]))
    if len(found) == 1:
        return found.pop()
    return Unreadable("ambiguous" if found else "no_label", raw)


def _preferred(text: str) -> set[str]:
    text = text.lstrip(EDGES)
    first = _NAMED.match(text)
    if first and _PAUSE.match(text, first.end()):
        return {str(first.lastgroup)}
    found = [
        match for match in _NAMED.finditer(text) if not _BEATEN.search(text[max(0, match.start() - 24) : match.start()])
    ]
    better = {str(match.lastgroup) for match in found if _WINS.match(text, match.end()) or _chosen(text, match.start())}
    return better or {str(match.lastgroup) for match in found}


def _chosen(text: str, start: int) -> bool:
    return bool(re.search(_LIKES + r"(?:the )?$", text[max(0, start - 24) : start]))
