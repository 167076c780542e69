"""Fusions: encoder outputs of frames and sounds into embeddings of the language model.

Shapes: ``f`` frames of all clips in a row, ``frames[c]`` of them of each clip; ``w`` windows of all sounds in a row,
``windows[s]`` of them of each sound, with ``lengths[w]`` outputs that are no padding; ``n`` encoder outputs of a frame
or window; ``d`` features; ``h`` hidden size of the language model.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig


def width(config: PreTrainedConfig) -> int:
    """Return the number of features of an encoder's outputs."""
    return int(config.hidden_size)


def split(rows: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Split rows of all clips into those of each clip."""
    ends = list(accumulate(counts))
    return [rows[end - count : end] for count, end in zip(counts, ends, strict=True)]


def heard(outputs: Tensor, lengths: Sequence[int]) -> Tensor:
    """Average the first ``lengths`` outputs of each window, ``[w, n, d]`` → ``[w, d]``; the rest is silence."""
    return torch.stack([outputs[i, :length].mean(0) for i, length in enumerate(lengths)])


def averaged(outputs: Tensor, lengths: Sequence[int], count: int) -> Tensor:
    """Average every ``count`` outputs, ``[w, n, d]`` → ``[w, ceil(n / count), d]``; padding is not counted."""
    places = torch.arange(outputs.shape[1], device=outputs.device)
    heard_at = places < torch.tensor(lengths, device=outputs.device)[:, None]
    missing = -outputs.shape[1] % count
    sums = nn.functional.pad(outputs * heard_at[..., None], (0, 0, 0, missing)).unflatten(1, (-1, count)).sum(2)
    counts = nn.functional.pad(heard_at, (0, missing)).unflatten(1, (-1, count)).sum(2)
    return sums / counts.clamp(min=1)[..., None]


class LayerMean(nn.Module):
    """A learned mean of the outputs of all layers, each normalised: ``Σ_l softmax(a)_l · LN(x_l)``."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(layers))

    def forward(self, outputs: Sequence[Tensor]) -> Tensor:
        """``layers × [w, n, d]`` → ``[w, n, d]``."""
        alike = torch.stack([nn.functional.layer_norm(one, one.shape[-1:]) for one in outputs])
        return torch.einsum("l,l...->...", self.scores.softmax(0).to(alike.dtype), alike)


class OneLayer(nn.Module):
    """The outputs of one layer, normalised: ``LN(x_l)``."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def forward(self, outputs: Sequence[Tensor]) -> Tensor:
        """``layers × [w, n, d]`` → ``[w, n, d]``."""
        chosen = outputs[self.number]
        return nn.functional.layer_norm(chosen, chosen.shape[-1:])


class Standardised(nn.Module):
    """Features less their mean over the sounds trained on, by their standard deviation, as linear models have them.

    The statistics run (Chan et al., 1983) and are used as they stand, in training too: a batch normalisation of a few
    sounds would tell each of them about the others. Under several processes each has those of its own sounds, and the
    first one's are saved.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))

    def forward(self, tokens: Tensor) -> Tensor:
        """``[n, d]`` → ``[n, d]``."""
        if self.training and len(tokens):
            self._count_in(tokens.detach().to(self.mean.dtype))
        return (tokens - self.mean) / (self.variance + 1e-5).sqrt()

    @torch.no_grad()
    def _count_in(self, tokens: Tensor) -> None:
        before, count = int(self.count), len(tokens)
        share, apart = count / (before + count), tokens.mean(0) - self.mean
        if before + count > 1:  # nothing is known of the spread of one sound
            earlier = (1 - share) * self.variance * (before > 1)
            within, between = share * tokens.var(0, correction=0), share * (1 - share) * apart**2
            self.variance.copy_(earlier + within + between)
        self.mean += share * apart
        self.count += count


class Projector(nn.Module):
    """Project tokens of encoder outputs by an MLP (LLaVA, Ultravox)."""

    def __init__(self, features: int, hidden: int, *, standardised: bool = False) -> None:
        super().__init__()
        self.norm = Standardised(features) if standardised else nn.LayerNorm(features)
        self.linear_1 = nn.Linear(features, hidden)
        self.linear_2 = nn.Linear(hidden, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """``[…, d]`` → ``[…, h]``."""
        return self.linear_2(nn.functional.gelu(self.linear_1(self.norm(tokens))))


def side_by_side(outputs: Tensor, count: int) -> Tensor:
    """Put every ``count`` outputs into one token, ``[w, n, d]`` → ``[w, ceil(n / count), count · d]``."""
    outputs = nn.functional.pad(outputs, (0, 0, 0, -outputs.shape[1] % count))
    return outputs.reshape(len(outputs), -1, outputs.shape[-1] * count)


def pooled(patches: Tensor, tokens: int) -> Tensor:
    """Pool the patches of each frame, ``[f, n, d]`` → ``[f, tokens, d]``, over a grid where both counts are squares."""
    side, to = math.isqrt(patches.shape[1]), math.isqrt(tokens)
    if side**2 == patches.shape[1] - 1:
        patches = patches[:, 1:]  # without the class token
    if side**2 == patches.shape[1] and to**2 == tokens:
        grid = patches.transpose(1, 2).unflatten(2, (side, side))
        return nn.functional.adaptive_avg_pool2d(grid, to).flatten(2).transpose(1, 2)
    return nn.functional.adaptive_avg_pool1d(patches.transpose(1, 2), tokens).transpose(1, 2)


class Sequences(nn.Module):
    """Tokens of frames and sounds in a sequence, each through an MLP of its modality."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        hidden = config.text_config.hidden_size
        self.tokens_per_frame = config.tokens_per_frame
        if config.vision_config is not None:
            self.vision = Projector(width(config.vision_config), hidden)
        if config.audio_config is not None:
            self.frames_per_token = config.frames_per_token
            self.averages = config.audio_pooling == "mean"
            stacked = 1 if self.averages else config.frames_per_token
            standardised = config.audio_norm == "standardised"
            self.audio = Projector(width(config.audio_config) * stacked, hidden, standardised=standardised)

    def of_frames(self, outputs: Tensor, frames: Sequence[int]) -> Tensor:
        """``[f, n, d]`` → ``[f · tokens_per_frame, h]``."""
        return self.vision(pooled(outputs, self.tokens_per_frame)).flatten(0, 1)

    def of_sounds(self, outputs: Tensor, windows: Sequence[int], lengths: Sequence[int]) -> Tensor:
        """``[w, n, d]`` → ``[tokens, h]``: those of each window's first ``lengths`` outputs; the rest is silence."""
        count = self.frames_per_token
        tokens = averaged(outputs, lengths, count) if self.averages else side_by_side(outputs, count)
        return self.audio(torch.cat([tokens[i, : -(-length // count)] for i, length in enumerate(lengths)]))


class WeightedSum(nn.Module):
    """One vector of a clip: ``Σ x_t · score(x_t)`` with a linear score and no softmax, as AffectGPT publishes it."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.score = nn.Linear(features, 1)

    def forward(self, steps: Tensor) -> Tensor:
        """``[t, d]`` → ``[d]``."""
        return (steps * self.score(steps)).sum(0)


class Query(nn.Module):
    """One vector of a clip: a learned query that attends to its steps through two transformer layers."""

    def __init__(self, features: int) -> None:
        super().__init__()
        heads = next(count for count in (8, 4, 2, 1) if features % count == 0)
        layer = nn.TransformerDecoderLayer(features, heads, 2 * features, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerDecoder(layer, 2)
        self.query = nn.Parameter(torch.randn(1, features) * features**-0.5)

    def forward(self, steps: Tensor) -> Tensor:
        """``[t, d]`` → ``[d]``."""
        return self.layers(self.query[None], (steps + _places(steps))[None])[0, 0]


def _places(steps: Tensor) -> Tensor:
    """Return sinusoidal positions ``[t, d]``."""
    place = torch.arange(len(steps), device=steps.device)[:, None]
    rate = torch.exp(torch.arange(0, steps.shape[1], 2, device=steps.device) * (-math.log(10_000.0) / steps.shape[1]))
    angles = (place * rate).to(steps.dtype)
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, : steps.shape[1]]


class Prefusion(nn.Module):
    """One token each for the pictures, the sound, and both together (AffectGPT, ICML 2025, §4).

    The token of both is a gated sum: the means over time are projected to one width, two gates are computed from
    their concatenation without softmax or activation, and the weighted sum is projected.
    """

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__()
        hidden = config.text_config.hidden_size
        step = Query if config.fusion == "qformer" else WeightedSum
        sizes = [width(one) for one in (config.vision_config, config.audio_config) if one is not None]
        if config.vision_config is not None:
            self.video, self.video_out = step(width(config.vision_config)), nn.Linear(sizes[0], hidden)
        if config.audio_config is not None:
            self.sound, self.sound_out = step(width(config.audio_config)), nn.Linear(sizes[-1], hidden)
        if len(sizes) == 2:
            wide = max(sizes)
            self.video_in, self.sound_in = nn.Linear(sizes[0], wide), nn.Linear(sizes[1], wide)
            self.linear_1, self.gates = nn.Linear(2 * wide, wide), nn.Linear(wide, 2)
            self.multi_out = nn.Linear(wide, hidden)

    def of_frames(self, outputs: Tensor, frames: Sequence[int]) -> Tensor:
        """``[f, n, d]`` → ``[clips, h]``."""
        return self.video_out(torch.stack([self.video(steps) for steps in split(outputs.mean(1), frames)]))

    def of_sounds(self, outputs: Tensor, windows: Sequence[int], lengths: Sequence[int]) -> Tensor:
        """``[w, n, d]`` → ``[sounds, h]``."""
        return self.sound_out(torch.stack([self.sound(steps) for steps in split(heard(outputs, lengths), windows)]))

    def of_both(self, video: Sequence[Tensor], sound: Sequence[Tensor]) -> Tensor:
        """Steps ``[t, d]`` of the pictures and of the sound of each clip → ``[clips, h]``."""
        sides = [
            layer(torch.stack([steps.mean(0) for steps in clips]))
            for layer, clips in ((self.video_in, video), (self.sound_in, sound))
        ]
        gates = self.gates(self.linear_1(torch.cat(sides, dim=1)))
        return self.multi_out(sides[0] * gates[:, :1] + sides[1] * gates[:, 1:])


def fusion_of(config: PreTrainedConfig) -> Sequences | Prefusion:
    """Return the fusion that a configuration names, with what it hears of the audio encoder's layers."""
    fusion = Sequences(config) if config.fusion == "projector" else Prefusion(config)
    if config.audio_config is not None and config.audio_layers == "all":
        # the outputs of every layer, and what goes into the first
        fusion.layers = LayerMean(1 + config.audio_config.num_hidden_layers)
    elif config.audio_config is not None and config.audio_layers != "last":
        fusion.layers = OneLayer(config.audio_layers)
    return fusion
