"""Batched generation, and log-probabilities of choices; media are encoded once per prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from affectllm.model.drawing import seeded
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.load import Model
from affectllm.model.media_dtypes import converted, media_dtypes

if TYPE_CHECKING:
    import torch


def generate(
    model: Model,
    encoder: Encoder,
    prompts: Sequence[Encoded],
    max_new_tokens: int,
    *,
    seeds: Sequence[int] | None = None,
    **options: Any,
) -> list[str | None]:
    """Continue each prompt until the end-of-turn token.

    Args:
        prompts: conversations encoded with ``generation_prompt=True``.
        max_new_tokens: longest answer in tokens.
        seeds: of each prompt's draws, which then do not depend on the others; None draws as transformers does.
        options: further fields of ``GenerationConfig``; greedy search unless they say otherwise.

    Returns:
        The answers; None where the model's outputs were no numbers, of which searching makes some text or other.
    """
    import torch

    batch = model_inputs(model, encoder, prompts, side="left")
    undefined = torch.zeros(len(prompts), dtype=torch.bool, device=model.model.device)

    def watch(_: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        bad = torch.isnan(logits).any(dim=-1)
        undefined.logical_or_(bad.view(len(prompts), -1).any(dim=-1))
        return logits.masked_fill(bad[:, None], 0.0)  # sampling from no numbers would end in an error

    processors: list[Any] = [watch]
    if seeds is not None and options.get("do_sample"):
        options, drawing = seeded(model.model.generation_config, options, seeds)
        processors += drawing
    with torch.inference_mode():
        out = model.model.generate(
            **batch,
            max_new_tokens=max_new_tokens,
            logits_processor=processors,
            eos_token_id=_ends(model),
            **{"do_sample": False, "temperature": None, **options},
        )
    answers = out[:, batch["input_ids"].shape[1] :]
    texts = model.tokenizer.batch_decode(answers, skip_special_tokens=True)
    return [None if lost else text.strip() for text, lost in zip(texts, undefined.tolist(), strict=True)]


def _ends(model: Model) -> list[int]:
    """Return the end-of-sequence tokens: the checkpoint's own, and the one that ends a turn of our template."""
    own = model.model.generation_config.eos_token_id
    listed = own if isinstance(own, list) else [] if own is None else [own]
    return sorted({*listed, model.tokenizer.convert_tokens_to_ids(model.family.end_of_turn)})


def score_choices(
    model: Model, encoder: Encoder, prompt: Encoded, choices: Sequence[str], *, end_of_turn: bool = False
) -> list[tuple[float, bool]]:
    """Compute the log-probability of each choice as the continuation of one prompt; see ``score_batch``."""
    return score_batch(model, encoder, [prompt], [choices], end_of_turn=end_of_turn)[0]


def score_batch(
    model: Model,
    encoder: Encoder,
    prompts: Sequence[Encoded],
    choices: Sequence[Sequence[str]],
    *,
    end_of_turn: bool = False,
) -> list[list[tuple[float, bool]]]:
    """Compute the log-probability of each choice as the continuation of its prompt.

    The prompts and their media go through the model once, as one batch; the choices share their prompt's keys and
    values as another.

    Args:
        prompts: conversations encoded with ``generation_prompt=True``.
        choices: continuations of each prompt; each must be at least one token.
        end_of_turn: whether the end-of-turn token counts as part of each choice.

    Returns:
        For each choice of each prompt the sum of its tokens' log-probabilities, and whether greedy search would
        produce it.
    """
    import torch

    owners = [number for number, own in enumerate(choices) for _ in own]
    tokens = [choice_tokens(model, choice, end_of_turn) for own in choices for choice in own]
    with torch.inference_mode():
        logits = continued(model, tokens, owners, prompts, prefilled(model, encoder, prompts))
    scores = iter([sum_of(row[: len(ids)], ids) for row, ids in zip(logits, tokens, strict=True)])
    return [[next(scores) for _ in own] for own in choices]


def choice_tokens(model: Model, choice: str, end_of_turn: bool = False) -> list[int]:
    """Return the tokens of a choice where an answer begins."""
    ids = _alone(model, choice)
    if model.family.lead:
        # Where no text begins: some tokenizers write a space before that, and would write a second one.
        before = _alone(model, ":")
        ids = _alone(model, f":{model.family.lead}{choice}")[len(before) :]
    return [*ids, model.tokenizer.convert_tokens_to_ids(model.family.end_of_turn)] if end_of_turn else ids


def _alone(model: Model, text: str) -> list[int]:
    ids: list[int] = model.tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@dataclass(frozen=True)
class Prefilled:
    """What a batch of prompts left behind: logits ``[prompts, vocabulary]``, keys and values, mask, next positions."""

    logits: torch.Tensor
    cache: Any
    mask: torch.Tensor
    next: torch.Tensor


def prefilled(model: Model, encoder: Encoder, prompts: Sequence[Encoded]) -> Prefilled:
    """Put prompts through the model."""
    import torch

    batch = model_inputs(model, encoder, prompts, side="left")
    if len(prompts) > 1 and "position_ids" not in batch:  # what is padded begins later
        batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    out = model.model(**batch, use_cache=True, **last_logits_only(model))
    # Positions of frames may lie between two numbers, and so do those of the words after them.
    lasts = [one.length - 1 if one.positions is None else one.positions.max().item() for one in prompts]
    after = torch.tensor(lasts, device=model.model.device)[:, None] + 1
    return Prefilled(out.logits[:, -1], out.past_key_values, batch["attention_mask"], after)


def last_logits_only(model: Model) -> dict[str, int]:
    """Return the argument that asks for the last position's logits alone; families without one compute them all."""
    import inspect

    base = model.model.get_base_model() if hasattr(model.model, "get_base_model") else model.model
    return {"logits_to_keep": 1} if "logits_to_keep" in inspect.signature(type(base).forward).parameters else {}


def continued(
    model: Model, tokens: list[list[int]], owners: list[int], prompts: Sequence[Encoded], before: Prefilled
) -> torch.Tensor:
    """Compute the logits ``[choices, longest, vocabulary]`` that predict every token of every choice."""
    import torch

    count, longest = len(tokens), max(len(ids) for ids in tokens)
    device = before.logits.device
    rows = torch.tensor(owners, device=device)
    head = before.logits[rows][:, None]
    if longest == 1:
        return head
    inputs = torch.zeros((count, longest - 1), dtype=torch.long, device=device)
    for row, ids in enumerate(tokens):
        inputs[row, : len(ids) - 1] = torch.tensor(ids[: longest - 1][: len(ids) - 1], device=device)
    # Not batch_repeat_interleave, which layers of linear attention lack.
    before.cache.reorder_cache(rows)
    positions = before.next[rows] + torch.arange(longest - 1, device=device)
    if prompts[0].positions is not None:
        positions = positions.expand(3, count, -1)
    mask = torch.cat([before.mask[rows], torch.ones_like(inputs)], dim=1)
    out = model.model(
        input_ids=inputs, attention_mask=mask, position_ids=positions, past_key_values=before.cache, use_cache=True
    )
    return torch.cat([head, out.logits], dim=1)


def sum_of(logits: torch.Tensor, ids: list[int]) -> tuple[float, bool]:
    """Return the log-probability of tokens by the logits that predict them, and whether greedy search takes them."""
    import torch

    target = torch.tensor(ids, device=logits.device)
    log_probs = torch.log_softmax(logits.float(), dim=-1)
    total = log_probs.gather(-1, target[:, None]).sum()
    return float(total), bool((logits.argmax(-1) == target).all())


def model_inputs(model: Model, encoder: Encoder, prompts: Sequence[Encoded], *, side: str) -> dict[str, torch.Tensor]:
    """Return what the model takes of a batch of prompts, on its device and in its dtype, without labels."""
    batch = encoder.collate(prompts, side=side)
    del batch["labels"]
    batch = {name: tensor.to(model.model.device) for name, tensor in batch.items()}
    return converted(batch, media_dtypes(model.model, model.family))
