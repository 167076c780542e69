"""Direct preference optimisation (Rafailov et al., NeurIPS 2023): a better answer is made likelier than a worse one.

Rows: ``messages``, whose last answer is the better one, and ``rejected``, the text of the worse one in its place. Both
are weighed against the model as it was: with an adapter that is the model without it, otherwise a second copy. Clips
are prepared once and encoded for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.instruct.conversation import Conversation
from affectllm.train.method import ABOVE_0, FROM_0, LOSS, SHARE, Bound, Curve, Method, Ready

if TYPE_CHECKING:
    from torch import Tensor

    from affectllm.model.encode import Messages

IGNORED = -100
SAME_REFERENCE = "a run that was cut off must find the same reference again, which is the model as it was"
_LOSSES = frozenset(
    {
        *("sigmoid", "sigmoid_norm", "hinge", "ipo", "robust", "exo_pair", "nca_pair", "bco_pair", "sppo_hard"),
        *("aot", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft"),
    }
)
_DIVERGENCES = ("reverse_kl", "forward_kl", "js_divergence", "alpha_divergence")


def pair(row: Mapping[str, Any]) -> tuple[Messages, ...]:
    """Return the conversation with the chosen answer, and with the rejected one."""
    conversation = Conversation.from_row(row)
    return conversation.answered(), conversation.answered_worse()


def completions(batch: dict[str, Any]) -> dict[str, Any]:
    """Replace the labels by a mask of the last answers: earlier answers are the same in both conversations."""
    labels: Tensor = batch.pop("labels")
    answered = (labels != IGNORED).int()
    begins = answered.diff(dim=1, prepend=answered.new_zeros(len(answered), 1)) == 1
    number = begins.int().cumsum(dim=1)  # of the answer that a position belongs to or follows
    batch["completion_mask"] = answered * (number == number[:, -1:]).int()
    return batch


def _objection(trainer: Mapping[str, Any]) -> tuple[str, str] | None:
    losses = trainer.get("loss_type", "sigmoid")
    losses = [losses] if isinstance(losses, str) else losses
    if not losses or not _LOSSES.issuperset(losses):
        return "loss_type", f"one or several of {', '.join(sorted(_LOSSES))}"
    weights = trainer.get("loss_weights")
    if weights is not None and len(weights) != len(losses):
        return "loss_weights", "a list with a weight for every loss_type"
    if weights is not None and not any(weights):
        return "loss_weights", "above 0 for one loss_type at least"
    if "exo_pair" in losses and not trainer.get("label_smoothing"):
        return "loss_type", "with exo_pair also label_smoothing above 0, for example 1.0e-3"
    return None


def reference(ready: Ready) -> Mapping[str, Any]:
    if ready.adapted:
        return {}
    # TRL's own copy would be loaded by the class that the checkpoint names, which may be a larger model around ours.
    network = ready.again().model
    base = getattr(network, "get_base_model", lambda: network)()  # layers of an adapter stay in it
    return {"ref_model": base.requires_grad_(False).eval()}


class RowsAsTheyAre:
    """Trainer mixin that passes rows to our collator unchanged."""

    def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
        return dataset


METHOD = Method(
    title="direct preference optimisation: a better answer against a worse one",
    config="trl.DPOConfig",
    trainer="trl.DPOTrainer",
    conversations=pair,
    needs="rejected",
    how="write rejected: other_label, or rejected: not_preferred for a corpus of preferences",
    ours={
        "padding_free": "an answer and a worse one are compared row by row",
        "truncation_mode": "media are never truncated; bound clips with model.budget",
        "precompute_ref_log_probs": "the reference answers each batch beside the model",
        "precompute_ref_batch_size": "the reference answers each batch beside the model",
        **dict.fromkeys(("sync_ref_model", "ref_model_mixup_alpha", "ref_model_sync_steps"), SAME_REFERENCE),
    },
    bounds={
        **{"beta": ABOVE_0, "discopop_tau": ABOVE_0, "ld_alpha": SHARE, "loss_weights": FROM_0},
        "label_smoothing": Bound(0, 0.5, below=True),  # from one half on, the rejected answer would be the better one
    },
    choices={"f_divergence_type": _DIVERGENCES},
    objection=_objection,
    batch=completions,
    overrides=RowsAsTheyAre,
    extra=reference,
    curves=(
        LOSS,
        Curve("rewards/margins", "Reward of the better answer above the rejected one", "reward margin"),
        Curve("rewards/accuracies", "Share of pairs whose better answer has the higher reward", "share", (0.0, 1.0)),
    ),
)
