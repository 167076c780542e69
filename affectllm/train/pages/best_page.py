"""The part of a recipe that says which checkpoint is the best one, and when a training stops early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.errors import BadRecipe, NotFound
from affectllm.metrics.core.metric import find_metric
from affectllm.yaml_page import Page

LOSS = "loss"


@dataclass(frozen=True)
class BestPage:
    """What the best checkpoint is chosen by.

    Args:
        metric: of the answers that the model generates to validation rows, as the tasks score them (``uar``, ``ccc``,
            ``f1``, …), or ``loss``. Of a mixture that asks several things it is the mean over these.
        rows: validation rows that are answered, spread evenly over all.
        max_new_tokens: longest answer in tokens.
        patience: evaluations in a row without a better value after which the training stops; None never.
    """

    metric: str = LOSS
    rows: int = 200
    max_new_tokens: int = 64
    patience: int | None = None

    @property
    def greater(self) -> bool:
        """Whether more is better."""
        return self.metric != LOSS and find_metric(self.metric).better != "lower"


def check_best(best: BestPage | None, trainer: Mapping[str, Any], page: Page) -> None:
    """Raise ``BadRecipe`` for a metric that is unknown, numbers below 1, and a training that is never evaluated."""
    if best is None:
        return
    if best.metric != LOSS:
        try:
            find_metric(best.metric)
        except NotFound as error:
            raise BadRecipe(error.what, where=page.where(("best", "metric")), do=error.do) from error
    for key in ("rows", "max_new_tokens", "patience"):
        value = getattr(best, key)
        if value is not None and value < 1:
            raise BadRecipe(f"best.{key} must be 1 or more", where=page.where(("best", key)))
    if trainer.get("eval_strategy", "no") in ("no", False):
        raise BadRecipe(
            "nothing is evaluated while the model is trained, so no checkpoint is the best",
            where=page.where(("best",)),
            do="set trainer.eval_strategy: epoch, or steps",
        )
