"""The label spaces that several corpora share, each cited.

A space that only one corpus uses is defined in that corpus's builder; its aliases come from ``aliases``, so that
``angry`` is read as ``anger`` wherever a space has ``anger``.
"""

from __future__ import annotations

from affectllm.labels.space import LabelSpace
from affectllm.labels.word_forms import aliases

__all__ = ["SPACES", "aliases"]


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

EKMAN_6_CONTEMPT_NEUTRAL = LabelSpace(
    "ekman_6_contempt_neutral",
    "category",
    (*EKMAN_6.names, "contempt", "neutral"),
    source="Ekman and Friesen, A new pan-cultural facial expression of emotion, Motivation and Emotion 10(2), 1986, "
    "and neutral",
    aliases=aliases(*EKMAN_6.names, "contempt", "neutral"),
)

PLUTCHIK_8_NAMES = ("joy", "sadness", "anticipation", "surprise", "anger", "fear", "disgust", "trust")
PLUTCHIK_8 = LabelSpace(
    "plutchik_8",
    "category",
    PLUTCHIK_8_NAMES,
    source="Plutchik, A general psychoevolutionary theory of emotion, 1980",
    aliases=aliases(*PLUTCHIK_8_NAMES),
)

MIKELS_8_NAMES = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")
MIKELS_8 = LabelSpace(
    "mikels_8",
    "category",
    MIKELS_8_NAMES,
    source="Mikels et al., Emotional category data on images from the IAPS, Behavior Research Methods 37(4), 2005",
    aliases=aliases(*MIKELS_8_NAMES),
)

GOEMOTIONS_28_NAMES = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire"),
    *("disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy"),
    *("love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral"),
)
GOEMOTIONS_28 = LabelSpace(
    "goemotions_28",
    "set",
    GOEMOTIONS_28_NAMES,
    source="Demszky et al., GoEmotions: A Dataset of Fine-Grained Emotions, ACL 2020",
    aliases=aliases(*GOEMOTIONS_28_NAMES),
)

SENTIMENT_3 = LabelSpace(
    "sentiment_3",
    "category",
    ("positive", "neutral", "negative"),
    source="Pang and Lee, Opinion Mining and Sentiment Analysis, Foundations and Trends in IR 2(1-2), 2008",
    aliases=aliases("positive", "neutral", "negative"),
)

SPACES: tuple[LabelSpace, ...] = (
    *(EKMAN_6, EKMAN_6_NEUTRAL, EKMAN_6_CONTEMPT_NEUTRAL),
    *(PLUTCHIK_8, MIKELS_8, GOEMOTIONS_28, SENTIMENT_3),
)
