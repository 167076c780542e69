"""The label spaces that several corpora share, each cited, and the word forms in which people name an emotion.

A space that only one corpus uses is defined in that corpus's builder; its aliases come from ``aliases`` here, so that
``angry`` is read as ``anger`` wherever a space has ``anger``.
"""

from __future__ import annotations

from affectllm.labels.space import LabelSpace

# One family is one emotion in its word forms (noun, adjective, adverb) and in the names that corpora give it.
# Words of another strength (rage, terror) or of several meanings (upset, excited) are no aliases: reading them as the
# family's emotion would invent an answer.
_FAMILIES: tuple[tuple[str, ...], ...] = (
    ("anger", "angry", "angered", "angrily", "mad"),
    ("fear", "fearful", "afraid", "scared", "frightened"),
    ("happiness", "happy", "happily", "joy", "joyful", "joyfully"),
    ("sadness", "sad", "sadly"),
    ("disgust", "disgusted"),
    ("surprise", "surprised"),
    ("neutral", "neutrality", "no emotion"),
    ("calm", "calmness", "calmly"),
    ("boredom", "bored"),
    ("contempt", "contemptuous"),
    ("anticipation", "anticipating"),
    ("trust", "trusting"),
    ("admiration", "admiring"),
    ("amusement", "amused"),
    ("annoyance", "annoyed"),
    ("approval", "approving"),
    ("caring",),
    ("confusion", "confused"),
    ("curiosity", "curious"),
    ("desire", "desiring"),
    ("disappointment", "disappointed"),
    ("disapproval", "disapproving"),
    ("embarrassment", "embarrassed"),
    ("excitement", "excited"),
    ("gratitude", "grateful"),
    ("grief", "grieving"),
    ("love", "loving"),
    ("nervousness", "nervous"),
    ("optimism", "optimistic"),
    ("pride", "proud"),
    ("realization", "realisation"),
    ("relief", "relieved"),
    ("remorse", "remorseful"),
    ("anxiety", "anxious"),
    ("apprehension", "apprehensive"),
    ("shame", "ashamed"),
    ("confidence", "confident"),
    ("contentment", "content"),
    ("devastation", "devastated"),
    ("faithfulness", "faithful"),
    ("fury", "furious"),
    ("guilt", "guilty"),
    ("hope", "hopeful"),
    ("impressed",),
    ("jealousy", "jealous"),
    ("loneliness", "lonely"),
    ("nostalgia", "nostalgic"),
    ("prepared",),
    ("sentimentality", "sentimental"),
    ("terror", "terrified"),
    ("positive", "positivity", "positively"),
    ("negative", "negativity", "negatively"),
)


def aliases(*names: str) -> dict[str, str]:
    """Word form → name, for every family in which exactly one of ``names`` occurs.

    Where a space tells two members of a family apart (``joy`` from ``happiness``), the family gives no aliases.

    Example:
        >>> aliases("joy", "neutral")["happy"]
        'joy'
    """
    found: dict[str, str] = {}
    for family in _FAMILIES:
        members = [name for name in names if name in family]
        if len(members) == 1:
            found |= {word: members[0] for word in family if word != members[0]}
    return found


EKMAN_6 = LabelSpace(
    "ekman_6",
    "category",
    ("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
    source="Ekman, An argument for basic emotions, Cognition and Emotion 6(3-4), 1992",
    aliases=aliases("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
)

EKMAN_6_NEUTRAL = LabelSpace(
    "ekman_6_neutral",
    "category",
    (*EKMAN_6.names, "neutral"),
    source="the six emotions of Ekman 1992 and neutral, as most recognition corpora use them",
    aliases=aliases(*EKMAN_6.names, "neutral"),
)

SENTIMENT_3 = LabelSpace(
    "sentiment_3",
    "category",
    ("positive", "neutral", "negative"),
    source="Pang and Lee, Opinion Mining and Sentiment Analysis, Foundations and Trends in IR 2(1-2), 2008",
    aliases=aliases("positive", "neutral", "negative"),
)

SPACES: tuple[LabelSpace, ...] = (EKMAN_6, EKMAN_6_NEUTRAL, SENTIMENT_3)
