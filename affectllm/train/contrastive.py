"""Contrastive training: views of the same row are drawn together, and views of different rows apart.

A view is the question with its clips, one modality of it, or its answer (``model/embedding/views.py``); ``pairs`` says
which of them belong together. CLIP's symmetric cross-entropy over the rows of a batch (Radford et al., ICML 2021) makes
EmoCLIP of clips and their descriptions (Foteinopoulou and Patras, FG 2024), VAEmo's second stage of two pairs
(Cheng et al., 2025), and pairwise alignment of modalities of three. With ``sentiment_weight`` negatives of like
sentiment count less, as in EmotionCLIP (Zhang et al., CVPR 2023).

The network is trained as by any other method, by ``transformers.Trainer``: its weights keep their names, so adapters,
towers, checkpoints and sharding are those of every training. What is saved loads as a ``SentenceTransformer``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer, TrainingArguments

from affectllm.model.embedding.conversations import Settings, describe
from affectllm.model.embedding.network import hidden_states, pooled
from affectllm.model.embedding.views import ANSWER, ASKED, needed_view
from affectllm.train.checkpoints import FINAL

IDENTITY, SENTIMENT = "view_identity", "sentiment"
_LEAST_DIVERGENCE = 1e-4
_SMOOTHING = 0.1  # share of a label's probability that the other labels have


@dataclass
class ContrastiveConfig(TrainingArguments):  # type: ignore[misc]
    """Fields of ``transformers.TrainingArguments``, and those of the objective.

    Args:
        pairs: views that belong together, two by two.
        scale: of the cosines; the inverse of CLIP's temperature.
        pooling: ``mean`` over the tokens, or ``lasttoken``.
        sentiment_weight: λ of EmotionCLIP: how much is taken from the logits of negatives of like sentiment.
    """

    pairs: list[list[str]] = field(default_factory=lambda: [[ASKED, ANSWER]])
    scale: float = 10.0
    pooling: str = "mean"
    sentiment_weight: float = 0.0


def sentiment_likeness(shares: Tensor) -> Tensor:
    """Return EmotionCLIP's weights ``[rows, rows]``, 1/|KL(p_j‖p_i)|, of distributions ``[rows, labels]``.

    The diagonal is 0. Distributions that are nearly the same would divide by zero; their divergence counts as 1e-4.
    """
    logs = shares.clamp_min(1e-8).log()
    divergence = (shares[None] * (logs[None] - logs[:, None])).sum(-1).abs()  # [i, j] = KL(p_j || p_i)
    weights = 1.0 / divergence.clamp_min(_LEAST_DIVERGENCE)
    return weights.fill_diagonal_(0.0)


def contrastive_logits(left: Tensor, right: Tensor, scale: float, same: Tensor, weights: Tensor | None) -> Tensor:
    """Return the logits ``[rows, rows]`` of normalised vectors ``[rows, width]``.

    Args:
        same: ``[rows, rows]``, where either view of two rows is the same: such a row is no negative.
        weights: taken from the logits; None takes nothing.
    """
    logits = scale * left @ right.T
    if weights is not None:
        logits = logits - weights
    others = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    return logits.masked_fill(others, float("-inf"))


def symmetric_loss(logits: Tensor) -> Tensor:
    """Return the mean of the cross-entropies of rows and of columns, whose right answers lie on the diagonal."""
    own = torch.arange(len(logits), device=logits.device)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(logits, own) + cross_entropy(logits.T, own)) / 2


def _freeze_head(model: Any) -> None:
    """Freeze what only predicts words, and would decay without a gradient; a head that is the embedding stays."""
    head, words = model.get_output_embeddings(), model.get_input_embeddings()
    if head is not None and head.weight is not words.weight:
        head.requires_grad_(False)


class Views:
    """Collator of the views of rows, around one of conversations.

    Args:
        collator: of conversations; is told which views to encode.
        names: of the views, in the order of the batch.
        sentiment: whether the distribution over labels of each row's gold value is added.
    """

    def __init__(self, collator: Any, names: Sequence[str], sentiment: bool) -> None:
        self.collator, self.names, self.sentiment = collator, list(names), sentiment
        collator.conversations = self._of

    def _of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(needed_view(row, name) for name in self.names)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = self.collator.numbers(self.collator(rows))
        batch[IDENTITY] = torch.tensor([[_identity(one) for one in self._of(row)] for row in rows])
        if self.sentiment:
            batch[SENTIMENT] = _shares([row["value"] for row in rows])
        return batch


def _identity(messages: Any) -> int:
    text = json.dumps(messages, sort_keys=True, ensure_ascii=False)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


_BINS = 64


def _shares(values: Sequence[Any]) -> Tensor:
    """Return distributions ``[rows, bins]``: a label lies in the bin that its name hashes to, the same everywhere."""
    rows = torch.full((len(values), _BINS), _SMOOTHING / _BINS)
    for row, value in zip(rows, values, strict=True):
        several = value if isinstance(value, list | tuple) else [value]
        weights = value if isinstance(value, Mapping) else dict.fromkeys(map(str, several), 1.0) or {"": 1.0}
        total = sum(float(weight) for weight in weights.values()) or 1.0
        for name, weight in weights.items():
            number = hashlib.blake2b(str(name).encode(), digest_size=4).digest()
            row[int.from_bytes(number, "big") % _BINS] += (1 - _SMOOTHING) * float(weight) / total
    return rows


class ContrastiveTrainer(Trainer):  # type: ignore[misc]
    """A ``Trainer`` of the objective above; negatives are the rows of all processes' batches.

    Takes the arguments of ``Trainer``, and ``peft_config``.
    """

    def __init__(self, model: Any, args: ContrastiveConfig, peft_config: Any = None, **further: Any) -> None:
        if peft_config is not None:
            from peft import get_peft_model

            if args.gradient_checkpointing:
                model.enable_input_require_grads()
            model = get_peft_model(model, peft_config)
        _freeze_head(model)
        self._names = list(dict.fromkeys(name for pair in args.pairs for name in pair))
        self._budget = further["data_collator"].encoder.budget.to_json()
        further["data_collator"] = Views(further["data_collator"], self._names, args.sentiment_weight > 0)
        self._hits: list[float] = []
        super().__init__(model=model, args=args, **further)

    args: Any

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        identity, sentiment = inputs.pop(IDENTITY), inputs.pop(SENTIMENT, None)
        states, logits = hidden_states(model, inputs)
        vectors = pooled(states, inputs["attention_mask"], self.args.pooling)
        each = self._everyone(torch.stack(vectors.chunk(len(self._names)), dim=1))  # [rows, views, width]
        everyone = self.accelerator.gather(identity)
        weights = None
        if sentiment is not None:
            weights = self.args.sentiment_weight * sentiment_likeness(self.accelerator.gather(sentiment))
        losses, hits = [], []
        for pair in self.args.pairs:
            left, right = (self._names.index(name) for name in pair)
            same = (everyone[:, None, [left, right]] == everyone[None, :, [left, right]]).any(-1)
            scores = contrastive_logits(each[:, left], each[:, right], self.args.scale, same, weights)
            losses.append(symmetric_loss(scores))
            hits.append((scores.argmax(1) == torch.arange(len(scores), device=scores.device)).float().mean())
        loss = torch.stack(losses).mean()
        if model.training:
            self._hits.append(float(torch.stack(hits).mean()))
        # every process has the whole loss, and gradients through its own rows alone, of which the mean is taken
        loss = loss.detach() + (loss - loss.detach()) * self.accelerator.num_processes
        loss = loss + 0.0 * logits.sum()  # so that a head that is trained as the embedding is waited for no longer
        return (loss, {}) if return_outputs else loss

    def _everyone(self, vectors: Tensor) -> Tensor:
        """Return the vectors of all processes, with a gradient to this one's own."""
        if self.accelerator.num_processes == 1:
            return vectors
        gathered = self.accelerator.gather(vectors.detach())
        begin = self.accelerator.process_index * len(vectors)
        return torch.cat([gathered[:begin], vectors, gathered[begin + len(vectors) :]])

    def prediction_step(self, model: Any, inputs: Any, *_: Any, **__: Any) -> tuple[Tensor, None, None]:
        with torch.no_grad():
            loss = self.compute_loss(model, self._prepare_inputs(inputs))
        return loss.detach(), None, None

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        if "loss" in logs and self._hits:
            logs = {**logs, "accuracy": sum(self._hits) / len(self._hits)}
            self._hits = []
        super().log(logs, *args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        super()._save(output_dir, state_dict)
        if str(output_dir).endswith(FINAL) and self.is_world_process_zero():
            # what was asked whole is embedded whole; of views that stood for it the mean is taken
            fusion = () if ASKED in self._names else tuple(name for name in self._names if name != ANSWER)
            settings = Settings(self.args.pooling, self.args.scale, fusion, self._budget)
            network = self.accelerator.unwrap_model(self.model)
            describe(Path(str(output_dir)), settings, network.config.get_text_config().hidden_size)
