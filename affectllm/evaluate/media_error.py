"""Marked replies for questions that could not be asked, which no reader can take for a model's words.

lm-eval wants a string from every model. Where a clip is broken, or a text longer than the model's context, the string
begins with a mark that no tokenizer writes as text (a code point of the private use area), carries the reason, and
is read as unreadable with that reason.
"""

from __future__ import annotations

import sys
from collections import Counter

from affectllm.model.clips.media import MediaError
from affectllm.model.length import TOO_MANY_TOKENS

_MARK = "\ue000media_error:"
OF_THE_MODEL = (TOO_MANY_TOKENS, "refused", "only_reasoning", "no_choice_likely", "ambiguous_choice")
"""Reasons that are a model's or a server's and no clip's; see ``respond.responder.Unanswered``."""
_NOT_OF_CLIPS = (*OF_THE_MODEL, "dry_run")


def media_error_reply(reason: str, path: str, detail: str = "") -> str:
    """Return the reply that stands in for an answer when the clip at ``path``, or the text, could not be used."""
    return f"{_MARK}{reason}\n{path}\n{detail}"


def media_error_reason(reply: object) -> str | None:
    """Return ``media_error:<reason>``, or the reason alone where it is none of a clip; None for any other reply."""
    if not isinstance(reply, str) or not reply.startswith(_MARK):
        return None
    reason = reply.removeprefix(_MARK).partition("\n")[0]
    return reason if reason in _NOT_OF_CLIPS else f"media_error:{reason}"


class MediaLedger:
    """Counts the questions that could not be asked, by reason, and the clips that were trimmed."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.first: dict[str, MediaError] = {}
        self.trimmed = 0

    def add(self, error: MediaError) -> str:
        """Count ``error`` and return the reply that stands for it."""
        self.reasons[error.reason] += 1
        self.first.setdefault(error.reason, error)
        return media_error_reply(error.reason, error.path, error.detail)

    def tell(self) -> None:
        """Print the counts since the last call to stderr; nothing where all clips could be used."""
        for reason, count in self.reasons.most_common():
            error = self.first[reason]
            example = f"{error.path}: {error.detail}" if error.detail else error.path
            print(f"{count:,} questions unanswered: {reason} (the first: {example})", file=sys.stderr)
        if self.trimmed:
            print(f"{self.trimmed:,} clips were cut to the beginning that the budget allows", file=sys.stderr)
        self.reasons.clear()
        self.first.clear()
        self.trimmed = 0
