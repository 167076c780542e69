"""Scores of prompts that begin alike, such as questions about one clip: what they share goes through the model once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import choice_tokens, continued, prefilled, score_batch, sum_of
from affectllm.model.load import Model

if TYPE_CHECKING:
    import torch


def score_alike(
    model: Model, encoder: Encoder, prompts: Sequence[Encoded], choices: Sequence[str]
) -> list[list[tuple[float, bool]]]:
    """Compute the log-probability of each choice as the continuation of each prompt.

    The tokens with which all prompts begin, their clips among them, go through the model once; the rest of each prompt
    with its choices is one row of a batch, in which choices that differ in their last token only share a row.

    Args:
        prompts: conversations about the same clips, encoded with ``generation_prompt=True``.
        choices: continuations, each of at least one token.

    Returns:
        For each prompt what ``generate.score_choices`` returns.
    """
    import torch

    start = _shared(model, prompts)
    if len(prompts) == 1 or not start:
        return [score_batch(model, encoder, [prompt], [choices])[0] for prompt in prompts]
    answers = [choice_tokens(model, choice) for choice in choices]
    rests = [tuple(prompt.input_ids[start:].tolist()) for prompt in prompts]
    fed = list(dict.fromkeys((*rest, *ids[:-1]) for rest in rests for ids in answers))
    with torch.inference_mode():
        beginning = [_cut(prompts[0], start)]
        # The last token of a row is only predicted, and which one it is does not matter here.
        rows = continued(
            model, [[*row, 0] for row in fed], [0] * len(fed), beginning, prefilled(model, encoder, beginning)
        )
    places = {row: number for number, row in enumerate(fed)}
    return [
        [sum_of(rows[places[*rest, *ids[:-1]], len(rest) : len(rest) + len(ids)], ids) for ids in answers]
        for rest in rests
    ]


def _shared(model: Model, prompts: Sequence[Encoded]) -> int:
    """Return with how many tokens all prompts begin; 0 where a clip, or a step of the positions, lies behind them."""
    first = prompts[0]
    shortest = min(prompt.length for prompt in prompts)
    start = min(_agreeing(first.input_ids[:shortest], prompt.input_ids[:shortest]) for prompt in prompts)
    start = min(start, shortest - 1)  # what comes first after the beginning is a token of the prompt
    clips = {model.tokenizer.convert_tokens_to_ids(token) for token in model.family.placeholders.values()}
    if any(clips & set(prompt.input_ids[start:].tolist()) for prompt in prompts):
        return 0
    return start if all(_in_step(prompt, start) for prompt in prompts) else 0


def _agreeing(one: torch.Tensor, other: torch.Tensor) -> int:
    differing = (one != other).nonzero()
    return int(differing[0]) if len(differing) else len(one)


def _in_step(prompt: Encoded, start: int) -> bool:
    """Whether the positions behind ``start`` go on by one from the highest before, as those of words do."""
    import torch

    if prompt.positions is None:
        return True
    if not start:
        return False
    after = prompt.positions[:, start:]
    steps = torch.arange(1, after.shape[1] + 1, device=after.device)
    return bool((after == prompt.positions[:, :start].max() + steps).all())


def _cut(prompt: Encoded, length: int) -> Encoded:
    positions = None if prompt.positions is None else prompt.positions[:, :length]
    return replace(prompt, input_ids=prompt.input_ids[:length], labels=prompt.labels[:length], positions=positions)
