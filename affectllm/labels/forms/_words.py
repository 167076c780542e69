"""What forms whose gold answers are free words have in common."""

from __future__ import annotations

from typing import Any

from affectllm.labels.form import Refused
from affectllm.labels.space import LabelSpace


def words(value: Any, space: LabelSpace) -> Any:
    """What was written, without blanks around it."""
    return value.strip() or Refused("no_words")


def say_words(gold: str, space: LabelSpace, language: str, nothing: str) -> str:
    """As it was written."""
    return gold
