"""Token budgets: a conversation beyond the budget is rejected alone, instead of exhausting the machine's memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import Model

TOO_MANY_TOKENS = "too_many_tokens"
DEFAULT_TEXT = 4096  # tokens of words that are trained on, where the recipe does not say otherwise


@dataclass(frozen=True)
class TokenBudget:
    """The maximum number of tokens of one conversation.

    Args:
        text: of words and turns, without what clips become.
        whole: with clips; at most what the model has positions for.
    """

    text: int
    whole: int


def positions_of(model: Model) -> int:
    """Return the maximum number of positions of the language model."""
    return int(model.model.config.get_text_config().max_position_embeddings)


def budget_of(model: Model, text: int | None = None) -> TokenBudget:
    """Return the token budget of a model: its positions, and for text alone ``text`` where that is less."""
    whole = positions_of(model)
    return TokenBudget(whole if text is None else min(text, whole), whole)


class BoundedEncoder:
    """An encoder that returns a conversation beyond the budget as an error value, ``too_many_tokens``.

    Args:
        encoder: of the model.
        budget: most tokens.
    """

    def __init__(self, encoder: Encoder, budget: TokenBudget) -> None:
        self._encoder, self.budget = encoder, budget
        # No token stands for more bytes than the longest has letters: byte-level vocabularies spell one byte a letter.
        self._longest = max(len(token) for token in encoder.tokenizer.get_vocab())

    def encode(self, messages: Sequence[Mapping[str, Any]], *, generation_prompt: bool = False) -> Encoded | MediaError:
        """Encode as ``Encoder.encode`` does; refuse a text of megabytes before it is tokenised."""
        least = -(-sum(_sizes(messages)) // self._longest)
        if least > self.budget.text:
            return _refused(f"at least {least} tokens of text; {self.budget.text} are allowed")
        encoded = self._encoder.encode(messages, generation_prompt=generation_prompt)
        return encoded if isinstance(encoded, MediaError) else self._within(encoded)

    def _within(self, encoded: Encoded) -> Encoded | MediaError:
        text = encoded.length - encoded.of_clips
        if text > self.budget.text:
            return _refused(f"{text} tokens of text; {self.budget.text} are allowed")
        if encoded.length > self.budget.whole:
            return _refused(f"{encoded.length} tokens, {encoded.of_clips} of clips; {self.budget.whole} are allowed")
        return encoded


def _sizes(messages: Sequence[Mapping[str, Any]]) -> list[int]:
    contents = [message["content"] for message in messages]
    texts = [content for content in contents if isinstance(content, str)]
    parts = [part for content in contents if not isinstance(content, str) for part in content]
    texts += [part["text"] for part in parts if part["type"] == "text"]
    return [len(text) for text in texts]


def _refused(detail: str) -> MediaError:
    return MediaError(TOO_MANY_TOKENS, "", detail)
