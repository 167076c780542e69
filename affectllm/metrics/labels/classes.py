"""Metrics of one label per item: accuracy and the means of recall, precision and F1 over labels.

An unreadable answer (None) is never correct and is no class of its own. A label that occurs in answers only is wrong
wherever it occurs; means over classes run over the labels that occur in gold, so that a label that a test set does not
have neither helps nor hurts.

Published under these names: WAR and UAR of DFEW, MAFW and RAVDESS (definitions 19 to 21 of the reference; the RAVDESS
names come from ``labels.maps``), weighted F1 of MELD and the MER challenges (16, 30), the four weighted values of
EmoBench-M and Emotion-LLaMA (18, 45), accuracy and macro F1 of text emotion (29), accuracy of probes (46).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import (
    Coded,
    class_rows,
    coded,
    counted_sums,
    f1,
    mean_over,
    over_labels,
    pooled_f1,
    ratio,
    share_right,
    tally,
    weighted,
)
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Labels = Sequence[str]
Answers = Sequence[str | None]
_DROPPED = {"emobench_m": "items whose answer is empty or no label are left out, so abstaining raises the score"}
_SKLEARN = "Pedregosa et al., Scikit-learn: Machine Learning in Python, JMLR 12, 2011"


@metric(
    "accuracy",
    hub="accuracy",
    form="label",
    range=(0.0, 1.0),
    source="Jiang et al., DFEW, ACM Multimedia 2020 (as WAR); HumanMLLM/R1-Omni, humanomni/eval/eval_mafw_dfew.py",
    compat=_DROPPED,
)
def accuracy(gold: list[str], predicted: list[str | None], *, labels: Labels = (), compat: str | None = None) -> Sums:
    """Share of correct answers; papers on DFEW, MAFW and RAVDESS call it WAR, weighted average recall.

    Formula: ``Σ_c tp_c / N``, which is ``Σ_c n_c/N · recall_c``.
    Edge cases: an unreadable answer is wrong; a label outside ``labels`` is an error. ``details.war`` is the same.
    """
    result = _scored(gold, predicted, labels, compat, share_right)
    return _with_details(result, war=result.value())


@metric(
    "uar",
    hub="recall",
    form="label",
    range=(0.0, 1.0),
    source="Schuller, Steidl, Batliner, The INTERSPEECH 2009 Emotion Challenge",
    compat={
        "emoclip": "labels without support (else those answered) are classes with recall 0 (NickyFot/EmoCLIP)",
        "emotion_qwen": "answered labels without support, and unreadable, are classes with recall 0 (Emotion-Qwen)",
    },
)
def uar(gold: list[str], predicted: list[str | None], *, labels: Labels = (), compat: str | None = None) -> Sums:
    """Unweighted average recall: the mean of recall over the classes that occur in gold.

    Formula: ``1/|C| Σ_c tp_c / n_c``, C the labels that occur in gold.
    Edge cases: unreadable and foreign answers are wrong and no class of the mean. The published evaluators named under
    compat divide by more classes: emoclip by all ``labels`` (where none are given, by those of gold and answers, the
    rows of scikit-learn's matrix), emotion_qwen by those of gold and answers, "unreadable" being one of the latter.
    """

    def value(hits: Array, support: Array, claimed: Array) -> Array:
        recall = ratio(hits, support)
        if compat is None:
            return mean_over(recall, support > 0)
        if compat == "emoclip" and labels:
            return recall.mean(-1)
        classes = (support + claimed > 0).sum(-1)
        unread = support.sum(-1) > claimed.sum(-1) if compat == "emotion_qwen" else 0
        return ratio(recall.sum(-1), classes + unread, nan)

    return _scored(gold, predicted, labels, None, value)


@metric(
    "balanced_accuracy",
    form="label",
    range=(-1.0, 1.0),
    source="Brodersen et al., The balanced accuracy and its posterior distribution, ICPR 2010",
)
def balanced_accuracy(
    gold: list[str], predicted: list[str | None], *, labels: Labels = (), adjusted: bool = False
) -> Sums:
    """Balanced accuracy: the same number as UAR unless ``adjusted``, which sets chance to 0.

    Formula: ``b = 1/|C| Σ_c tp_c / n_c``; adjusted ``(b − 1/|C|) / (1 − 1/|C|)``, within −1/(|C|−1) and 1.
    Both names exist because both are in use: speech work says UAR, machine learning says balanced accuracy, and only
    the latter knows the adjusted form.
    Edge cases: as UAR; adjusted is undefined, and an error, where gold holds one class only.
    """

    def value(hits: Array, support: Array, _: Array) -> Array:
        mean = mean_over(ratio(hits, support), support > 0)
        chance = ratio(1.0, (support > 0).sum(-1), nan)
        return ratio(mean - chance, 1 - chance, nan) if adjusted else mean

    if adjusted and len(set(gold)) < 2:
        raise Malformed("gold holds one class only, so chance is already 1", do="leave out adjusted")
    return _scored(gold, predicted, labels, None, value)


@metric(
    "macro_f1",
    hub="f1",
    form="label",
    range=(0.0, 1.0),
    source="Yang and Liu, A re-examination of text categorization methods, SIGIR 1999",
    compat={
        "mmaffben": "mean over all labels; one that occurs on neither side has F1 = 1 (lzw108/MMAFFBen, one-hot sets)",
        "mmaffben_sentiment": "unreadable answers and foreign labels are further classes with F1 = 0 (lzw108/MMAFFBen)",
    },
    sets="multilabel_macro_f1",
)
def macro_f1(
    gold: list[str],
    predicted: list[str | None],
    *,
    labels: Labels = (),
    score_labels: Labels = (),
    compat: str | None = None,
) -> Sums:
    """Mean of F1 over the classes that occur in gold (present-only macro F1).

    Formula: ``1/|C| Σ_c 2·tp_c / (2·tp_c + fp_c + fn_c)``, C the labels that occur in gold, of ``score_labels`` if
    these are given.
    Edge cases: a class that is never found has F1 = 0; a label that gold does not have neither helps nor hurts, though
    answering it is still wrong. Sets of labels are scored by ``multilabel_macro_f1``.
    """

    def value(hits: Array, support: Array, claimed: Array) -> Array:
        if compat == "mmaffben":
            return f1(hits, support, claimed, empty=1.0).mean(-1)
        each = f1(hits, support, claimed)
        if compat is None:
            return mean_over(each, support > 0)
        classes = (support + claimed > 0).sum(-1) + (support.sum(-1) > claimed.sum(-1))
        return ratio(each.sum(-1), classes, nan)

    return _scored(gold, predicted, labels, None, value, score_labels)


@metric("micro_f1", hub="f1", form="label", range=(0.0, 1.0), source=_SKLEARN, sets="multilabel_micro_f1")
def micro_f1(gold: list[str], predicted: list[str | None], *, labels: Labels = (), score_labels: Labels = ()) -> Sums:
    """F1 of all answers together: accuracy where every answer is readable, a little more where some are not.

    Formula: ``2·Σtp / (2·Σtp + Σfp + Σfn)``, summed over ``score_labels`` where these are given: DailyDialog's without
    neutral, EmoContext's without others (Chatterjee et al., SemEval-2019 Task 3). A label that is left out is then no
    hit, but answering it where another is gold misses that one, and answering another where it is gold is a false
    positive. An unreadable answer misses a label but claims none.
    Edge cases: 0 where no answer is readable. Sets of labels are scored by ``multilabel_micro_f1``.
    """

    def value(hits: Array, support: Array, claimed: Array) -> Array:
        return pooled_f1(hits, support, claimed, nan)

    return _scored(gold, predicted, labels, None, value, score_labels)


@metric(
    "weighted_f1",
    hub="f1",
    form="label",
    range=(0.0, 1.0),
    source="Poria et al., MELD, ACL 2019; Lian et al., MER 2023, ACM Multimedia 2023",
    compat=_DROPPED,
)
def weighted_f1(
    gold: list[str],
    predicted: list[str | None],
    *,
    labels: Labels = (),
    score_labels: Labels = (),
    compat: str | None = None,
) -> Sums:
    """Mean of F1 over labels, weighted by how often each is gold: the headline of MELD and of the MER challenges.

    Formula: ``Σ_c n_c/N · F1_c``, summed over ``score_labels`` where these are given.
    Edge cases: a label without support has no weight; an unreadable answer misses its label.
    """
    return _scored(gold, predicted, labels, compat, weighted(f1), score_labels)


@metric("weighted_precision", form="label", range=(0.0, 1.0), source=_SKLEARN, compat=_DROPPED)
def weighted_precision(
    gold: list[str], predicted: list[str | None], *, labels: Labels = (), compat: str | None = None
) -> Sums:
    """Mean of precision over labels, weighted by how often each is gold.

    Formula: ``Σ_c n_c/N · tp_c / (tp_c + fp_c)``.
    Edge cases: a label that is never answered has precision 0.
    """
    return _scored(gold, predicted, labels, compat, weighted(lambda tp, _, claimed: ratio(tp, claimed)))


@metric("weighted_recall", form="label", range=(0.0, 1.0), source=_SKLEARN, compat=_DROPPED)
def weighted_recall(
    gold: list[str], predicted: list[str | None], *, labels: Labels = (), compat: str | None = None
) -> Sums:
    """Mean of recall over labels, weighted by how often each is gold; this is accuracy under another name.

    Formula: ``Σ_c n_c/N · tp_c / n_c``.
    Edge cases: as accuracy.
    """
    return _scored(gold, predicted, labels, compat, weighted(lambda tp, support, _: ratio(tp, support)))


@metric("macro_precision", form="label", range=(0.0, 1.0), source=_SKLEARN)
def macro_precision(gold: list[str], predicted: list[str | None], *, labels: Labels = ()) -> Sums:
    """Mean of precision over the classes that occur in gold.

    Formula: ``1/|C| Σ_c tp_c / (tp_c + fp_c)``, C the labels that occur in gold.
    Edge cases: a class that is never answered has precision 0.
    """
    return _scored(
        gold, predicted, labels, None, lambda tp, support, claimed: mean_over(ratio(tp, claimed), support > 0)
    )


@metric("macro_recall", form="label", range=(0.0, 1.0), source=_SKLEARN)
def macro_recall(gold: list[str], predicted: list[str | None], *, labels: Labels = ()) -> Sums:
    """Mean of recall over the classes that occur in gold: UAR, under the name that goes with ``macro_precision``.

    Formula: ``1/|C| Σ_c tp_c / n_c``.
    Edge cases: as UAR.
    """
    return _scored(gold, predicted, labels, None, lambda tp, support, _: mean_over(ratio(tp, support), support > 0))


def per_class(gold: Labels, predicted: Answers, labels: Labels) -> dict[str, dict[str, float]]:
    """Return ``{label: {precision, recall, f1, support}}`` for every label of ``labels``; 0 where a ratio is 0/0."""
    return class_rows(labels, tally(coded(gold, predicted, labels)).sum(0, dtype=float))


def confusion(gold: Labels, predicted: Answers, labels: Labels) -> list[list[int]]:
    """Count gold (rows) by predicted labels (columns), in the order of ``labels``; the last column is the unreadable.

    Raises:
        Malformed: when ``gold`` or ``predicted`` holds a label that is not in ``labels``.
    """
    import numpy as np

    codes, width = coded(gold, predicted, labels), len(labels) + 1
    cells = np.bincount(codes.truth * width + codes.answers, minlength=len(labels) * width)
    rows: list[list[int]] = cells.reshape(len(labels), width).tolist()
    return rows


def _scored(
    gold: Labels, predicted: Answers, labels: Labels, compat: str | None, value: Any, score_labels: Labels = ()
) -> Sums:
    codes: Coded = coded(gold, predicted, labels, drop=compat == "emobench_m")
    value = over_labels(value, codes.labels, score_labels) if score_labels else value
    result = counted_sums(codes.labels, tally(codes), value)
    if compat == "emobench_m":
        result.n = int(codes.counted.sum())
        result.coverage = {**result.coverage, "dropped": 1 - result.n / len(gold)}
    return result


def _with_details(sums: Sums, **details: float) -> Sums:
    sums.details = {**sums.details, **details}
    return sums
