"""Build and train a recipe: the first two stages of a run, each in its own folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.corpus import TRAIN, VALIDATION
from affectllm.errors import AffectError, placed
from affectllm.instruct.stage import build_mixture
from affectllm.run import is_finished
from affectllm.train.distilling.given import given_files
from affectllm.train.launch import launch
from affectllm.train.pages.reward_page import check_reward_models
from affectllm.train.recipe import Recipe
from affectllm.train.stage import train_inputs

_REASONS = 3  # why conversations were left out, that are told: the others stand in the build's folder


def train(
    name: str,
    recipe: Recipe,
    overrides: Sequence[str],
    roots: Mapping[str, Path],
    folder: Path,
    processes: int | None = None,
) -> None:
    """Build in this process, then train in those of the launch configuration; each is skipped when it is finished.

    Args:
        name, overrides: of ``recipe``, for the processes that are launched.
        processes: to be launched; None for those of the launch configuration.

    Raises:
        AffectError: for a wrong checkpoint or page before any work, and when a process fails.
    """
    from affectllm.model.heads.encoders import check_backbone
    from affectllm.train.distilling.teacher import check_teacher

    # A wrong checkpoint is refused before any work.
    with placed(f"rewards of {recipe.name}"):
        check_reward_models(recipe.rewards)
    with placed(f"model of {recipe.name}"):
        check_backbone(recipe.model.path, recipe.model.backbone, recipe.model.processor)
    with placed(f"teacher of {recipe.name}"):
        check_teacher(recipe)
    with placed(recipe.name):
        given_files(recipe)
    voice.stage("build")
    counts = build_mixture(recipe.data, recipe.seed, {corpus: roots[corpus] for corpus in recipe.corpora()}, folder)
    voice.tell(_built(recipe, counts))
    _refuse_no_validation(recipe, counts["conversations"])
    voice.stage("train")
    arguments = [name, "--out", str(folder)]
    arguments += [word for override in overrides for word in ("--set", override)]
    arguments += [word for corpus in recipe.corpora() for word in ("--root", f"{corpus}={roots[corpus]}")]
    if is_finished(folder / "train", train_inputs(recipe, folder)):
        return
    launch(recipe.launch, "affectllm.train", arguments, processes=processes)


def _built(recipe: Recipe, counts: Mapping[str, Any]) -> str:
    """Return in words what a build made, what it left out most, and which corpora gave nothing."""
    made, rejected = counts["conversations"], counts["rejected"]
    words = f"built: {made[TRAIN]:,} conversations to train on, {made[VALIDATION]:,} to validate with"
    if rejected:
        most = ", ".join(f"{count:,} × {reason}" for reason, count in list(rejected.items())[:_REASONS])
        words += f"; left out: {most}" + (", …" if len(rejected) > _REASONS else "")
    gave = {part.partition("/")[0] for part, count in counts["parts"].items() if count}
    nothing = [corpus for corpus in recipe.corpora() if corpus not in gave]
    return words + (f"; nothing to train on from {', '.join(nothing)}" if nothing else "")


def _refuse_no_validation(recipe: Recipe, made: Mapping[str, int]) -> None:
    """Raise ``AffectError`` before anything is launched that would evaluate on nothing."""
    if recipe.trainer.get("eval_strategy", "no") != "no" and not made[VALIDATION]:
        raise AffectError(
            "the mixture has no validation row, but the recipe evaluates while it trains",
            where=recipe.name,
            do="add a corpus with a validation split, or set trainer.eval_strategy: 'no'",
        )
