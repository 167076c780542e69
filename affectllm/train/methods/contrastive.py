"""Contrastive alignment of clips, words and descriptions: an embedding model of any family.

Rows: ``messages``. Of each the views that ``trainer.pairs`` names are encoded: the question with its clips and its
answer unless the page says otherwise; see ``train/contrastive.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.train.method import FROM_0, LOSS, Bound, Curve, Looked, Method

if TYPE_CHECKING:
    from affectllm.instruct import Template

_VIEWS = ("asked", "clips", "video", "audio", "image", "text", "answer")


def _objection(trainer: Mapping[str, Any]) -> tuple[str, str] | None:
    pairs = trainer.get("pairs", [["asked", "answer"]])
    if not pairs or any(len(pair) != 2 or pair[0] == pair[1] or set(pair) - {*_VIEWS} for pair in pairs):
        return "pairs", f"a list of pairs of {', '.join(_VIEWS)}"
    if trainer.get("per_device_train_batch_size", 8) < 2:
        return "per_device_train_batch_size", "2 or more: the other rows of a batch are the negatives"
    return None


def _unfit(trainer: Mapping[str, Any], template: Template) -> str:
    """Return which view a part of the mixture never has; or that its answers are no sentiments."""
    from affectllm.model.embedding.views import NEEDS

    shown = set(template.modalities)
    for name in dict.fromkeys(name for pair in trainer.get("pairs", []) for name in pair):
        if not shown & NEEDS.get(name, shown):
            needed = " or ".join(sorted(NEEDS[name]))
            return f"trainer.pairs names the view {name}, which takes {needed}, and the part shows {', '.join(shown)}"
    kinds = {slot.space.kind for slot in template.slots}
    if trainer.get("sentiment_weight", 0.0) and not kinds <= {"category", "set", "distribution"}:
        return f"trainer.sentiment_weight compares labels, and the part is answered in a space of {', '.join(kinds)}"
    return ""


def _views(args: Any) -> Looked:
    from affectllm.model.embedding.views import view

    names = dict.fromkeys(name for pair in args.pairs for name in pair)
    return lambda row: tuple(view(row["messages"], name) for name in names)


METHOD = Method(
    title="contrastive alignment of clips, words and descriptions",
    config="affectllm.train.contrastive.ContrastiveConfig",
    trainer="affectllm.train.contrastive.ContrastiveTrainer",
    ours={"label_names": "the rows of a batch are each other's labels"},
    bounds={"scale": Bound(0, 100, above=True), "sentiment_weight": FROM_0},  # 100 is CLIP's own bound
    choices={"pooling": ("mean", "lasttoken")},
    objection=_objection,
    unfit=_unfit,
    looked=_views,
    validated=lambda templates: (),
    answers_as="affectllm-embedding",
    curves=(
        LOSS,
        Curve("accuracy", "Share of rows whose own counterpart is nearest in the batch", "share", (0.0, 1.0)),
    ),
)
