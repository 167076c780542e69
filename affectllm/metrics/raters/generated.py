"""Metrics of generated speech, faces and images, from judgements of people or of a model.

One row is one generated clip: the target (gold) and the judgement (predicted). Valence-arousal error is
``vad_error``, opinion scores with rater and item effects are ``mos``; the judges' own agreement is
``krippendorff_alpha``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from math import inf, nan
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.metrics.core.bootstrap import cluster_numbers
from affectllm.metrics.core.counts import (
    choice,
    coded,
    counted_sums,
    mean_of_items,
    per_part,
    ratio,
    share_right,
    tally,
)
from affectllm.metrics.core.metric import Rows, Sums, metric
from affectllm.metrics.core.value_forms import missing
from affectllm.metrics.numbers.dimensions import rank_correlation

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


@metric(
    "target_emotion_accuracy",
    form="label",
    range=(0.0, 1.0),
    source="Zhou et al., Emotional voice conversion: theory, databases and ESD, Speech Communication 137, 2022",
)
def target_emotion_accuracy(gold: list[str], predicted: list[str | None], *, labels: Sequence[str] = ()) -> Sums:
    """Share of generated clips in which the emotion is heard or seen that was asked for.

    Formula: ``1/N Σ 1[judged_i = target_i]``; gold is the target, predicted the judgement.
    Edge cases: a clip that could not be judged counts as a miss. Judges confuse real clips too: hold the value against
    theirs.
    """
    return _same(gold, predicted, labels)


@metric(
    "emotion_preservation",
    form="label",
    range=(0.0, 1.0),
    source="Zhou et al., Emotional voice conversion: theory, databases and ESD, Speech Communication 137, 2022",
)
def emotion_preservation(gold: list[str], predicted: list[str | None], *, labels: Sequence[str] = ()) -> Sums:
    """Share of clips judged to show the same emotion after a change (of voice, language, codec) as before it; paired.

    Formula: ``1/N Σ 1[judged after_i = judged before_i]``; gold is the judgement before, predicted the one after.
    Edge cases: a clip that could not be judged afterwards counts as changed. A judge who disagrees with himself lowers
    it: hold it against two judgements of unchanged clips.
    """
    return _same(gold, predicted, labels)


def _same(gold: list[str], predicted: list[str | None], labels: Sequence[str]) -> Sums:
    codes = coded(gold, predicted, labels)
    return counted_sums(codes.labels, tally(codes), share_right)


@metric(
    "intensity_monotonicity",
    form="number",
    range=(-1.0, 1.0),
    source="Zhou et al., Emotion intensity and its control for emotional voice conversion, IEEE Trans. on Affective "
    "Computing 14(1), 2023; Kendall, Biometrika 30, 1938",
    columns=("speakers",),
)
def intensity_monotonicity(
    gold: list[float], predicted: list[float], *, speakers: Sequence[Hashable] = (), method: str = "spearman"
) -> Rows:
    """Whether what was meant to be more intense is judged so: rank correlation per speaker, then the mean.

    Formula: ``1/S Σ_s ρ_s`` with Spearman's ρ, or Kendall's τ-b (``method="kendall"``), of intended and judged
    intensity.
    Edge cases: speakers with one intended intensity only do not count (``coverage``); constant judgements give 0.
    """
    import numpy as np

    choice(method, ("spearman", "kendall"), "method")
    truth, judged = np.array(gold, float), np.array(predicted, float)
    names = list(dict.fromkeys(speakers)) if len(speakers) else ["all"]
    parts = cluster_numbers(speakers) if len(speakers) else np.zeros(len(truth), np.int64)
    value = (rank_correlation if method == "spearman" else _kendall)(truth, judged, parts)
    rows = [np.flatnonzero(parts == number) for number in range(len(names))]
    scored = [number for number, each in enumerate(rows) if truth[each].min() < truth[each].max()]
    if not scored:
        raise Malformed("no speaker has two intended intensities", do="give clips of several intensities per speaker")
    per_speaker = {
        "correlation": np.array([value(rows[i]) for i in scored]),
        "n": np.array([len(rows[i]) for i in scored]),
    }
    return Rows(
        value,
        per_class=lambda: per_part([str(names[i]) for i in scored], **per_speaker),
        coverage={"speakers": float(len(names)), "speakers_scored": float(len(scored))},
        n=int(per_speaker["n"].sum()),
    )


def _kendall(truth: Array, judged: Array, parts: Array) -> Any:
    import numpy as np
    from scipy.stats import kendalltau

    sizes = np.bincount(parts)

    def value(rows: Array) -> float:
        total = weights = 0.0
        for number in np.unique(parts[rows]):
            part = rows[parts[rows] == number]
            if truth[part].min() < truth[part].max():
                weight = len(part) / sizes[number]
                flat = judged[part].min() == judged[part].max()
                total += 0.0 if flat else weight * float(kendalltau(truth[part], judged[part]).statistic)
                weights += weight
        return total / weights if weights else nan

    return value


@metric(
    "temporal_consistency",
    form="sequence",
    range=(0.0, 1.0),
    source="defined here; the steps of a state sequence as in Abbott, Annual Review of Sociology 21, 1995",
    takes="predicted",
)
def temporal_consistency(predicted: list[list[Any] | None]) -> Sums:
    """Share of adjacent windows of a clip that are judged to show the same emotion; mean over clips.

    Formula: ``1/N Σ_i 1/(T_i − 1) Σ_t 1[label_t = label_{t+1}]``.
    Edge cases: a window that could not be judged equals no other; clips of one window do not count (``coverage``), and
    a clip that could not be judged at all has 0. 1 says that nothing changes, not that it is right: for numbers see
    ``mean_temporal_step``.
    """
    import numpy as np

    if any(isinstance(window, float) and not missing(window) for row in predicted for window in row or ()):
        raise Malformed("windows hold numbers, which are rarely equal", do="use mean_temporal_step")
    shares, counted = [], []
    for row in predicted:
        names = [None if missing(window) else str(window).strip() for window in row or ()]
        same = [a is not None and a == b for a, b in pairwise(names)]
        shares.append(sum(same) / max(len(same), 1))
        counted.append(row is None or len(row) > 1)
    return _over_clips(np.array(shares), np.array(counted))


@metric(
    "mean_temporal_step",
    form="sequence",
    range=(0.0, inf),
    source="Jahng, Wood, Trull, Analysis of affective instability in ecological momentary assessment, Psychological "
    "Methods 13(4), 2008, with absolute instead of squared steps",
    better="lower",
    takes="predicted",
)
def mean_temporal_step(predicted: list[list[Any] | None]) -> Sums:
    """Mean absolute step between adjacent windows of a clip, in units of the judged dimension; mean over clips.

    Formula: ``1/N Σ_i 1/(T_i − 1) Σ_t |x_{t+1} − x_t|``.
    Edge cases: clips of one window, and clips that could not be judged, do not count (``coverage``); a window without
    a finite number is an error.
    """
    import numpy as np

    steps, counted = [], []
    for number, row in enumerate(predicted, 1):
        values = np.array([_finite(window, number) for window in row or ()])
        counted.append(len(values) > 1)
        steps.append(float(abs(np.diff(values)).mean()) if len(values) > 1 else 0.0)
    return _over_clips(np.array(steps), np.array(counted))


def _finite(window: Any, clip: int) -> float:
    if isinstance(window, (int, float)) and not isinstance(window, bool) and abs(window) < inf:
        return float(window)
    raise Malformed(f"clip {clip} has the window {window!r}", do="give finite numbers, or use temporal_consistency")


def _over_clips(values: Array, counted: Array) -> Sums:
    if not counted.any():
        raise Malformed("no clip has two windows", do="give clips of two windows or more")
    return mean_of_items(values, counted, coverage={"clips": float(ratio(counted.sum(), len(counted)))})
