"""The forty emotions of EmoNet, under the short names and the long ones that releases use.

Not a corpus.
"""

from __future__ import annotations

from affectllm.labels.taxonomies import aliases

EMOTIONS = (
    *("amusement", "elation", "pleasure", "contentment", "thankfulness", "affection", "infatuation", "hope", "triumph"),
    *("pride", "interest", "awe", "astonishment", "concentration", "contemplation", "relief", "longing", "teasing"),
    *("impatience and irritability", "sexual lust", "doubt", "fear", "distress", "confusion", "embarrassment", "shame"),
    *("disappointment", "sadness", "bitterness", "contempt", "disgust", "anger", "malevolence", "sourness", "pain"),
    *("helplessness", "fatigue", "emotional numbness", "intoxication", "jealousy and envy"),
)
_LONG = {
    "pleasure/ecstasy": "pleasure",
    "thankfulness/gratitude": "thankfulness",
    "hope/enthusiasm/optimism": "hope",
    "astonishment/surprise": "astonishment",
    "malevolence/malice": "malevolence",
    "fatigue/exhaustion": "fatigue",
    "intoxication/altered states of consciousness": "intoxication",
    "impatience & irritability": "impatience and irritability",
    "jealousy / envy": "jealousy and envy",
    "jealousy/envy": "jealousy and envy",
    "jealousy & envy": "jealousy and envy",
}
ALIASES = {**aliases(*EMOTIONS), **_LONG}
