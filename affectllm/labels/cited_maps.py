"""Published maps between label spaces, each with its citation.

Names of spaces that a corpus has are those of its builder, so that a corpus's gold can be mapped as it is.
"""

from __future__ import annotations

from affectllm.errors import NotFound
from affectllm.labels.maps import LabelMap
from affectllm.labels.space import LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, SENTIMENT_3, aliases


def _space(name: str, names: tuple[str, ...], source: str) -> LabelSpace:
    return LabelSpace(name, "category", names, source=source, aliases=aliases(*names))


def _words(names: str) -> tuple[str, ...]:
    return tuple(names.split())


def _grouped(groups: dict[str, str]) -> dict[str, str]:
    """Invert target → sources (one string, separated by blanks) to source → target."""
    return {source: target for target, sources in groups.items() for source in _words(sources)}


_DEMSZKY = "Demszky et al., GoEmotions: A Dataset of Fine-Grained Emotions, ACL 2020"
_PORIA = "Poria et al., MELD: A Multimodal Multi-Party Dataset for Emotion Recognition in Conversations, ACL 2019"
_BUSSO = "Busso et al., IEMOCAP, Language Resources and Evaluation 42(4), 2008"
_LIVINGSTONE = "Livingstone and Russo, RAVDESS, PLoS ONE 13(5), 2018"
_EMOBOX = "Ma et al., EmoBox, Interspeech 2024 (emo-box/EmoBox, data/{}/label_map.json)"

GOEMOTIONS_28 = LabelSpace(
    "goemotions_28",
    "set",
    _words(
        "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval "
        "disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief "
        "remorse sadness surprise neutral"
    ),
    source=_DEMSZKY,
)
GOEMOTIONS_EKMAN = _space(
    "goemotions_ekman_7", ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral"), _DEMSZKY
)
GOEMOTIONS_SENTIMENT = _space(
    "goemotions_sentiment_4", ("positive", "negative", "ambiguous", "neutral"), _DEMSZKY + ", figure 2"
)
MELD_7 = _space("meld_7", ("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger"), _PORIA)
IEMOCAP_10 = _space(
    "iemocap_10",
    _words("anger happiness excitement sadness frustration fear surprise disgust neutral other"),
    _BUSSO,
)
IEMOCAP_4 = _space("iemocap_4", ("anger", "happiness", "sadness", "neutral"), _EMOBOX.format("iemocap"))
_WU = "Wu et al., Emotion Recognition by Fusing Time Synchronous and Time Asynchronous Representations, ICASSP 2021"
_MAJUMDER = "Majumder et al., DialogueRNN: An Attentive RNN for Emotion Detection in Conversations, AAAI 2019"
IEMOCAP_5 = _space("iemocap_5", (*IEMOCAP_4.names, "other"), _WU + ": four classes and one for all other emotions")
IEMOCAP_6 = _space("iemocap_6", _words("happiness sadness neutral anger excitement frustration"), _MAJUMDER)
IEMOCAP_9 = _space("iemocap_9", IEMOCAP_10.names[:9], _BUSSO + ": the named emotions, without other")
EMOBOX_4 = _space("emobox_4", _words("anger happiness neutral sadness"), _EMOBOX.format("track2"))
EMOBOX_OF = {
    name: _space(
        f"emobox_{name}", _words(f"anger disgust fear happiness neutral sadness surprise {more}"), _EMOBOX.format(name)
    )
    for name, more in (("meld", ""), ("ravdess", "calm"), ("savee", ""))
}
"""The corpora of EmoBox whose classes are more than the four that its cross-corpus sets have."""
CREMA_D_6 = _space(
    "crema_d_6",
    ("anger", "disgust", "fear", "happiness", "neutral", "sadness"),
    "Cao et al., CREMA-D, IEEE Transactions on Affective Computing 5(4), 2014",
)
CREMA_D_CODES = LabelSpace(
    "crema_d_codes", "category", ("ang", "dis", "fea", "hap", "neu", "sad"), source=CREMA_D_6.source
)
RAVDESS_8 = _space("ravdess_8", _words("neutral calm happiness sadness anger fear disgust surprise"), _LIVINGSTONE)
RAVDESS_WORDS = LabelSpace(
    "ravdess_words",
    "category",
    _words("neutral calm happy sad angry fearful disgust surprised"),
    source=_LIVINGSTONE,
)
R1_OMNI_RAVDESS = LabelSpace(
    "r1_omni_ravdess",
    "category",
    _words("neutral calm happy sad angry fear disgust surprise"),
    source="Zhao et al., R1-Omni, arXiv:2503.05379 (HumanMLLM/R1-Omni, humanomni/eval/eval_ravedess.py)",
)
DFEW_7 = LabelSpace(
    "dfew_7",
    "category",
    _words("happy sad neutral angry surprise disgust fear"),
    source="Jiang et al., DFEW, ACM Multimedia 2020; words of 24DavidHuang/Emotion-Qwen, emotion_benchmarks/DFEW",
)
EMODB_7 = _space(
    "emodb_7",
    _words("anger boredom disgust fear happiness sadness neutral"),
    "Burkhardt et al., A Database of German Emotional Speech, Interspeech 2005",
)

_UNIBENCH = "Lian et al., AffectGPT, ICML 2025 (MER-UniBench): the words of its gold labels in {}"
MER_6 = LabelSpace(
    "mer_6", "category", _words("neutral anger happiness sadness worry surprise"), source="Lian et al., MER 2023"
)
UNIBENCH_MER = LabelSpace(
    "mer_unibench_mer",
    "category",
    _words("neutral angry happy sad worried surprise"),
    source=_UNIBENCH.format("MER2023 and MER2024"),
)
UNIBENCH_IEMOCAP = LabelSpace(
    "mer_unibench_iemocap", "category", _words("happy sad neutral anger"), source=_UNIBENCH.format("IEMOCAP")
)
_AFFECTNET = "Mollahosseini et al., AffectNet, IEEE Transactions on Affective Computing 10(1), 2019"
_AFFECTNET_NAMES = _words("neutral happiness sadness surprise fear disgust anger contempt")
AFFECTNET_11 = _space("affectnet_11", (*_AFFECTNET_NAMES, "none", "uncertain", "no face"), _AFFECTNET)
AFFECTNET_8 = _space("affectnet_8", _AFFECTNET_NAMES, _AFFECTNET)
AFFECTNET_7 = _space("affectnet_7", _AFFECTNET_NAMES[:7], _AFFECTNET)
EMOPREFER_3 = LabelSpace("emoprefer_3", "category", _words("a1 a2 same"), source="Lian et al., EmoPrefer, ICLR 2026")
EMOPREFER_SWAPPED = LabelSpace("emoprefer_3_swapped", "category", EMOPREFER_3.names, source=EMOPREFER_3.source)


def _same_emotions(source: LabelSpace, target: LabelSpace, citation: str) -> LabelMap:
    """Build the map that pairs names of the same emotion, in whatever word form each space has it."""
    pairs = {name: to for name in source.names if (to := target.resolve(name)) is not None}
    return LabelMap(source, target, pairs, citation)


_SENTIMENT_OF_EMOTIONS = {
    "anger": "negative",
    "disgust": "negative",
    "fear": "negative",
    "sadness": "negative",
    "neutral": "neutral",
}

MAPS: tuple[LabelMap, ...] = (
    LabelMap(
        GOEMOTIONS_28,
        GOEMOTIONS_EKMAN,
        _grouped(
            {
                "anger": "anger annoyance disapproval",
                "disgust": "disgust",
                "fear": "fear nervousness",
                "joy": "joy amusement approval excitement gratitude love optimism relief pride admiration desire "
                "caring",
                "sadness": "sadness disappointment embarrassment grief remorse",
                "surprise": "surprise realization confusion curiosity",
                "neutral": "neutral",
            }
        ),
        _DEMSZKY + " (google-research/google-research, goemotions/data/ekman_mapping.json)",
    ),
    LabelMap(
        GOEMOTIONS_28,
        GOEMOTIONS_SENTIMENT,
        _grouped(
            {
                "positive": "admiration amusement approval caring desire excitement gratitude joy love optimism pride "
                "relief",
                "negative": "anger annoyance disappointment disapproval disgust embarrassment fear grief nervousness "
                "remorse sadness",
                "ambiguous": "confusion curiosity realization surprise",
                "neutral": "neutral",
            }
        ),
        _DEMSZKY + ", figure 2 (google-research/google-research, goemotions/data/sentiment_mapping.json)",
    ),
    # Surprise has no sentiment of its own: MELD's annotators found it positive about as often as negative.
    LabelMap(MELD_7, SENTIMENT_3, {**_SENTIMENT_OF_EMOTIONS, "joy": "positive"}, _PORIA),
    LabelMap(EKMAN_6_NEUTRAL, SENTIMENT_3, {**_SENTIMENT_OF_EMOTIONS, "happiness": "positive"}, _PORIA),
    _same_emotions(MELD_7, EKMAN_6_NEUTRAL, "names of the same emotions"),
    _same_emotions(MELD_7, IEMOCAP_4, "the four classes of " + _EMOBOX.format("iemocap")),
    LabelMap(
        IEMOCAP_10,
        IEMOCAP_4,
        _grouped({"anger": "anger", "happiness": "happiness excitement", "sadness": "sadness", "neutral": "neutral"}),
        _EMOBOX.format("iemocap"),
    ),
    LabelMap(
        IEMOCAP_10,
        IEMOCAP_5,
        _grouped(
            {
                "anger": "anger",
                "happiness": "happiness excitement",
                "sadness": "sadness",
                "neutral": "neutral",
                "other": "frustration fear surprise disgust other",
            }
        ),
        _WU,
    ),
    _same_emotions(IEMOCAP_10, IEMOCAP_6, _MAJUMDER),
    _same_emotions(IEMOCAP_10, IEMOCAP_9, _BUSSO),
    *(_same_emotions(space, EMOBOX_4, _EMOBOX.format("track2")) for space in EMOBOX_OF.values()),
    LabelMap(
        CREMA_D_CODES,
        CREMA_D_6,
        _grouped(
            {"anger": "ang", "disgust": "dis", "fear": "fea", "happiness": "hap", "neutral": "neu", "sadness": "sad"}
        ),
        CREMA_D_6.source,
    ),
    _same_emotions(CREMA_D_6, EKMAN_6_NEUTRAL, "names of the same emotions"),
    _same_emotions(RAVDESS_8, EKMAN_6_NEUTRAL, "names of the same emotions; calm has none in Ekman 1992"),
    _same_emotions(RAVDESS_WORDS, RAVDESS_8, _LIVINGSTONE),
    LabelMap(
        RAVDESS_WORDS,
        R1_OMNI_RAVDESS,
        {name: {"fearful": "fear", "surprised": "surprise"}.get(name, name) for name in RAVDESS_WORDS.names},
        R1_OMNI_RAVDESS.source,
    ),
    _same_emotions(DFEW_7, EKMAN_6_NEUTRAL, "names of the same emotions"),
    _same_emotions(EMODB_7, EKMAN_6_NEUTRAL, "names of the same emotions; boredom has none in Ekman 1992"),
    LabelMap(
        MER_6, UNIBENCH_MER, dict(zip(MER_6.names, UNIBENCH_MER.names, strict=True)), "AffectGPT, the order of MER2023"
    ),
    LabelMap(
        IEMOCAP_10,
        UNIBENCH_IEMOCAP,
        _grouped({"anger": "anger", "happy": "happiness excitement", "sad": "sadness", "neutral": "neutral"}),
        UNIBENCH_IEMOCAP.source,
    ),
    LabelMap(AFFECTNET_11, AFFECTNET_8, {name: name for name in AFFECTNET_8.names}, "AffectNet-8, without non-faces"),
    LabelMap(AFFECTNET_11, AFFECTNET_7, {name: name for name in AFFECTNET_7.names}, "AffectNet-7, without contempt"),
    LabelMap(
        EMOPREFER_3,
        EMOPREFER_SWAPPED,
        {"a1": "a2", "a2": "a1", "same": "same"},
        "the two descriptions in each other's place",
    ),
    _same_emotions(EKMAN_6_NEUTRAL, IEMOCAP_4, "the four classes of " + _EMOBOX.format("iemocap")),
)
"""Every map, one for each pair of spaces; ``find_map`` looks one up."""


def find_map(source: str, target: str) -> LabelMap:
    """Return the map from the space called ``source`` to the one called ``target``.

    Raises:
        NotFound: names the maps that begin at ``source``, or all of them.
    """
    for label_map in MAPS:
        if (label_map.source.name, label_map.target.name) == (source, target):
            return label_map
    names = [each.name for each in MAPS if each.source.name == source] or [each.name for each in MAPS]
    raise NotFound(f"there is no map {source}→{target}", do=f"there are {', '.join(names)}; or build a LabelMap")
