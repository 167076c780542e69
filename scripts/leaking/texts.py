"""Copies of texts: changed words, halves, quotations."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.resemblance import Resemblance, Words
from affectllm.corpus.shared import THRESHOLD

PAIRS = {
    "GoEmotions in EmpatheticDialogues": ("goemotions", "empathetic_dialogues"),
    "DailyDialog in MELD": ("dailydialog", "meld"),
    "ESConv in GoEmotions": ("esconv", "goemotions"),
}
LENGTHS = {"6–9": range(6, 10), "10–14": range(10, 15), "15 and more": range(15, 10_000)}


def rates(corpora: Path, copies: int = 1500) -> Iterator[tuple[str, str, str, int, int, int]]:
    """Of each pair of corpora, kind of copy and words in the text: planted, found, chance pairs among real texts."""
    for title, (train, scored) in PAIRS.items():
        dice = random.Random(0)
        held = _texts(corpora, scored, "test")
        asked = _texts(corpora, train, "train")
        index = Resemblance(held, THRESHOLD)
        chance = sum(match.sameness != "same text" for match in index.matches(Words.of(asked)))
        yield title, "texts of the two corpora as they are", "all", len(asked), 0, chance
        words = [word for text, _ in asked[:5000] for word in text.split()]
        planted = [
            (kind, place, copy)
            for place, (text, _) in dice.sample(list(enumerate(held)), min(copies, len(held)))
            for kind, copy in _copies(text, words, dice)
        ]
        found = {
            match.asked
            for match in index.matches(Words.of((copy, "en") for _, _, copy in planted))
            if held[match.held][0] == held[planted[match.asked][1]][0]
        }
        for kind in dict.fromkeys(kind for kind, _, _ in planted):
            for name, lengths in LENGTHS.items():
                some = [
                    at for at, one in enumerate(planted) if one[0] == kind and len(held[one[1]][0].split()) in lengths
                ]
                yield title, kind, name, len(some), len(found.intersection(some)), 0


def _texts(corpora: Path, name: str, split: str) -> list[tuple[str, str]]:
    found = (one for one in load_builder(name).samples(corpora / name) if isinstance(one, Sample))
    return [(str(one.text), "en") for one in found if one.split == split and one.text and one.language == "en"]


def _copies(text: str, vocabulary: list[str], dice: random.Random) -> Iterator[tuple[str, str]]:
    words = text.split()
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
