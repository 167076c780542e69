"""The prompts of judges: YAML pages in ``prompts/``, in our own words, each with a version and a hash."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from affectllm.errors import NotFound
from affectllm.yaml_page import PageKind, read_page

PROMPTS = Path(__file__).parent / "prompts"
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Prompt:
    """One question to a judge.

    Args:
        name: file name and language, ``clue_overlap/en``.
        version: changes whenever the wording does.
        system: who the judge is to be; may be empty.
        user: the question, with the fields in braces.
        low, high: smallest and largest score, where a score is asked for.
    """

    name: str
    version: int
    system: str
    user: str
    low: float
    high: float

    @property
    def hash(self) -> str:
        """A hash of everything that the judge reads."""
        return hashlib.sha256(f"{self.name}\0{self.version}\0{self.system}\0{self.user}".encode()).hexdigest()[:16]

    @property
    def fields(self) -> set[str]:
        """The names of the placeholders."""
        return set(_FIELD.findall(self.user))

    def messages(self, values: Mapping[str, str]) -> list[dict[str, str]]:
        """Return the conversation with ``values`` filled in; braces within the values are left alone."""
        words = _FIELD.sub(lambda match: values[match.group(1)], self.user)
        head = [{"role": "system", "content": self.system}] if self.system else []
        return [*head, {"role": "user", "content": words}]


def prompt_names() -> list[str]:
    """Return the names of all prompts, without the languages."""
    return sorted(path.stem for path in PROMPTS.glob("*.yaml"))


@cache
def load_prompt(name: str, language: str = "en") -> Prompt:
    """Load a prompt in one language.

    Raises:
        NotFound: when there is none of that name, or not in that language.
    """
    path = PROMPTS / f"{name}.yaml"
    if not path.is_file():
        raise NotFound(f"there is no judge prompt called {name!r}", do=f"choose of {', '.join(prompt_names())}")
    page: dict[str, Any] = read_page(path, PageKind("judge's wording")).value
    if language not in page["languages"]:
        languages = ", ".join(page["languages"])
        raise NotFound(f"the judge prompt {name!r} is not written in {language!r}", do=f"choose of {languages}")
    low, high = page.get("range", (0, 0))
    words = page["languages"][language]
    return Prompt(f"{name}/{language}", page["version"], words.get("system", ""), words["user"], low, high)
