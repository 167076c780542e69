"""Build and train a recipe: the first two stages of a run, each in its own folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm import voice
from affectllm.instruct.stage import build_mixture
from affectllm.run import is_finished
from affectllm.train.distilling.given import given_files
from affectllm.train.launch import launch
from affectllm.train.pages.reward_page import check_reward_models
from affectllm.train.recipe import Recipe
from affectllm.train.stage import train_inputs


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
    check_reward_models(recipe.rewards)
    check_backbone(recipe.model.path, recipe.model.backbone, recipe.model.processor)
    check_teacher(recipe)
    given_files(recipe)
    voice.stage("build")
    build_mixture(recipe.data, recipe.seed, {corpus: roots[corpus] for corpus in recipe.corpora()}, folder)
    voice.stage("train")
    arguments = [name, "--out", str(folder)]
    arguments += [word for override in overrides for word in ("--set", override)]
    arguments += [word for corpus in recipe.corpora() for word in ("--root", f"{corpus}={roots[corpus]}")]
    if is_finished(folder / "train", train_inputs(recipe, folder)):
        return
    launch(recipe.launch, "affectllm.train", arguments, processes=processes)
