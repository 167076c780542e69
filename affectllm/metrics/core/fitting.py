"""Which metrics score answers of a shape, and which of them need no more than gold values and answers."""

from __future__ import annotations

from affectllm.metrics.core.metric import Metric


def scores_shape(metric: Metric, shape: str) -> bool:
    """Return whether a metric takes values of a shape, such as ``label`` (see ``value_forms``)."""
    return metric.form.name == shape or shape in metric.also or (shape == "set" and metric.sets is not None)


def needs_pairs_only(metric: Metric) -> bool:
    """Return whether a metric takes gold values and answers and nothing that a page cannot give."""
    brought = {"tables", "judge"} & set(metric.options)  # only the command line and the library can give these
    return not metric.needs and not brought and metric.takes != "gold"
