"""The names of labels in other languages than English: what a question shows and an answer says.

One word a label and language, the usual one in the affective literature of that language; the readers know more words
for Chinese (``labels.reading.chinese``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from affectllm.errors import Malformed
from affectllm.labels.reading import chinese
from affectllm.labels.space import LabelSpace
from affectllm.labels.taxonomies import aliases

_ZH = {
    **{head: words[0] for head, words in chinese.NAMES.items()},
    **{
        "joy": "喜悦",
        "worry": "担心",
        "doubt": "怀疑",
        "calm": "平静",
        "other": "其他",
        "awe": "敬畏",
        "amusement": "逗乐",
    },
    **{"correct": "正确", "incorrect": "错误", "weak": "微弱", "medium": "中等", "strong": "强烈"},
    **{"valence": "效价", "arousal": "唤醒度", "dominance": "支配度", "sentiment": "情感极性", "intensity": "强度"},
    **{"caring": "关怀", "optimism": "乐观", "pessimism": "悲观"},
}
_JA = {
    **{"joy": "喜び", "sadness": "悲しみ", "anticipation": "期待", "surprise": "驚き", "anger": "怒り", "fear": "恐れ"},
    **{"disgust": "嫌悪", "trust": "信頼", "happiness": "幸福", "neutral": "中立", "contempt": "軽蔑", "love": "愛"},
    **{
        "positive": "ポジティブ",
        "negative": "ネガティブ",
        "sentiment": "感情極性",
        "valence": "感情価",
        "arousal": "覚醒度",
    },
    **{"dominance": "支配度"},
}
_AR = {
    **{"anger": "غضب", "anticipation": "ترقب", "disgust": "اشمئزاز", "fear": "خوف", "joy": "فرح", "love": "حب"},
    **{"optimism": "تفاؤل", "pessimism": "تشاؤم", "sadness": "حزن", "surprise": "مفاجأة", "trust": "ثقة"},
    **{
        "happiness": "سعادة",
        "neutral": "محايد",
        "positive": "إيجابي",
        "negative": "سلبي",
        "valence": "التكافؤ العاطفي",
    },
    **{"arousal": "الاستثارة", "dominance": "السيطرة", "sentiment": "الميل العاطفي"},
}
_ES = {
    **{"anger": "ira", "anticipation": "anticipación", "disgust": "asco", "fear": "miedo", "joy": "alegría"},
    **{"love": "amor", "optimism": "optimismo", "pessimism": "pesimismo", "sadness": "tristeza", "trust": "confianza"},
    **{"surprise": "sorpresa", "happiness": "felicidad", "neutral": "neutral", "positive": "positivo"},
    **{"negative": "negativo", "valence": "valencia", "arousal": "activación", "dominance": "dominancia"},
    **{"sentiment": "polaridad"},
}
NAMES: Mapping[str, Mapping[str, str]] = {"zh": _ZH, "ja": _JA, "ar": _AR, "es": _ES}
"""Language → canonical English name → its name there."""


@lru_cache(maxsize=512)
def named(names: tuple[str, ...], language: str) -> Mapping[str, str]:
    """Canonical name → the name to show in ``language``; English shows the canonical one, with blanks for underscores.

    Raises:
        Malformed: when a name has no word there, or two names have the same.
    """
    if language == "en":
        return {name: name.replace("_", " ") for name in names}
    known = NAMES.get(language, {})
    if missing := [name for name in names if name not in known]:
        told = f"there is no word in {language!r} for {', '.join(missing[:5])}"
        raise Malformed(told, do="ask in English, or add the words to affectllm/labels/names.py")
    found = {name: known[name] for name in names}
    if len(set(found.values())) < len(found):
        raise Malformed(f"two labels of {', '.join(names)} have one word in {language!r}")
    return found


def understood(space: LabelSpace, language: str) -> LabelSpace:
    """``space`` with its names in ``language`` among the aliases, for reading answers.

    Raises:
        Malformed: as ``named``.
    """
    if language == "en" or not space.names:
        return space
    own = {word.lower(): name for name, word in named(space.names, language).items()}
    return replace(space, aliases={**space.aliases, **own})


def understood_everywhere(space: LabelSpace) -> LabelSpace:
    """``space`` with its names in every language here among the aliases, as far as a word names one label only.

    For texts whose language nobody tells, such as the completions of a trainer. Where the language is known,
    ``understood`` is stricter: it demands a word for every name.
    """
    owners: dict[str, set[str]] = {}
    for words in NAMES.values():
        for name in space.names:
            if word := words.get(name.lower()) or words.get(_head(name)):
                owners.setdefault(word.lower(), set()).add(name)
    further = {word: names.pop() for word, names in owners.items() if len(names) == 1 and space.resolve(word) is None}
    return replace(space, aliases={**further, **space.aliases})


def _head(name: str) -> str:
    """The name under which the languages list a label: ``anger`` for ``angry``."""
    return next((head for head in _HEADS if name.lower() in aliases(head)), name.lower())


_HEADS = tuple(dict.fromkeys(name for words in NAMES.values() for name in words))
