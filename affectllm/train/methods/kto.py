"""Kahneman-Tversky optimisation (Ethayarajh et al., ICML 2024): good answers gain and bad ones lose, each by itself.

Rows as for ``dpo``: the answer is a good one, ``rejected`` a bad one; they need not be compared, so both stand in the
batch as rows of their own. How far the model has moved is estimated on answers that belong to other prompts, which are
those of the batch moved on by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from affectllm.train.method import ABOVE_0, FROM_0, LOSS, Curve, Method
from affectllm.train.methods.dpo import SAME_REFERENCE, RowsAsTheyAre, completions, pair, reference

if TYPE_CHECKING:
    from torch import Tensor

_KINDS = ("mm_token_type_ids", "token_type_ids")  # of tokens, where a family has them


def _objection(trainer: Mapping[str, Any]) -> tuple[str, str] | None:
    if trainer.get("per_device_train_batch_size", 2) < 2:
        return "per_device_train_batch_size", "2 or more: answers of other prompts are taken from the batch"
    return None


def _unpaired(batch: dict[str, Any]) -> dict[str, Any]:
    """Mark the answers and say which are good; add the prompts with answers that belong to others, as ``KL_…``."""
    import torch

    batch = completions(batch)
    answered: Tensor = batch["completion_mask"].bool()
    batch["label"] = torch.arange(len(answered)) < len(answered) // 2  # the collator puts the good ones first
    starts = answered.int().argmax(dim=1)
    others = [row[mask] for row, mask in zip(batch["input_ids"], answered, strict=True)]
    others = [others[-1], *others[:-1]]
    ends = [int(start) + len(other) for start, other in zip(starts, others, strict=True)]
    _widen(batch, max(ends))
    for name in ("input_ids", "attention_mask", "completion_mask", *_KINDS):
        if name in batch:
            batch[f"KL_{name}"] = batch[name].clone()
    for row, (start, other, end) in enumerate(zip(starts.tolist(), others, ends, strict=True)):
        batch["KL_input_ids"][row, start:] = 0
        batch["KL_input_ids"][row, start:end] = other
        for name in ("attention_mask", "completion_mask"):
            batch[f"KL_{name}"][row, start:] = 0
            batch[f"KL_{name}"][row, start:end] = 1
        for name in _KINDS:
            if name in batch:
                batch[f"KL_{name}"][row, start:] = 0
    return batch


def _widen(batch: dict[str, Any], width: int) -> None:
    """Pad to at least ``width`` on the right; positions go on, since another answer may be longer than a row's own."""
    import torch

    length = batch["attention_mask"].sum(dim=1)
    more = max(width - batch["input_ids"].shape[1], 0)
    for name in ("input_ids", "attention_mask", "completion_mask", *_KINDS):
        if name in batch:
            batch[name] = torch.nn.functional.pad(batch[name], (0, more))
    if "position_ids" in batch:
        positions = torch.nn.functional.pad(batch["position_ids"], (0, more))
        for row, last in enumerate((length - 1).tolist()):
            tail = positions.shape[-1] - last
            positions[:, row, last:] = positions[:, row, last, None] + torch.arange(tail)
        batch["position_ids"] = positions


class Accompanied(RowsAsTheyAre):
    """Trainer mixin by which no row is alone in the last batch, where it would have no other prompt's answers.

    The first row is then read again, as several processes do to fill up their last batch.
    """

    def _get_train_sampler(self, *args: Any, **options: Any) -> Any:
        sampler: Any = super()._get_train_sampler(*args, **options)  # type: ignore[misc]
        return self._accompanied(sampler, self.args.train_batch_size)  # type: ignore[attr-defined]

    def _get_eval_sampler(self, *args: Any, **options: Any) -> Any:
        sampler: Any = super()._get_eval_sampler(*args, **options)  # type: ignore[misc]
        return self._accompanied(sampler, self.args.eval_batch_size)  # type: ignore[attr-defined]

    def _accompanied(self, sampler: Any, size: int) -> Any:
        if sampler is None or self.args.world_size > 1 or len(sampler) % size != 1:  # type: ignore[attr-defined]
            return sampler
        return [*sampler, next(iter(sampler))]  # the order is fixed


METHOD = Method(
    title="Kahneman-Tversky optimisation: good answers and bad ones, each by itself",
    config="trl.KTOConfig",
    trainer="trl.KTOTrainer",
    conversations=pair,
    needs="rejected",
    how="write rejected: other_label, or rejected: not_preferred for a corpus of preferences",
    ours={
        **dict.fromkeys(("precompute_ref_log_probs", "precompute_ref_batch_size"), "the reference answers each batch"),
        **dict.fromkeys(("sync_ref_model", "ref_model_mixup_alpha", "ref_model_sync_steps"), SAME_REFERENCE),
        "train_sampling_strategy": "the library wants a fixed order; the mixture's order is one",
    },
    fixed={"train_sampling_strategy": "sequential"},
    bounds={"beta": ABOVE_0, "desirable_weight": FROM_0, "undesirable_weight": FROM_0},
    objection=_objection,
    batch=_unpaired,
    overrides=Accompanied,
    extra=reference,
    curves=(
        LOSS,
        Curve("rewards/margins", "Reward of good answers above that of bad ones", "reward margin"),
    ),
)
