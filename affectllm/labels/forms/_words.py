"""Functions shared by the forms whose gold answers are free text."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Refused
from affectllm.labels.space import LabelSpace


def words(value: Any, space: LabelSpace) -> Any:
    """Return the annotated text without surrounding blanks."""
    return value.strip() or Refused("no_words")


def say_words(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    """Return the text unchanged."""
    return gold
