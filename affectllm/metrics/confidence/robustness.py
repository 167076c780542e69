"""Changes of answers to the same items under two conditions, or to several wordings of a question.

Each row is one item, so differences are paired: their interval comes from resampling items (or clusters of them) with
both of their answers.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import cluster_numbers
from affectllm.metrics.core.counts import ratio
from affectllm.metrics.core.metric import Rows, Sums, metric
from affectllm.metrics.core.value_forms import missing

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Answers = Sequence[str | None]


@metric(
    "modality_ablation_delta",
    form="label",
    range=(-1.0, 1.0),
    source="Poria et al., MELD, ACL 2019 (unimodal against multimodal); paired: Koehn, EMNLP 2004",
    better="none",
    columns=("ablated",),
)
def modality_ablation_delta(gold: list[str], predicted: list[str | None], *, ablated: Answers = ()) -> Sums:
    """What a modality is worth: accuracy with all modalities less accuracy without it, on the same items.

    Formula: ``1/N Σ (1[ŷ_i = y_i] − 1[ŷ'_i = y_i])``, ŷ' (column ``ablated``) the answers without the modality.
    Edge cases: 0 means that the modality is not used or does not help; ``details`` tell both accuracies and the share
    of items that it mends and spoils. Unreadable answers are wrong on either side.
    """
    return _delta(gold, predicted, ablated, "ablated", ())


@metric(
    "conflict_delta",
    form="label",
    range=(-1.0, 1.0),
    source="de Gelder and Vroomen, The perception of emotions by ear and by eye, Cognition and Emotion 14(3), 2000",
    better="none",
    columns=("conflicting", "distractors"),
)
def conflict_delta(
    gold: list[str], predicted: list[str | None], *, conflicting: Answers = (), distractors: Answers = ()
) -> Sums:
    """What a contradicting modality costs: accuracy on agreeing modalities less accuracy on conflicting ones.

    Formula: ``1/N Σ (1[ŷ_i = y_i] − 1[ŷ'_i = y_i])``, ŷ' (column ``conflicting``) the answers to the same items when
    another modality shows another emotion. With that emotion as column ``distractors``, ``details.followed`` is the
    share of items whose answer it becomes.
    Edge cases: as ``modality_ablation_delta``.
    """
    return _delta(gold, predicted, conflicting, "conflicting", distractors)


def _delta(gold: list[str], predicted: Answers, other: Answers, column: str, distractors: Answers) -> Sums:
    import numpy as np

    if not len(other):
        raise Malformed(f"the answers under the other condition are needed, as {column}", do=f"give {column}=…")
    there = [None if missing(answer) else str(answer).strip() for answer in other]
    full, less = (np.array([a == b for a, b in zip(gold, side, strict=True)], float) for side in (predicted, there))
    details = {
        "accuracy": float(full.mean()),
        f"accuracy_{column}": float(less.mean()),
        "mended": float(((full == 1) & (less == 0)).mean()),
        "spoilt": float(((full == 0) & (less == 1)).mean()),
        "unreadable_" + column: sum(answer is None for answer in there) / len(gold),
    }
    if len(distractors):
        followed = [not missing(a) and str(a).strip() == b for a, b in zip(distractors, there, strict=True)]
        details["followed"] = float(np.mean(followed))
    table = np.stack([np.ones(len(gold)), full, less], axis=1)
    return Sums(table, lambda sums: ratio(sums[..., 1] - sums[..., 2], sums[..., 0], np.nan), details=details)


@metric(
    "paraphrase_consistency",
    form="sequence",
    range=(0.0, 1.0),
    source="Elazar et al., Measuring and improving consistency in pretrained language models, TACL 9, 2021",
    takes="predicted",
    columns=("groups",),
)
def paraphrase_consistency(predicted: list[list[Any] | None], *, groups: Sequence[Hashable] = ()) -> Rows:
    """Share of pairs of paraphrases of one question that got the same answer; mean over questions.

    Formula: ``1/I Σ_i |{j < k: a_ij = a_ik}| / (m_i (m_i − 1)/2)``. Each row holds the answers to all paraphrases of an
    item; or a row is one paraphrase, and the column ``groups`` says of which item.
    Edge cases: an unreadable answer agrees with nothing, not even with another; items with one answer do not count
    (``coverage``); an error where none has two. Consistent answers need not be right.
    """
    import numpy as np

    belongs = cluster_numbers(groups) if len(groups) else np.arange(len(predicted))
    size = int(belongs.max()) + 1
    sizes = np.array([1 if row is None else len(row) for row in predicted])
    answers = list(chain.from_iterable([None] if row is None else row for row in predicted))
    names = [None if missing(answer) else str(answer).strip() for answer in answers]
    numbers = {name: number for number, name in enumerate(sorted(set(names) - {None}, key=str))}
    fresh = iter(range(len(numbers), len(numbers) + len(names)))  # every unreadable answer is one of its own
    codes = np.array([numbers[name] if name in numbers else next(fresh) for name in names], np.int64)
    items = np.repeat(belongs, sizes)
    cells, counts = np.unique(np.stack([items, codes]), axis=1, return_counts=True)
    pairs = np.bincount(items, minlength=size).astype(float)
    share = ratio(np.bincount(cells[0], counts * (counts - 1.0), size), pairs * (pairs - 1), np.nan)
    scored = np.isfinite(share)
    if not scored.any():
        raise Malformed("no item has two answers", do="give the answers to several paraphrases of each item")
    whole = np.bincount(belongs, minlength=size)

    def value(rows: Array) -> float:
        weights = np.where(scored, np.bincount(belongs[rows], minlength=size) / whole, 0.0)
        return float(ratio((np.nan_to_num(share) * weights).sum(), weights.sum(), np.nan))

    return Rows(value, coverage={"items": float(scored.mean())}, n=int(scored.sum()))
