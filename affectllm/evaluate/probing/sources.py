"""What gives representations: a model that reads conversations, or a plain encoder of sounds, pictures or words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError
from affectllm.evaluate.models.features import Describer, described
from affectllm.evaluate.models.options import budget_of, device_of
from affectllm.evaluate.models.parallel import Processes
from affectllm.evaluate.models.requests import content_digest
from affectllm.evaluate.probing.entries import Entry
from affectllm.instruct.conversation import Messages, media_parts
from affectllm.model.cache import MediaCache
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.layer_states import CONTINUATION, layer_states
from affectllm.model.length import BoundedEncoder
from affectllm.model.length import budget_of as budget_of_tokens
from affectllm.model.load import fingerprint, has_family, load_model
from affectllm.model.pooled import PooledEncoder
from affectllm.respond.batch_size import AUTO, BatchSize
from affectllm.respond.batches import Batches
from affectllm.run import digest, versions

NOT_FINITE = "not_finite"
_SHARD = 16  # items of an encoder that are stored together


@dataclass(frozen=True)
class Settings:
    """How representations are made.

    Args:
        model: Hub id, folder or ``tiny:<family>``, of a family of ours or any encoder that the Auto classes load.
        pool: ``last`` token, or ``mean`` over all; None for the usual one: the last token of a model that reads
            conversations, the mean of an encoder.
        after: numbers of tokens later at which states are taken too; of models that read conversations alone.
        adapter, processor, dtype, device, batch_size: as ``load_model`` and ``affectllm eval`` take them.
        budget: changes to the media budget.
    """

    model: str
    pool: str | None = None
    after: tuple[int, ...] = ()
    adapter: str | None = None
    processor: str | None = None
    dtype: str = "auto"
    device: str | None = None
    batch_size: int | str = AUTO
    budget: Mapping[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """Gives the representations of items.

    Attributes:
        identity: what distinguishes its representations from others, beside the items.
        pool: how they are pooled.
    """

    identity: dict[str, Any]
    pool: str

    def key(self, entry: Entry) -> str:
        """Return the digest of what decides the representation of an item, beside ``identity``."""

    def states(self, entries: Sequence[Entry]) -> Iterator[tuple[list[Entry], list[np.ndarray | str]]]:
        """Yield items with their representations ``[positions, layers, width]``, or why one has none."""


def source_of(settings: Settings) -> Source:
    """Load a model of one of our families, or else an encoder.

    Raises:
        NotFound, WrongCheckpoint: when it cannot be loaded.
        AffectError: for settings that an encoder does not have.
    """
    return OfFamily(settings) if has_family(settings.model) else OfEncoder(settings)


class OfFamily:
    """The hidden states of a model that reads the task's own conversations, question and all."""

    def __init__(self, settings: Settings) -> None:
        device = device_of(settings.device, Processes())
        options: dict[str, Any] = {"adapter": settings.adapter, "processor": settings.processor}
        self._loaded = load_model(settings.model, dtype=settings.dtype, device=str(device), **options)
        self._loaded.model.eval()
        loaded, budget = self._loaded, budget_of(settings.budget)
        self._encoder = Encoder(loaded.processor, loaded.family, loaded.model.config, budget, {}, MediaCache())
        bounded = BoundedEncoder(self._encoder, budget_of_tokens(loaded))
        self._batches = Batches(bounded, BatchSize(settings.batch_size, on_cpu=device.type == "cpu"))
        self.pool, self._after = settings.pool or "last", settings.after
        installed = versions()
        self.identity: dict[str, Any] = {
            "fingerprint": loaded.fingerprint,
            "dtype": str(next(loaded.model.parameters()).dtype),
            "pool": self.pool,
            "after": [list(self._after), CONTINUATION if self._after else ""],
            "budget": budget.to_json(),
            "versions": {name: installed[name] for name in ("torch", "transformers")},
        }

    def key(self, entry: Entry) -> str:
        """As ``Source.key``."""
        messages = entry.document["messages"]
        return digest({"messages": messages, "media": _media(self._encoder.roots, media_parts(messages))})

    def states(self, entries: Sequence[Entry]) -> Iterator[tuple[list[Entry], list[np.ndarray | str]]]:
        """As ``Source.states``; in batches of like length."""
        for batch, values in self._batches.answered(entries, _messages, self._represent):
            yield batch, [values.reason] if isinstance(values, MediaError) else list(values)

    def _represent(self, _: Sequence[Entry], prompts: list[Encoded]) -> list[np.ndarray | str]:
        states = layer_states(self._loaded, self._encoder, prompts, self.pool, self._after).numpy()
        return [one if np.isfinite(one).all() else NOT_FINITE for one in states]


class OfEncoder:
    """The outputs of a frozen encoder of sounds, pictures or words, which reads no question."""

    def __init__(self, settings: Settings) -> None:
        _refuse_for_encoder(settings)
        self._encoder = PooledEncoder(settings.model)
        self.pool = settings.pool or "mean"
        installed = versions()
        self.identity: dict[str, Any] = {
            "fingerprint": fingerprint(settings.model, None),
            "kind": self._encoder.kind,
            "pool": self.pool,
            "versions": {name: installed[name] for name in ("torch", "transformers")},
        }
        self._layers = 0
        kind = self._encoder.kind
        self._describer = Describer(
            sound=self._flat if kind == "audio" else None, frames=self._flat if kind == "vision" else None
        )
        self._roots: dict[str, Path] = {}

    def key(self, entry: Entry) -> str:
        """As ``Source.key``."""
        return digest({**asdict(entry.shown), "media": _media(self._roots, entry.shown.clips)})

    def states(self, entries: Sequence[Entry]) -> Iterator[tuple[list[Entry], list[np.ndarray | str]]]:
        """As ``Source.states``; one item at a time, and some handed over together."""
        for begin in range(0, len(entries), _SHARD):
            part = list(entries[begin : begin + _SHARD])
            yield part, [self._represent(entry) for entry in part]

    def _represent(self, entry: Entry) -> np.ndarray | str:
        if self._encoder.kind == "text":
            words = f"{entry.shown.before}\n{entry.shown.words}".strip()
            return self._finite(self._flat(words)) if words else "no_text"
        if not entry.shown.clips:
            return f"no_{self._encoder.kind}"
        parts = [described(part, _root(self._roots, part["corpus"]), self._describer) for part in entry.shown.clips]
        used = [part for part in parts if len(part)]
        return self._finite(np.mean(used, axis=0)) if used else f"no_{self._encoder.kind}"

    def _finite(self, flat: np.ndarray) -> np.ndarray | str:
        return flat.reshape(1, self._layers, -1) if np.isfinite(flat).all() else NOT_FINITE

    def _flat(self, given: Any) -> np.ndarray:
        states = self._encoder.layers(given, self.pool)
        self._layers = len(states)
        return states.ravel()


def _refuse_for_encoder(settings: Settings) -> None:
    wrong = {"after": settings.after, "adapter": settings.adapter, "processor": settings.processor}
    if given := next((name for name, value in wrong.items() if value), None):
        message = f"{settings.model} is an encoder, which continues no text and takes no {given}"
        raise AffectError(message, do=f"leave out --{given}")


def _messages(entry: Entry) -> Messages:
    messages: Messages = entry.document["messages"]
    return messages


def _media(roots: dict[str, Path], parts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [content_digest(_root(roots, part["corpus"]) / part["path"]) for part in parts]


def _root(roots: dict[str, Path], corpus: str) -> Path:
    if corpus not in roots:
        roots[corpus] = Path(Roots.parse().find(corpus))
    return roots[corpus]
