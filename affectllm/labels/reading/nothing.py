"""Whole answers that say that no label applies, in every language: the one list, for readers and for builders."""

from __future__ import annotations

import re

from affectllm.labels.reading import chinese
from affectllm.labels.reading.text import bare

NEUTRAL_WORDS: tuple[str, ...] = (
    *("no emotion", "no emotions", "neutral or no emotion", "neutral or no emotions", "no emotion or neutral"),
    *(
        "neutral/no emotion",
        "neutral / no emotion",
        "no emotion/neutral",
        "neutral (no emotion)",
        "neutral, no emotion",
    ),
    *("neutral or none", "neutral or without emotion", "neutral (none)", "neutral, none", "neutral no emotion"),
    *("without emotion", "emotionless", "no clear emotion", "no particular emotion", "no strong emotion"),
    *("no specific emotion", "no obvious emotion", "no discernible emotion", "no apparent emotion", "no feelings"),
    *("无情绪", "没有情绪", "没有情感", "无情感", "无明显情绪", "没有明显情绪", "没有任何情绪"),
    *("中性或无情绪", "中性或没有情绪", "中性/无情绪", "neutral o sin emoción", "sin emoción", "sin emociones"),
    *(
        "ninguna emoción",
        "neutral o ninguna emoción",
        "感情なし",
        "中立または感情なし",
        "無感情",
        "بدون مشاعر",
        "لا مشاعر",
    ),
    *("محايد أو بدون مشاعر", "محايد أو لا مشاعر"),
)
"""No emotion: the empty set, and where a space has a label neutral, that label."""
NOTHING = frozenset(
    form
    for word in (
        *("none", "none of them", "none of these", "none of those", "none of the above", "none of the labels"),
        *("none of the emotions", "none of the options", "none apply", "none applies", "none of them apply"),
        *("none of these apply", "none of the above apply", "no label", "no labels", "no emotion label"),
        *("ninguna", "ninguno", "ninguna de las anteriores", "ninguna de ellas", "ninguna de estas"),
        *("なし", "特になし", "該当なし", "どれでもない", "لا شيء", "لا يوجد", "لا شيء مما سبق"),
        *chinese.NOTHING,
        *NEUTRAL_WORDS,
    )
    for form in (bare(word), bare(chinese.traditional(word)))
)
"""Whole answers that say that no label applies."""
_WHERE = r"(?:the|this) (?:tweet|text|sentence|message|person|speaker|clip|post)"
_KIND = r"(?:(?:clear|particular|strong|specific|obvious|discernible|apparent|other|listed|such|given) )?"
_EMOTIONLESS = re.compile(
    rf"(?:{_WHERE}|it|(?:the|its) (?:emotion|mood|tone))(?: (?:is|seems|sounds|appears|remains))(?: to be)?"
    r"(?: (?:emotionally|quite|rather|entirely|completely|mostly|just))? neutral"
    r"(?:,? (?:or|and|with|as it)(?: (?:contains|has|shows|expresses))? no (?:clear |particular |strong )?emotions?)?"
    rf"|(?:{_WHERE}|it) (?:does not|doesn't|do not) (?:express|contain|convey|show|have|display) any"
    rf"(?: of (?:the|these|those))? {_KIND}(?:emotions?|labels?|categories)"
    rf"|(?:{_WHERE} (?:(?:expresses|contains|conveys|shows|has|is) )?|there (?:is|are) )?"
    rf"(?:no {_KIND}(?:emotions?|labels?)|neutral(?: or |/| / )no emotions?"
    r"|none(?: of (?:the|these|those|them)(?: (?:above|listed|given|following|\w+))?"
    r"(?: (?:emotions?|labels?|options|categories))?)?)"
    r"(?: (?:is|are|was|were))?(?: (?:present|expressed|shown|conveyed|apply|applies|applicable|here))?"
    rf"(?: (?:in|by|to) {_WHERE})?"
)


def says_nothing(text: str) -> bool:
    """Whether a whole answer says that no label applies; ``neutral`` by itself only where that is no label."""
    said = bare(text)
    return said in NOTHING or _EMOTIONLESS.fullmatch(said) is not None
