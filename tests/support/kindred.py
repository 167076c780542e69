"""Corpora that are built from one another, and a text for them to share."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_corpus import toy_corpus

TWEET = "honestly i cannot believe how kind everybody was to my little brother at the station today thank you all"
PARAPHRASED = TWEET.replace("little", "younger")


def kindred(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """``child`` and ``sibling`` are built from ``base``, ``grandchild`` from ``child``; ``stranger`` from nothing."""
    parents_of = {"base": (), "child": ("base",), "sibling": ("base",), "grandchild": ("child",), "stranger": ()}
    return {name: toy_corpus(folder, monkeypatch, name, parents=parents) for name, parents in parents_of.items()}
