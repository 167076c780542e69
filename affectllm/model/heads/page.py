"""``head:`` of a recipe: how representations are pooled, what stands on them, and by which loss it is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Pooling = Literal["last", "mean", "first"]


@dataclass(frozen=True)
class TaughtPage:
    """Answers of a teacher, from which a head learns beside the gold ones, or in their place.

    Args:
        answers: folder of an evaluation, or a file of JSON Lines: samples of lm-eval, what ``affectllm predict --json``
            prints, or ``{"id": …, "answer": …}`` or ``{"id": …, "likelihoods": {…}}`` by the ids of samples.
        weight: α of ``α·T²·KL + (1 - α)·L``, where L is the head's loss against the gold answers.
        temperature: T, at which both distributions are compared.
    """

    answers: str
    weight: float = 0.5
    temperature: float = 1.0


@dataclass(frozen=True)
class PrototypesPage:
    """Prototypes to which the representation below the last layer is drawn.

    Args:
        path: JSON file: see ``prototypes.py``.
        weight: of the pull, beside the rest of the loss.
    """

    path: str
    weight: float = 0.1


@dataclass(frozen=True)
class HeadPage:
    """The settings of a head; what another kind of head would take is refused.

    Args:
        pooling: of the last hidden states: the ``last`` token, the ``mean`` over all, or the ``first`` (the class
            token of BERT and ViT). None for ``last`` of a language model, and ``mean`` of an encoder.
        hidden: widths of hidden layers; none for a linear head.
        dropout: before every layer.
        window: seconds that an encoder of sounds without a length of its own hears at once.
        class_weights: ``balanced`` weighs classes, and labels that hold, by how rare they are in training.
        label_smoothing: of classes.
        loss: of numbers: ``ccc`` (concordance) or ``mse``.
        correlation, contrastive: of several labels: weights of the second and third part of the hybrid loss.
        temperature: of its third part.
        margin: of a reward: by how much the better answer's should be above the worse one's.
        teacher: whose answers it learns from.
        prototypes: of classes, labels, or valence and arousal.
    """

    pooling: Pooling | None = None
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0
    window: float | None = None
    class_weights: Literal["none", "balanced"] = "none"
    label_smoothing: float = 0.0
    loss: Literal["ccc", "mse"] = "ccc"
    correlation: float = 0.3
    contrastive: float = 0.3
    temperature: float = 0.1
    margin: float = 0.0
    teacher: TaughtPage | None = None
    prototypes: PrototypesPage | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON types."""
        return {**asdict(self), "hidden": list(self.hidden)}

    @classmethod
    def from_json(cls, page: dict[str, Any]) -> HeadPage:
        """Inverse of ``to_json``."""
        kinds: dict[str, Any] = {"teacher": TaughtPage, "prototypes": PrototypesPage}
        nested = {key: kind(**page[key]) for key, kind in kinds.items() if page.get(key)}
        return cls(**{**page, "hidden": tuple(page["hidden"]), **nested})


OF_KIND: dict[str, tuple[str, ...]] = {
    "classes": ("class_weights", "label_smoothing", "teacher", "prototypes"),
    "labels": ("class_weights", "correlation", "contrastive", "temperature", "teacher", "prototypes"),
    "numbers": ("loss", "teacher", "prototypes"),
    "shares": ("teacher",),
    "reward": ("margin",),
}
"""Kind of head → the settings of its loss; the others belong to every head."""


def objection(page: HeadPage) -> tuple[str, str] | None:
    """Return the first setting with an impossible value, and what it must be; None where all are possible."""
    ranges: dict[str, tuple[float, str]] = {
        "correlation": (page.correlation, "0 or more"),
        "contrastive": (page.contrastive, "0 or more"),
        "margin": (page.margin, "0 or more"),
        "temperature": (page.temperature - 1e-6, "above 0"),
        "window": (page.window if page.window is not None else 1.0, "above 0"),
    }
    for key in ("dropout", "label_smoothing"):
        if not 0.0 <= getattr(page, key) < 1.0:
            return key, "from 0 to below 1"
    if any(width < 1 for width in page.hidden):
        return "hidden", "a list of widths of 1 or more"
    for key, (value, expected) in ranges.items():
        if not 0.0 <= value < float("inf") or (key == "window" and value <= 0):
            return key, expected
    return _of_parts(page)


def _of_parts(page: HeadPage) -> tuple[str, str] | None:
    if page.teacher is not None and not 0.0 < page.teacher.weight <= 1.0:
        return "teacher.weight", "above 0, and at most 1"
    if page.teacher is not None and not 0.0 < page.teacher.temperature < float("inf"):
        return "teacher.temperature", "above 0"
    if page.prototypes is not None and not 0.0 < page.prototypes.weight < float("inf"):
        return "prototypes.weight", "above 0"
    return None
