"""The train stage of a recipe: its folder, its inputs, and how it is skipped or resumed."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affectllm import voice
from affectllm.corpus.roots import Roots
from affectllm.errors import explained
from affectllm.folders import room_in
from affectllm.instruct.stage import build_mixture, made_of
from affectllm.run import RUNS, Run, read_manifest, tracked_as
from affectllm.train.checkpoints import FINAL
from affectllm.train.distilling.given import given_digests
from affectllm.train.pages.reward_page import reward_model_digests
from affectllm.train.recipe import Recipe, load_recipe

# What the stage vouches for; checkpoints may be deleted to save space.
_KEPT = (f"{FINAL}/**/*", "trainer_state.json", "losses.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options shared by every command that takes a recipe."""
    parser.add_argument("recipe", help="name in recipes/ (see `affectllm ls recipes`) or path of a YAML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )
    parser.add_argument("--root", action="append", default=[], metavar="NAME=DIR", help="where a corpus lies")
    parser.add_argument("--out", metavar="DIR", help="run folder (default: runs/RECIPE)")


def run_folder(recipe: Recipe, out: Path | None) -> Path:
    """Return ``--out``, else ``runs/RECIPE``."""
    return out if out is not None else RUNS / recipe.name


def train(name: str, overrides: Sequence[str], pairs: Sequence[str], out: Path | None) -> dict[str, Any]:
    """Run the train stage on every process of a launch; build first where that has not been done."""
    from accelerate import PartialState

    from affectllm.train.arguments import arguments
    from affectllm.train.launching.settings import take_settings
    from affectllm.train.tuning import tune

    voice.divert()
    recipe = load_recipe(name, overrides)
    take_settings(recipe.launch)
    roots = Roots.parse(pairs).find_all(recipe.corpora())
    folder = run_folder(recipe, out)
    os.environ.setdefault("WANDB_RUN_ID", tracked_as(folder))  # a run that goes on, and its scores, belong to one
    os.environ.setdefault("WANDB_RESUME", "allow")
    args = arguments(recipe, folder / "train")  # before PartialState, which it would otherwise find unconfigured
    state = PartialState()
    if state.is_main_process:
        build_mixture(recipe.data, recipe.seed, roots, folder)
        _write_page(recipe, folder)
    state.wait_for_everyone()
    inputs = train_inputs(recipe, folder)

    def tuned() -> dict[str, Any]:
        with room_in(folder / "train"):
            return tune(recipe, args, folder / "build", folder / "train", roots)

    if state.is_main_process:
        with Run(folder / "train", "train", inputs, _KEPT) as run:
            state.wait_for_everyone()
            if not run.done:
                run.outputs = tuned()
            return run.outputs
    # One process keeps the manifest; the others only read whether there is anything to do.
    state.wait_for_everyone()
    manifest = read_manifest(folder / "train")
    return dict(manifest["outputs"]) if manifest and manifest["finished"] else tuned()


def train_inputs(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Return what determines the weights: the page but for launch and evaluation, the data, the reward models."""
    ignored = ("eval", "description", "name", "launch", "matrix")
    page = {key: value for key, value in recipe.to_json().items() if key not in ignored}
    # Through JSON, as the manifest keeps it, so that both can be compared.
    inputs = {"recipe": json.loads(json.dumps(page)), **made_of(recipe.data, folder)}
    files = {"given": given_digests(recipe), "reward_models": reward_model_digests(recipe.rewards)}
    return {**inputs, **{name: digests for name, digests in files.items() if digests}}


def _write_page(recipe: Recipe, folder: Path) -> None:
    import yaml

    page = {k: v for k, v in json.loads(json.dumps(recipe.to_json())).items() if v is not None and k != "name"}
    with explained(folder):
        scratch = folder / ".recipe.yaml.part"
        scratch.write_text(yaml.safe_dump(page, sort_keys=False, allow_unicode=True), encoding="utf-8")
        scratch.replace(folder / "recipe.yaml")
