"""Plant copies of texts: changed words, halves, quotations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.leaks.normalised import normalised
from affectllm.corpus.leaks.overlap import THRESHOLD
from affectllm.corpus.leaks.resemblance import Resemblance, Words

# No text of the corpora on which thresholds were chosen is in those on which they are measured, but for the last, whose
# scored side is new and of which one corpus was seen.
CHOSEN_ON = {
    "GoEmotions in EmpatheticDialogues": ("goemotions", "empathetic_dialogues"),
    "DailyDialog in MELD": ("dailydialog", "meld"),
}
MEASURED_ON = {
    "Empathic Reactions in ESConv": ("empathic_reactions", "esconv"),
    "ESConv in GoEmotions": ("esconv", "goemotions"),
}
LENGTHS = {"6–9": range(6, 10), "10–14": range(10, 15), "15 and more": range(15, 10_000)}
AS_THEY_ARE = "texts of the two corpora as they are"


class Row(NamedTuple):
    """Counts of the copies of a kind in texts of some length: planted, detected, and other texts named."""

    corpora: str
    copy: str
    words: str
    planted: int
    detected: int
    others: int


def rates(corpora: Path, copies: int = 1500) -> Iterator[Row]:
    """Yield rates of each pair of corpora, kind of copy and number of words."""
    for title, (train, scored) in (CHOSEN_ON | MEASURED_ON).items():
        dice = random.Random(0)
        originals, asked = _texts(corpora, scored, "test"), _texts(corpora, train, "train")
        index = Resemblance(originals, THRESHOLD)
        chance = sum(match.sameness != "same text" for match in index.matches(Words.of(asked)))
        yield Row(title, AS_THEY_ARE, "", len(asked), 0, chance)
        words = [word for text, _ in asked[:5000] for word in text.split()]
        planted = [
            (kind, place, copy)
            for place, (text, _) in dice.sample(list(enumerate(originals)), min(copies, len(originals)))
            for kind, copy in _copies(text, words, dice)
        ]
        # What a text itself resembles, within its corpus, its copies may name.
        kin = {(match.asked, match.held) for match in index.matches(Words.of(originals))}
        own, others = set(), []
        for match in index.matches(Words.of((copy, "en") for _, _, copy in planted)):
            place = planted[match.asked][1]
            if originals[match.held][0] == originals[place][0]:
                own.add(match.asked)
            elif (place, match.held) not in kin:
                others.append(match.asked)
        for kind in dict.fromkeys(kind for kind, _, _ in planted):
            for name, lengths in LENGTHS.items():
                some = {n for n, one in enumerate(planted) if one[0] == kind and _long(originals[one[1]][0]) in lengths}
                yield Row(title, kind, name, len(some), len(own & some), sum(other in some for other in others))


def _long(text: str) -> int:
    return len(normalised(text, "en").tokens)


def _texts(corpora: Path, name: str, split: str) -> list[tuple[str, str]]:
    samples = (one for one in load_builder(name).samples(corpora / name) if isinstance(one, Sample))
    return [(str(one.text), "en") for one in samples if one.split == split and one.text and one.language == "en"]


def _copies(text: str, vocabulary: list[str], dice: random.Random) -> Iterator[tuple[str, str]]:
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    for changed in range(1, 5):
        copy = list(words)
        for place in dice.sample(range(len(copy)), min(changed, len(copy))):
            copy[place] = dice.choice(vocabulary)
        yield f"{changed} changed", " ".join(copy)
    half = len(words) // 2
    yield "first half", " ".join(words[:half])
    yield "second half", " ".join(words[half:])
    yield "first two thirds", " ".join(words[: 2 * len(words) // 3])
    around = [dice.choices(vocabulary, k=len(words)) for _ in range(2)]
    yield "quoted within a text", " ".join([*around[0], *words, *around[1]])
