"""The page of ``affectllm speak``: which replies are spoken, by which checkpoint, in which voice."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from affectllm.page_schema import build
from affectllm.yaml_page import PageKind, read_page

KIND = PageKind("speak page")
ROLES = ("id", "clip", "text", "reply", "reference", "target", "language", "item")
_SOURCES = ("table", "evaluation", "talks")
_OF_TABLES, _OF_EVALUATIONS = ("columns", "system"), ("task", "target", "reference")


@dataclass(frozen=True)
class SpeakPage:
    """Replies, and the checkpoint whose own talker speaks them."""

    model: str
    """a whole checkpoint with its talker: Hub id, folder, tiny:qwen2_5_omni; or an adapter of one, or its run"""
    adapter: str = ""
    """a PEFT adapter to put on its thinker"""
    table: str = ""
    """CSV, JSON Lines …: columns id, clip, text (what is replied to), reply (default: the model's own), target …"""
    columns: dict[str, str] = field(default_factory=dict)
    """role → column of the table, where they are called otherwise"""
    system: str = ""
    """the system prompt before each row of the table"""
    evaluation: str = ""
    """in place of a table: folder of ``affectllm eval --output_path`` with its logged replies"""
    task: str = ""
    """of the evaluation, where it has several"""
    target: dict[str, str] = field(default_factory=dict)
    """of an evaluation: space and rater of the emotion that is meant by the replies"""
    reference: str = ""
    """of an evaluation: the attribute of its samples that is the clip of the real reply, such as response_audio"""
    talks: str = ""
    """in place of a table: a run of ``affectllm converse``, of which every reply is spoken"""
    voice: str = ""
    """one of the checkpoint's (default: its first)"""
    name: str = ""
    """what tables call the system (default: the model)"""
    max_new_tokens: int = 160
    """longest reply, of the model's own"""
    max_seconds: float = 30.0
    """longest sound; the talker is cut off there"""
    seed: int = 0
    """of the talker's draws, the same for every reply"""
    heard: str = ""
    """a speech model, such as openai/whisper-small, that writes what it hears, for the word error rate"""
    description: str = ""
    """what is spoken"""
    answers: str = ""
    """folder in which replies and sounds are kept (default: speak/ in the cache folder)"""


def read_speak(path: Path) -> SpeakPage:
    """Read and check a page.

    Raises:
        NotFound: when it cannot be read.
        Malformed: with file and line, for unknown keys, wrong types or numbers without meaning.
    """
    page = read_page(path, KIND)
    value: SpeakPage = build(SpeakPage, page)
    sources = [name for name in _SOURCES if getattr(value, name)]
    if len(sources) != 1:
        what = " and ".join(f"{name}:" for name in sources) or "no replies"
        raise KIND.wrong(f"the page has {what}", where=page.where(()), do="give one of table:, evaluation:, talks:")
    elsewhere = {"table": _OF_EVALUATIONS, "evaluation": _OF_TABLES, "talks": (*_OF_TABLES, *_OF_EVALUATIONS)}
    if strange := [name for name in elsewhere[sources[0]] if getattr(value, name)]:
        message = f"{strange[0]}: says nothing of {sources[0]}:"
        raise KIND.wrong(message, where=page.where((strange[0],)), do="leave it out")
    if unknown := [role for role in value.columns if role not in ROLES]:
        where, do = page.where(("columns", unknown[0])), f"the roles are {', '.join(ROLES)}"
        raise KIND.wrong(f"{unknown[0]!r} is no role of a column", where=where, do=do)
    if value.target and sorted(value.target) != ["rater", "space"]:
        raise KIND.wrong("target: has space: and rater:", where=page.where(("target",)))
    if value.max_new_tokens < 1:
        raise KIND.wrong("a reply has at least one token", where=page.where(("max_new_tokens",)))
    if not 0 < value.max_seconds < math.inf:
        raise KIND.wrong("a sound is longer than 0 s", where=page.where(("max_seconds",)))
    if value.seed < 0:
        raise KIND.wrong("a seed is 0 or more", where=page.where(("seed",)))
    page.check_file(("table",), value.table)
    return value
