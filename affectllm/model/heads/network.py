"""The network of a head: a backbone, the pooling of its last hidden states, and layers on what was pooled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.modeling_outputs import SequenceClassifierOutput

from affectllm.model.heads.answers import Answers
from affectllm.model.heads.losses import Criterion
from affectllm.model.heads.page import HeadPage, Pooling

if TYPE_CHECKING:
    from torch import Tensor

PIECES, VALID = "pieces", "valid"
"""Of a batch of an encoder: how many pieces (windows, frames) every row has, and which outputs of each count."""
FEATURES = "features"
"""Of a batch of a frozen backbone: what was pooled before."""


class Standardised(nn.Module):
    """Gives every feature mean 0 and spread 1 over the training set; what never varies is left at 0."""

    mean: Tensor
    spread: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))

    def fit(self, features: Tensor) -> None:
        """Take mean and spread of ``[rows, width]``."""
        self.mean.copy_(features.mean(0))
        spread = features.std(0, correction=0)
        self.spread.copy_(torch.where(spread > 1e-6, spread, torch.ones_like(spread)))

    def forward(self, features: Tensor) -> Tensor:
        return (features - self.mean) / self.spread


class Layers(nn.Sequential):
    """The layers on a pooled representation; the last two are a dropout and the linear layer that answers."""

    def forward(self, features: Tensor, with_states: bool = False) -> Any:
        """Return the outputs ``[rows, outputs]``, or these and what the last layers take, ``[rows, width]``."""
        *before, dropout, linear = self
        for layer in before:
            features = layer(features)
        outputs = linear(dropout(features))
        return (outputs, features) if with_states else outputs


def layers(width: int, outputs: int, page: HeadPage, standardised: bool) -> Layers:
    """Return the layers on a pooled representation of ``width``.

    Args:
        standardised: whether features are standardised over the training set, which a frozen backbone allows; else
            each representation is normalised by itself.
    """
    parts: list[nn.Module] = [Standardised(width) if standardised else nn.LayerNorm(width)]
    for inner in page.hidden:
        parts += [nn.Dropout(page.dropout), nn.Linear(width, inner), nn.GELU()]
        width = inner
    return Layers(*parts, nn.Dropout(page.dropout), nn.Linear(width, outputs))


def pool(states: Tensor, mask: Tensor, pooling: Pooling, pieces: Tensor | None = None) -> Tensor:
    """Pool hidden states into a vector a row.

    Args:
        states: ``[pieces, tokens, width]``.
        mask: ``[pieces, tokens]``, whether a token counts.
        pieces: ``[rows]``, how many pieces every row has; None where each is a row.
    """
    mask = mask.bool()
    if pieces is None:
        pieces = torch.ones(len(states), dtype=torch.long, device=states.device)
    rows = torch.arange(len(pieces), device=states.device).repeat_interleave(pieces)
    ends = pieces.cumsum(0)
    if pooling == "mean":
        sums = torch.zeros(len(pieces), states.shape[-1], dtype=torch.float32, device=states.device)
        sums = sums.index_add(0, rows, (states.float() * mask[..., None]).sum(1))
        counts = torch.zeros(len(pieces), device=states.device).index_add(0, rows, mask.sum(1).float())
        return sums / counts.clamp(min=1)[:, None]
    places = torch.arange(mask.shape[1], device=mask.device)
    if pooling == "first":
        chosen, place = ends - pieces, mask.int().argmax(1)
    else:
        chosen, place = ends - 1, (mask * places).argmax(1)
    return states[chosen, place[chosen]].float()


class HeadNetwork(nn.Module):
    """A backbone and a head on it, as a module that ``transformers.Trainer`` and PEFT take.

    The backbone keeps the name that it has in its own model, and with it the names of all of its weights, so that
    towers are frozen and adapted as in that model. With ``features`` it is not run at all.

    Args:
        owner: the model that has the backbone as ``base_model``; None for a head on features alone.
        score: the layers.
        answers: what the outputs are.
        pooling: see ``HeadPage``.
        criterion: the loss; None where nothing is trained.
    """

    # By the rest of its arguments the trainer would think that it divides the loss by the rows of all batches.
    accepts_loss_kwargs = False

    def __init__(
        self,
        owner: Any,
        score: nn.Sequential,
        answers: Answers,
        pooling: Pooling,
        criterion: Criterion | None = None,
    ) -> None:
        super().__init__()
        self.prefix: str = "" if owner is None else owner.base_model_prefix
        self.base_model_prefix = self.prefix  # PEFT asks for it where weights of a part have other names on the Hub
        if owner is not None:
            setattr(self, self.prefix, owner.base_model)
            self.config = owner.config
            self.config.num_labels = answers.outputs
            self._no_split_modules = getattr(owner, "_no_split_modules", None)
            self.name_or_path = getattr(owner, "name_or_path", "")
        self.score, self.answers, self.pooling = score, answers, pooling
        self.criterion = criterion

    @property
    def backbone(self) -> Any:
        """The network below the head; None for a head on features alone."""
        return getattr(self, self.prefix) if self.prefix else None

    def forward(
        self, labels: Tensor | None = None, taught: Tensor | None = None, **inputs: Any
    ) -> SequenceClassifierOutput:
        """Return ``logits`` ``[rows, outputs]``, and the loss where there are ``labels``: see ``Answers.targets``.

        A validation is scored against the gold answers alone, whatever is ``taught`` in training.
        """
        features = inputs.pop(FEATURES, None)
        pooled = self.represent(**inputs) if features is None else features
        pooled_here, loss = pooled.to(next(self.score.parameters()).dtype), None
        if labels is not None and self.criterion is not None and self.training:
            logits, states = self.score(pooled_here, with_states=True)
            loss = self.criterion(logits, labels, pooled, taught, states)
        else:
            logits = self.score(pooled_here)
            loss = None if labels is None or self.criterion is None else self.criterion(logits, labels, pooled)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def represent(self, **inputs: Any) -> Tensor:
        """Return what is pooled of a batch, float32 ``[rows, width]``."""
        pieces, valid = inputs.pop(PIECES, None), inputs.pop(VALID, None)
        inputs.pop("use_cache", None)
        states = self.backbone(**inputs).last_hidden_state
        mask = inputs.get("attention_mask")
        if valid is not None:
            counts = torch.where(valid < 0, torch.full_like(valid, states.shape[1]), valid)
            mask = torch.arange(states.shape[1], device=states.device)[None, :] < counts[:, None]
        elif mask is None:
            mask = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        return pool(states, mask, self.pooling, pieces)

    def add_model_tags(self, tags: Any) -> None:
        """Take the tags of TRL's trainers, which a model card of theirs would show."""
        self.model_tags = tags

    def gradient_checkpointing_enable(self, *args: Any, **options: Any) -> None:
        """Checkpoint the backbone's layers."""
        self.backbone.gradient_checkpointing_enable(*args, **options)

    def enable_input_require_grads(self) -> None:
        """Let gradients begin at the embeddings, which checkpointing with an adapter needs."""
        self.backbone.enable_input_require_grads()

    def get_input_embeddings(self) -> Any:
        """Return the embeddings of tokens, which PEFT looks at."""
        return self.backbone.get_input_embeddings()
