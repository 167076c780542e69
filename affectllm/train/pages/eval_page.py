"""The part of a recipe that says what is scored after the training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from affectllm.errors import BadRecipe
from affectllm.instruct.template import MODALITIES
from affectllm.yaml_page import Page


@dataclass(frozen=True)
class GuardPage:
    """General tasks that the training is not for, scored before and after it: what it made the model forget.

    Args:
        tasks: of lm-eval's own, or of ours.
        limit: at most this many documents per task; None for all.
        include_path: folder with further task pages of lm-eval.
    """

    tasks: tuple[str, ...]
    limit: int | None = None
    include_path: str | None = None


@dataclass(frozen=True)
class EvalPage:
    """The evaluation after training.

    Args:
        tasks: names of tasks or groups.
        ablations: subsets of modalities to score beside all of them.
        hints: of tasks with hints, what is scored beside the item's own: ``none``, and those of an ``other`` item.
        references: reference models to score beside the tuned one.
        batch_size: prompts per batch, or ``auto`` for as many as fit into memory.
        limit: at most this many documents per task; None for all.
        num_processes: that answer for the tuned model, each with the whole model and a share of the questions; None
            for as many as train.
        guard: general tasks, scored before and after the training.
    """

    tasks: tuple[str, ...] = ()
    ablations: tuple[tuple[str, ...], ...] = ()
    hints: tuple[Literal["none", "other"], ...] = ()
    references: tuple[Literal["oracle", "majority", "chance", "mute", "shallow", "human"], ...] = ("majority", "chance")
    batch_size: Literal["auto"] | int = 8
    limit: int | None = None
    num_processes: int | None = None
    guard: GuardPage | None = None


def check_eval(wanted: EvalPage, page: Page) -> None:
    """Raise ``BadRecipe`` for numbers that are below 1, modalities that are none, and a guard that has no tasks."""
    for index, shown in enumerate(wanted.ablations):
        if not shown or (strange := [name for name in shown if name not in MODALITIES]):
            message = f"{strange[0]!r} is no modality" if shown else "an ablation shows something"
            raise BadRecipe(message, where=page.where(("eval", "ablations", index)), do=f"of {', '.join(MODALITIES)}")
    values: dict[tuple[str, ...], Any] = {
        ("eval", key): getattr(wanted, key) for key in ("batch_size", "limit", "num_processes")
    }
    if wanted.guard is not None:
        values[("eval", "guard", "limit")] = wanted.guard.limit
        if not wanted.guard.tasks:
            raise BadRecipe("a guard needs a task", where=page.where(("eval", "guard", "tasks")))
        if (folder := wanted.guard.include_path) and not Path(folder).expanduser().is_dir():
            raise BadRecipe(f"there is no folder {folder}", where=page.where(("eval", "guard", "include_path")))
    for place, value in values.items():
        if isinstance(value, int) and value < 1:
            raise BadRecipe(f"{'.'.join(place)} must be 1 or more", where=page.where(place))
