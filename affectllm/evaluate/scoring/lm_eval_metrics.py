"""Register our metrics in lm-eval under their own names, so that any lm-eval page may use them.

A page says ``metric_list: [{metric: uar, aggregation: uar, higher_is_better: true}]``. The pairs of gold value and
filtered reply are kept as they are and scored together at the end, since nearly no metric here is a mean over items.
Texts become labels, sets or numbers as the cells of a table do. lm-eval's own ``bleu``, ``chrf`` and ``mcc`` stay what
they are.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from affectllm.metrics import METRICS
from affectllm.metrics.core.fitting import needs_pairs_only
from affectllm.metrics.core.table_values import to_value

Pair = tuple[Any, Any]


def register() -> list[str]:
    """Register every metric that needs only pairs, and return the names added; a second call does nothing."""
    import lm_eval.api.metrics  # noqa: F401  lm-eval's own come first
    from lm_eval.api.registry import aggregation_registry, metric_registry, register_aggregation, register_metric

    added = []
    for name, metric in METRICS.items():
        if name in metric_registry or name in aggregation_registry or not needs_pairs_only(metric):
            continue
        register_aggregation(name)(partial(aggregate, name))
        properties = {"metric": name, "higher_is_better": metric.better == "higher", "aggregation": name}
        register_metric(**properties)(_pair)
        added.append(name)
    return added


def aggregate(name: str, pairs: list[Pair]) -> float:
    """Compute the metric over all pairs (gold, reply) of a page."""
    metric = METRICS[name]
    gold, predicted = ([to_value(metric.form.name, pair[side], gold=side == 0) for pair in pairs] for side in (0, 1))
    return metric.statistic(gold, predicted).value()


def _pair(references: list[Any], predictions: list[Any]) -> Pair:
    """Return the (gold, reply) pair of one document; lm-eval calls this with one reference and one prediction."""
    return references[0], predictions[0]
