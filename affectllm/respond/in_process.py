"""Answer conversations with a model in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.corpus.roots import locate
from affectllm.instruct.conversation import Conversation
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import Budget, MediaError
from affectllm.model.encode import Encoder
from affectllm.model.generate import generate
from affectllm.model.length import DEFAULT_TEXT, BoundedEncoder, budget_of
from affectllm.model.load import Model
from affectllm.respond.batches import batches

UNDEFINED = "not_finite"  # why there is no answer where the model's outputs are no numbers
_SENTENCE = 16  # tokens that the words around an answer take


@dataclass(frozen=True)
class Unanswered:
    """A conversation that could not be asked, or was not answered.

    Args:
        reason: of the clip (see ``MediaError``), ``too_many_tokens`` or ``not_finite``.
        detail: what exactly, where that is known.
    """

    reason: str
    detail: str = ""


def answer(
    model: Model,
    conversations: Sequence[Conversation],
    roots: Mapping[str, Path] | None = None,
    *,
    budget: Budget | None = None,
    batch_size: int = 8,
    max_new_tokens: int | None = None,
    progress: bool = True,
    **generation: Any,
) -> list[str | Unanswered]:
    """Generate the reply of ``model`` to each conversation, in order.

    Args:
        roots: corpus name → folder of its clips; None looks where ``AFFECTLLM_CORPORA`` says.
        budget: how much of each clip is used.
        batch_size: conversations that are answered at once.
        max_new_tokens: longest answer; None takes what the forms of the answers need.
        progress: whether a bar is shown.
        generation: further fields of transformers' ``GenerationConfig``; greedy search unless they say otherwise.

    Raises:
        MissingCorpus: when nobody says where the clips of a corpus lie.
    """
    from tqdm.auto import tqdm

    places = _places(conversations, roots or {})
    encoder = Encoder(model.processor, model.family, model.model.config, budget or Budget(), places, MediaCache())
    bounded = BoundedEncoder(encoder, budget_of(model, DEFAULT_TEXT))
    longest = max_new_tokens or max((_tokens(one) for one in conversations), default=_SENTENCE)
    replies: dict[int, str | Unanswered] = {}
    numbered = list(enumerate(conversations))
    with tqdm(total=len(numbered), desc="ask", disable=not progress) as bar:
        for batch, prompts in batches(bounded, numbered, batch_size, lambda pair: pair[1].asked):
            if isinstance(prompts, MediaError):
                replies[batch[0][0]] = Unanswered(prompts.reason, prompts.detail or prompts.path)
            else:
                texts = generate(model, encoder, prompts, longest, **generation)
                for (number, _), text in zip(batch, texts, strict=True):
                    replies[number] = Unanswered(UNDEFINED) if text is None else text
            bar.update(len(batch))
    return [replies[number] for number in range(len(numbered))]


def _places(conversations: Sequence[Conversation], roots: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folders of all corpora whose clips the conversations show."""
    corpora = {part["corpus"] for one in conversations for part in one.media}
    return {name: locate(name, roots) for name in sorted(corpora)}


def _tokens(conversation: Conversation) -> int:
    slots = conversation.reader.slots
    return sum(slot.how.tokens for slot in slots) + (_SENTENCE if len(slots) > 1 else 0)
