"""Preferences: which of two descriptions an answer finds better."""

from __future__ import annotations

import re
from typing import Any

from affectllm.labels.reading.chinese import simplified
from affectllm.labels.reading.structure import JUDGEMENT_KEYS, after_answer, json_objects, json_value
from affectllm.labels.reading.tags import answer_part
from affectllm.labels.reading.text import EDGE, EDGES, SENTENCE_ENDS, as_text, bare, normalised
from affectllm.labels.reading.unreadable import Unreadable

_THING = "(?:answer|description|option|response|candidate|text|caption)"
_PREFERENCES = {
    "a1": rf"a\s?1|{_THING}\s?(?:1|one)|the first(?: one| {_THING})?|first (?:one|{_THING})|描述\s?[1一]|第一[个条]",
    "a2": rf"a\s?2|{_THING}\s?(?:2|two)|the second(?: one| {_THING})?|second (?:one|{_THING})|描述\s?[2二]|第二[个条]",
    "same": r"same|ties?|tied|equal(?:ly)?(?: good| accurate)?|draw|no difference|一样|相同|平局|差不多",
}
_NAMED = re.compile("|".join(rf"(?<!{EDGE})(?P<{name}>{words})(?!{EDGE})" for name, words in _PREFERENCES.items()))
_WHOLE = {"first": "a1", "second": "a2", "both": "same", "both equally": "same"}
_PAUSE = re.compile(r"\s*(?:[,:\-—(，：（*\"']|$)")
# After a name and a pause: "a1: no", "a1: 5, a2: 8", "a1, a2" choose nothing.
_NO_CHOICE = re.compile(rf"\W{{0,9}}(?:(?:no|not|yes|否|是|不)(?!{EDGE})|[\d.]+|$)")
_LIKES = (
    r"(?:prefer|choose|chose|pick|select|favou?r|go with|going with|i think|i'd say|answer is|preference is|choice is|"
    r"winner is|better (?:one )?is|选择|更喜欢|选)s?\s{0,2}(?:the )?"
)
_CHOSEN = re.compile(rf"{_LIKES}$")
_BEATEN = re.compile(
    r"(?:than|over|instead of|rather than|compared (?:to|with)|unlike|not|neither|nor|no|优于|比|不如|不是|不)"
    r"\s{0,2}(?:an? |the )?$"
    rf"|(?:n't|not|never|不)\s?(?:\w+\s)?{_LIKES}$"
)
_DENIED = re.compile(
    r"\s{0,2}(?:is|are|was|does|do|did|has|seems?)?\s{0,2}(?:n't|not|no|never|hardly|barely|far from)(?!\w)"
    r"|\s{0,2}并?[不没未非]|\s(?:no|ليس|ليست|غير)\s|\W{0,4}(?:no|not)\W{0,4}$"
)
_GOOD = (
    r"better|best|preferred|closer|superior|wins?|preferable|good|准确|好|合适|贴切|"
    r"more (?:accurate|detailed|precise|specific|complete|comprehensive|consistent|convincing|appropriate|"
    r"plausible|faithful|correct|reasonable|"
    r"reliable|suitable|nuanced|thorough|informative|aligned|fitting|balanced|coherent|relevant|in line)"
)
_WINS = re.compile(
    r"\s{0,2}(?:(?:is|are|seems?|fits?|matches|describes?|更|较)\s{0,2}(?:the |much |clearly |slightly |far |only )?"
    rf"(?:{_GOOD})|wins)(?!{EDGE})"
)
_FAULTS = re.compile(
    r"(?<!\w)(?:wors[et]|less|least|inferior|weaker|weakest|poor(?:ly)?|lacks?|lacking|wrong|bad|badly|incorrect|"
    r"vaguer?|fails?|reject(?:ed)?|avoid|exclude|errors?|mistakes?|false|inaccurate|none of|neither|peor)(?!\w)|更差|"
    r"较差|ない|ません"
)
_UNSURE = re.compile(
    r"[?？؟]|(?<!\w)(?:whether|unclear|doubt|cannot|can't|could|might|should|if|or equal|n't think|not think|"
    r"n't believe|"
    r"n't know|not sure|unable)(?!\w)|n't (?:think|believe|know)|是否|无法|不确定"
)


def read_preference(text: Any) -> str | Unreadable:
    """``a1``, ``a2`` or ``same``: which of two descriptions an answer prefers.

    In this order: a JSON field or what follows ``Answer:``; the whole answer or its first word; the one that is said
    to be better or to be chosen; the only one that is named without fault. ``a1 is better than a2`` names a2 as the
    other one; ``a1 is not better than a2`` and ``a1 is vague`` prefer none.
    """
    raw = as_text(text)
    part = answer_part(raw)
    if isinstance(part, Unreadable):
        return part
    value = json_value(part, JUDGEMENT_KEYS)
    if not isinstance(value, str) and any({"a1", "a2"} <= set(found) for found in json_objects(part)):
        return Unreadable("ambiguous", raw)  # scores of both are no preference
    part = value if isinstance(value, str) else (after_answer(part) or part)
    if not bare(part):
        return Unreadable("empty", raw)
    found = _preferred(normalised(simplified(part[:100_000])))
    if len(found) == 1:
        return found.pop()
    return Unreadable("ambiguous" if found else "no_label", raw)


def _preferred(text: str) -> set[str]:
    if name := _WHOLE.get(bare(text)):
        return {name}
    sentences = [sentence.strip(EDGES.replace("?", "").replace("؟", "")) for sentence in SENTENCE_ENDS.split(text)]
    first = _NAMED.match(sentences[0]) or (_NAMED.match(text.lstrip(EDGES)) if not sentences[0] else None)
    if first and _leads(first):
        return {str(first.lastgroup)}
    better, named = set(), set()
    for sentence in dict.fromkeys(sentences):
        if not _UNSURE.search(sentence):
            wins, others = _compared(sentence)
            better |= wins
            named |= others
    return better or ({"same"} if named == {"a1", "a2", "same"} else named)


def _leads(first: re.Match[str]) -> bool:
    """Whether the answer begins with its choice: ``A2, since a1 lacks clues``."""
    pause = _PAUSE.match(first.string, first.end())
    if pause is None:
        return False
    rest = first.string[pause.end() :]
    return not rest.strip(EDGES) or not (_NO_CHOICE.match(rest) or _NAMED.match(rest.lstrip(EDGES)))


def _compared(sentence: str) -> tuple[set[str], set[str]]:
    """The names that a sentence finds better, and those that it names without denying them or finding fault."""
    better: set[str] = set()
    others: set[str] = set()
    fault = _FAULTS.search(sentence) is not None
    for match in _NAMED.finditer(sentence):
        before = sentence[max(0, match.start() - 32) : match.start()]
        if denied := _DENIED.match(sentence, match.end()):
            fault = True  # "a1 and a2 are not the same" says nothing for a1
        if denied or _BEATEN.search(before):
            continue
        chosen = _WINS.match(sentence, match.end()) or _CHOSEN.search(before)
        (better if chosen else others).add(str(match.lastgroup))
    return better, set() if fault else others
