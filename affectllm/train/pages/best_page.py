"""The part of a recipe that says which checkpoint is the best one, and when a training stops early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from affectllm.errors import BadRecipe, NotFound
from affectllm.instruct import Template
from affectllm.metrics import METRICS
from affectllm.metrics.core.metric import find_metric
from affectllm.train.method import Method
from affectllm.train.pages.scored import why_unfit
from affectllm.yaml_page import Page

LOSS = "loss"
_OURS = ("load_best_model_at_end", "metric_for_best_model", "greater_is_better")


@dataclass(frozen=True)
class BestPage:
    """What the best checkpoint is chosen by.

    Args:
        metric: of the answers that the model generates to validation rows, as the tasks score them (``uar``,
            ``macro_f1``, ``ccc``, …), or ``loss``. Of a mixture that asks several things it is the mean over these. A
            head is chosen by what its validation logs: ``uar`` or ``accuracy`` of classes, ``jaccard`` or
            ``multilabel_macro_f1`` of labels, ``ccc`` of a number, ``vad_ccc`` of several, ``js_divergence`` of shares.
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


def check_best(
    best: BestPage | None, method: Method, templates: Sequence[Template], trainer: Mapping[str, Any], page: Page
) -> None:
    """Make sure that a checkpoint can be chosen as the page says.

    Args:
        templates: of the parts of the mixture, in order.
        trainer: fields under ``trainer``.

    Raises:
        BadRecipe: with the line, for a metric that is unknown or does not score such answers, numbers below 1, keys
            that nothing reads, and a training that is never evaluated.
    """
    if best is None:
        _check_theirs(method, templates, trainer, page)
        return
    for key in ("rows", "max_new_tokens", "patience"):
        value = getattr(best, key)
        if value is not None and value < 1:
            raise BadRecipe(f"best.{key} must be 1 or more", where=page.where(("best", key)))
    if best.metric != LOSS:
        _check_metric(best.metric, method, templates, page)
    if best.metric == LOSS or method.validated is not None:
        _refuse_answering(best, page)
    ours = (*_OURS, *(("restore_callback_states_from_checkpoint",) if best.patience else ()))
    if given := next((key for key in ours if key in trainer), ""):
        where = page.where(("trainer", given))
        raise BadRecipe(f"trainer.{given} is not set here: best says it", where=where, do="remove it, or best")
    if trainer.get("eval_strategy", "no") in ("no", False):
        raise BadRecipe(
            "nothing is evaluated while the model is trained, so no checkpoint is the best",
            where=page.where(("best",)),
            do="set trainer.eval_strategy: epoch, or steps",
        )


def _check_theirs(method: Method, templates: Sequence[Template], trainer: Mapping[str, Any], page: Page) -> None:
    """Refuse a ``metric_for_best_model`` that no evaluation logs, which the first of them would end with."""
    if (name := trainer.get("metric_for_best_model")) is None:
        return
    validated = method.validated(templates) if method.validated is not None else ()
    logged = dict.fromkeys((*(curve.key for curve in method.curves if "*" not in curve.key), *validated))
    if str(name).removeprefix("eval_") not in logged:
        raise BadRecipe(
            f"an evaluation while this trains logs no {name}",
            where=page.where(("trainer", "metric_for_best_model")),
            do=f"choose of {', '.join(logged)}, or choose by answers: best: {{metric: …}}",
        )


def _refuse_answering(best: BestPage, page: Page) -> None:
    """Refuse the keys about answers that are generated where none are."""
    for key in ("rows", "max_new_tokens"):
        if getattr(best, key) != getattr(BestPage(), key):  # a resolved page has all keys
            message = f"best.{key} is about answers that are written to choose a checkpoint, and none are"
            raise BadRecipe(message, where=page.where(("best", key)), do="remove it: all validation rows count")


def _check_metric(name: str, method: Method, templates: Sequence[Template], page: Page) -> None:
    where = page.where(("best", "metric"))
    try:
        metric = find_metric(name)
    except NotFound as error:
        raise BadRecipe(error.what, where=where, do=error.do) from error
    if method.validated is not None:
        if name not in (known := method.validated(templates)):
            message = f"a validation of this training has no {name}"
            raise BadRecipe(message, where=where, do=f"choose of {', '.join((LOSS, *known))}")
        return
    for template in templates:
        if len(template.slots) > 1:
            message = f"{template.name} asks for {len(template.slots)} answers, of which a metric takes one"
            raise BadRecipe(message, where=where, do=f"choose {LOSS}")
        (slot,) = template.slots
        if why := why_unfit(metric, slot):
            fitting = [LOSS, *(one for one, other in METRICS.items() if not why_unfit(other, slot))]
            message = f"{name} does not score the answers to {template.name}: {why}"
            raise BadRecipe(message, where=where, do=f"choose of {', '.join(fitting)}")
