"""The 32 corpora of EmoBox: their languages, classes and how their speakers are split, as its repository has them.

Not a corpus. ``emobox`` reads them all from one JSONL shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from affectllm.labels import LabelSpace
from affectllm.labels.taxonomies import aliases

SOURCE = "Ma et al., EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit, Interspeech 2024"
DISJOINT, SHARED, OFFICIAL = "disjoint", "shared", "official"
"""How speakers of train and test differ: by folds of speakers; not, by a random quarter; as its authors split them."""
NO_EMOTION = ("no-agreement", "other", "unknown", "breath")
"""Values of the label maps that are no answer to which emotion is heard."""
_WORDS = {
    **{"pain, groan": "pain", "disappointment, disapproval": "disappointment", "sleepy": "sleepiness"},
    **{"sarcastic": "sarcasm", "concerned": "concern", "apologetic": "apology", "assertive": "assertiveness"},
    **{"encouraging": "encouragement", "enthusiastic": "enthusiasm"},
}


@dataclass(frozen=True)
class Part:
    """One of the corpora.

    Args:
        name: folder below ``data/``.
        language: BCP-47 tag; ``mul`` for several.
        classes: in the order of its label map.
        speakers: ``disjoint``, ``shared`` or ``official``.
        ours: the builder of the same corpus, where there is one.
    """

    name: str
    language: str
    classes: tuple[str, ...]
    speakers: str
    ours: str = ""

    @property
    def space(self) -> LabelSpace:
        """Its classes after its label map."""
        words = {word: name for word, name in _WORDS.items() if name in self.classes}
        named = f"{SOURCE} (emo-box/EmoBox, data/{self.name})"
        known = {**aliases(*self.classes), **words}
        return LabelSpace(f"emobox_{self.name}", "category", self.classes, source=named, aliases=known)


def _part(name: str, language: str, speakers: str, classes: str, ours: str = "") -> Part:
    return Part(name, language, tuple(classes.split()), speakers, ours)


_SIX = "anger disgust fear happiness neutral sadness"
_SEVEN = f"{_SIX} surprise"
PARTS = {
    part.name: part
    for part in (
        _part("aesdd", "el", SHARED, "anger happiness fear sadness disgust"),
        _part("ased", "am", SHARED, "neutral fear happiness sadness anger"),
        _part(
            "asvpesd",
            "mul",
            SHARED,
            "boredom neutral happiness sadness anger fear disgust surprise excitement pleasure pain disappointment",
        ),
        _part("cafe", "fr", DISJOINT, _SEVEN),
        _part("casia", "zh", DISJOINT, "neutral anger surprise sadness happiness fear"),
        _part("cremad", "en", SHARED, _SIX, "crema_d"),
        _part("emns", "en", SHARED, "disgust excitement surprise sadness sarcasm happiness neutral anger"),
        _part("emodb", "de", DISJOINT, "anger boredom disgust fear happiness neutral sadness", "emodb"),
        _part("emovdb", "en", SHARED, "amusement sleepiness anger disgust neutral"),
        _part("emovo", "it", DISJOINT, _SEVEN),
        _part("emozionalmente", "it", SHARED, _SEVEN),
        _part("enterface", "en", SHARED, "anger surprise fear happiness sadness disgust"),
        _part("esd", "mul", DISJOINT, "neutral anger happiness sadness surprise", "esd"),
        _part("iemocap", "en", DISJOINT, "neutral happiness anger sadness", "iemocap"),
        _part(
            "jlcorpus",
            "en",
            DISJOINT,
            "concern apology anger sadness assertiveness excitement anxiety neutral happiness encouragement",
        ),
        _part("m3ed", "zh", OFFICIAL, _SEVEN, "m3ed"),
        _part("mead", "en", SHARED, "neutral anger contempt disgust fear happiness sadness surprise", "mead"),
        _part("meld", "en", OFFICIAL, _SEVEN, "meld"),
        _part("mer2023", "zh", OFFICIAL, "neutral anger sadness happiness worry surprise", "mer2023"),
        _part("mesd", "es", SHARED, _SIX),
        _part("msppodcast", "en", OFFICIAL, f"{_SEVEN} contempt"),
        _part("oreau", "fr", SHARED, _SEVEN),
        _part("pavoque", "de", SHARED, "anger neutral sadness happiness poker"),
        _part("polish", "pl", DISJOINT, "anger neutral fear"),
        _part("ravdess", "en", DISJOINT, f"{_SEVEN} calm", "ravdess"),
        _part("resd", "ru", OFFICIAL, f"{_SIX} enthusiasm"),
        _part("savee", "en", DISJOINT, _SEVEN, "savee"),
        _part("shemo", "fa", SHARED, "sadness neutral fear anger happiness surprise"),
        _part("subesco", "bn", DISJOINT, _SEVEN),
        _part("tess", "en", SHARED, _SEVEN, "tess"),
        _part("turevdb", "tr", SHARED, "calm happiness sadness anger"),
        _part("urdu", "ur", SHARED, "anger happiness neutral sadness"),
    )
}
