"""Views of a conversation: the whole question, its clips alone, one modality alone, and its answer.

A view is a conversation itself, so that whatever encodes conversations encodes views.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from affectllm.errors import Malformed
from affectllm.instruct.conversation import parts_of

Messages = Sequence[Mapping[str, Any]]
Parts = list[Mapping[str, Any]]


def user(parts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a conversation of one user's message."""
    return [{"role": "user", "content": [dict(part) for part in parts]}]


def as_messages(thing: Any) -> Messages:
    """Return a text as the conversation that consists of it; a conversation unchanged."""
    return user([{"type": "text", "text": thing}]) if isinstance(thing, str) else thing


def _silent(parts: Parts) -> Parts:
    return [{key: value for key, value in part.items() if key != "sound"} for part in parts if part["type"] == "video"]


def _heard(parts: Parts) -> Parts:
    sounds = [part for part in parts if part["type"] == "audio"]
    tracks = [part for part in parts if part["type"] == "video" and part.get("sound")]
    return [*sounds, *({**{k: v for k, v in part.items() if k != "sound"}, "type": "audio"} for part in tracks)]


def _of_type(kind: str) -> Callable[[Parts], Parts]:
    return lambda parts: [part for part in parts if part["type"] == kind]


_PARTS: Mapping[str, Callable[[Parts], Parts]] = {
    "clips": lambda parts: [part for part in parts if part["type"] != "text"],
    "video": _silent,
    "audio": _heard,
    "image": _of_type("image"),
    "text": _of_type("text"),
}
ASKED, ANSWER = "asked", "answer"
VIEWS: Mapping[str, str] = {
    ASKED: "the conversation up to its last answer, question and clips",
    "clips": "the clips alone, without a word",
    "video": "what is seen of the clips",
    "audio": "what is heard of the clips",
    "image": "the pictures alone",
    "text": "the words alone, with the question",
    ANSWER: "the last answer: a label, or a description",
}


NEEDS: Mapping[str, frozenset[str]] = {
    "clips": frozenset({"video", "audio", "image"}),
    "video": frozenset({"video"}),
    "audio": frozenset({"audio"}),
    "image": frozenset({"image"}),
}
"""View → the modalities of which a question must show one; every question has the other views."""


def view(messages: Messages, name: str) -> Messages | None:
    """Return a view of a conversation, or None where it has nothing of that kind."""
    answered = bool(messages) and messages[-1]["role"] == "assistant"
    asked = messages[:-1] if answered else messages
    if name == ASKED:
        return asked
    if name == ANSWER:
        return user(list(parts_of(messages[-1:]))) if answered else None
    parts = _PARTS[name](list(parts_of(message for message in asked if message["role"] == "user")))
    return user(parts) if parts else None


def needed_view(row: Mapping[str, Any], name: str) -> Messages:
    """Return a view of a training row.

    Raises:
        Malformed: when the row has nothing of that kind.
    """
    messages = view(row["messages"], name)
    if messages is None:
        message = f"the row {row['id']} has no view {name}: {VIEWS[name]}"
        raise Malformed(message, do="give its part of the mixture that modality, or take the view out of trainer.pairs")
    return messages


def fused(messages: Messages, names: Sequence[str]) -> list[Messages]:
    """Return the views whose vectors are averaged; the conversation itself where ``names`` is empty.

    Raises:
        Malformed: when it has none of them.
    """
    if not names:
        return [messages]
    views = [one for name in names if (one := view(messages, name)) is not None]
    if not views:
        raise Malformed(f"a conversation has none of the views {', '.join(names)}", do="choose other views")
    return views
