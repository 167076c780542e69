"""A clip that could not be read is an answer of its own kind, which no reader can take for a model's words.

lm-eval wants a string from every model. Where a clip is broken, the string begins with a mark that no tokenizer writes
as text (a code point of Unicode's private use area), carries the reason, and is read as unreadable with that reason.
"""

from __future__ import annotations

_MARK = "\ue000media_error:"


def media_error_reply(reason: str, path: str, detail: str = "") -> str:
    """What the model returns in place of an answer when the clip at ``path`` could not be read."""
    return f"{_MARK}{reason}\n{path}\n{detail}"


def media_error_reason(reply: object) -> str | None:
    """``media_error:<reason>`` when ``reply`` is one of these strings, else None."""
    if isinstance(reply, str) and reply.startswith(_MARK):
        return f"media_error:{reply.removeprefix(_MARK).partition(chr(10))[0]}"
    return None
