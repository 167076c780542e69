"""The mean over the nine sets of MER-UniBench for one checkpoint, not for the best one of each set."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from affectllm.errors import Malformed
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric

Rows = Mapping[tuple[Hashable, Hashable], int]
SETS = 9


@metric(
    "mer_unibench_mean",
    form="number",
    range=(0.0, 1.0),
    source="Lian et al., AffectGPT (MER-UniBench), evaluation-scoreonly.py, main_zeroshot_scores",
    takes="gold",
    columns=("sets", "checkpoints", "validation"),
    compat={"affectgpt": "of each set the checkpoint that is best on its test data is taken"},
)
def mer_unibench_mean(
    gold: list[float],
    *,
    sets: Sequence[Hashable] | None = None,
    checkpoints: Sequence[Hashable] | None = None,
    validation: Sequence[Any] | None = None,
    n_sets: int = SETS,
    compat: str | None = None,
) -> Sums:
    """Arithmetic mean of the headline scores of the nine sets, all of one checkpoint.

    Formula: ``1/9 Σ_s score_s``: four hit rates, four weighted F1 of sentiment, one wheel F.
    Args: one row for each set and checkpoint, with the score as the gold value. Where several checkpoints are given,
    ``validation`` holds each row's score on held-out data, and the checkpoint with the best mean of these is taken.
    ``n_sets`` is how many sets there must be.
    Edge cases: several checkpoints without validation scores are an error, since choosing on test data is what makes
    published means too high; ``details.best_on_test`` shows what it would give. A checkpoint that lacks a set is not
    considered. The interval resamples rows, as if the sets were drawn.
    """
    if sets is None:
        raise Malformed("the names of the sets are missing", do="give sets=…, one name for each score")
    rows = _rows(sets, checkpoints if checkpoints is not None else [""] * len(gold))
    names = list(dict.fromkeys(sets))
    if len(names) != n_sets:
        message = f"{len(names)} sets instead of {n_sets}: {', '.join(map(str, names))}"
        raise Malformed(message, do="give all sets, or n_sets=… for another benchmark")
    best = {
        name: max((row for (of, _), row in rows.items() if of == name), key=lambda row: gold[row]) for name in names
    }
    chosen = best if compat else _of_one_checkpoint(rows, names, validation)
    return _mean(gold, chosen, best)


def _mean(gold: Sequence[float], chosen: Mapping[Hashable, int], best: Mapping[Hashable, int]) -> Sums:
    import numpy as np

    counted = np.zeros(len(gold), bool)
    counted[list(chosen.values())] = True
    of_best = float(np.mean([gold[row] for row in best.values()]))
    value = float(np.mean([gold[row] for row in chosen.values()]))
    rows = {str(name): {"score": gold[row], "best_on_test": gold[best[name]]} for name, row in chosen.items()}
    details = {"best_on_test": of_best, "gain_of_choosing_on_test": of_best - value}
    return mean_of_items(np.array(gold), counted, per_class=lambda: rows, details=details)


def _rows(sets: Sequence[Hashable], checkpoints: Sequence[Hashable]) -> Rows:
    rows: dict[tuple[Hashable, Hashable], int] = {}
    for row, key in enumerate(zip(sets, checkpoints, strict=True)):
        if key in rows:
            message = f"set {key[0]} has two scores" + (f" for checkpoint {key[1]}" if key[1] != "" else "")
            raise Malformed(message, do="give checkpoints=… where there are several, and each pair once")
        rows[key] = row
    return rows


def _of_one_checkpoint(rows: Rows, names: Sequence[Hashable], validation: Sequence[Any] | None) -> dict[Hashable, int]:
    """Map each set to its row of the checkpoint that is best on validation data."""
    whole = [each for each in dict.fromkeys(each for _, each in rows) if all((name, each) in rows for name in names)]
    if not whole:
        raise Malformed("no checkpoint has a score on every set", do="score one checkpoint on all sets")
    if len(whole) > 1 and validation is None:
        message = (
            f"{len(whole)} checkpoints ({', '.join(map(str, whole[:5]))}), and nothing to choose by but the test data"
        )
        raise Malformed(message, do="give one checkpoint, or validation=…, its scores on held-out data")
    if len(whole) > 1:
        whole.sort(key=lambda each: -_on_validation(rows, names, each, validation or ()))
    return {name: rows[name, whole[0]] for name in names}


def _on_validation(rows: Rows, names: Sequence[Hashable], checkpoint: Hashable, validation: Sequence[Any]) -> float:
    scores = [validation[rows[name, checkpoint]] for name in names]
    try:
        value = sum(map(float, scores)) / len(scores)
    except (TypeError, ValueError) as error:
        raise Malformed(f"checkpoint {checkpoint} lacks validation scores", do="give one for each row") from error
    if value != value:
        raise Malformed(f"checkpoint {checkpoint} lacks validation scores", do="give one for each row")
    return value
