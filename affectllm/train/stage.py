"""The build and train stages of a recipe: where they lie, what decides them, and how they are skipped or resumed."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from affectllm.corpus import shards
from affectllm.corpus.builder import code_of, load_builder
from affectllm.corpus.roots import locate, parse_roots
from affectllm.errors import explained
from affectllm.folders import room_in
from affectllm.instruct import building
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.wording import LANGUAGES, PROMPTS
from affectllm.run import Run, digest, file_digest, read_manifest
from affectllm.train.recipe import Recipe, load_recipe

RUNS = Path("runs")
FINAL = "final"  # folder of the tuned model or adapter, in the train run
# What a stage vouches for. Cards and galleries beside it may be edited, checkpoints deleted to save space.
_BUILT = ("samples/**/*", "conversations/**/*", "rejected.jsonl")
_KEPT = (f"{FINAL}/**/*", "trainer_state.json", "losses.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options shared by every command that takes a recipe."""
    parser.add_argument("recipe", help="name in recipes/ (see `affectllm ls recipes`) or path of a YAML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one value of the page"
    )
    parser.add_argument("--root", action="append", default=[], metavar="NAME=DIR", help="where a corpus lies")
    parser.add_argument("--out", metavar="DIR", help="run folder (default: runs/RECIPE)")


def run_folder(recipe: Recipe, out: Path | None) -> Path:
    """``--out``, else ``runs/RECIPE``."""
    return out if out is not None else RUNS / recipe.name


def find_roots(names: Sequence[str], pairs: Sequence[str]) -> dict[str, Path]:
    """Corpus name → folder, for every name.

    Raises:
        MissingCorpus: for the first one that is nowhere.
    """
    given = parse_roots(pairs)
    return {name: locate(name, given) for name in names}


def build(recipe: Recipe, roots: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    """The build stage: samples and conversations; skipped when its inputs have not changed."""
    return build_mixture(recipe.data, recipe.seed, roots, folder)


def build_mixture(
    made: Mixture,
    seed: int,
    roots: Mapping[str, Path],
    folder: Path,
    processes: Executor | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Samples and conversations of a mixture in ``folder/build``; skipped when its inputs have not changed."""
    used = {name: roots[name] for name in made.corpora() if name in roots}
    pages = [*sorted(PROMPTS.glob("*.yaml")), *sorted(LANGUAGES.glob("*.yaml"))]
    inputs = {
        "mixture": mixture_json(made),
        "seed": seed,
        "corpora": {name: identity(name, root) for name, root in used.items()},
        "prompts": digest({path.name: file_digest(path) for path in pages}),
    }
    with Run(folder / "build", "build", inputs, _BUILT) as run:
        if not run.done:
            run.outputs = building.build(made, used, run.folder, seed, processes, workers)
        return run.outputs


def mixture_json(made: Mixture) -> dict[str, Any]:
    """What of a mixture decides its conversations, as plain JSON types."""
    return {field.name: json.loads(json.dumps(made.to_json()[field.name])) for field in dataclasses.fields(Mixture)}


def build_samples(
    name: str, root: Path, folder: Path, processes: Executor | None = None, workers: int = 1
) -> dict[str, Any]:
    """Samples of one corpus, without a question; skipped when its files have not changed, resumed after a kill."""
    with Run(folder, "build", {"corpora": {name: identity(name, root)}}, _BUILT) as run:
        if not run.done:
            run.outputs = shards.build(name, root, run.folder, processes, workers)
        return run.outputs


def train(name: str, overrides: Sequence[str], pairs: Sequence[str], out: Path | None) -> dict[str, Any]:
    """The train stage, on every process of a launch; builds first where that has not been done."""
    from accelerate import PartialState

    from affectllm.train import sft

    recipe = load_recipe(name, overrides)
    roots = find_roots(recipe.corpora(), pairs)
    folder = run_folder(recipe, out)
    args = sft.arguments(recipe, folder / "train")  # before PartialState, which it would otherwise find unconfigured
    state = PartialState()
    if state.is_main_process:
        build(recipe, roots, folder)
        _write_page(recipe, folder)
    state.wait_for_everyone()
    inputs = train_inputs(recipe, folder)

    def tuned() -> dict[str, Any]:
        with room_in(folder / "train"):
            return sft.tune(recipe, args, folder / "build", folder / "train", roots)

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
    """What decides the weights: the page, without how it is launched and scored, and the data."""
    ignored = ("eval", "description", "name", "launch", "matrix")
    page = {key: value for key, value in recipe.to_json().items() if key not in ignored}
    manifest = read_manifest(folder / "build") or {}
    # Through JSON, as the manifest keeps it, so that both can be compared.
    return {"recipe": json.loads(json.dumps(page)), "build": manifest.get("inputs_digest")}


def _write_page(recipe: Recipe, folder: Path) -> None:
    import yaml

    page = {k: v for k, v in json.loads(json.dumps(recipe.to_json())).items() if v is not None and k != "name"}
    with explained(folder):
        scratch = folder / ".recipe.yaml.part"
        scratch.write_text(yaml.safe_dump(page, sort_keys=False, allow_unicode=True), encoding="utf-8")
        scratch.replace(folder / "recipe.yaml")


def identity(name: str, root: Path) -> dict[str, Any]:
    """What decides the samples of a corpus: its builder's code, and the names, sizes and times of its files."""
    load_builder(name)  # says what is wrong with it
    files = sorted(_files(root))
    return {"builder": digest(code_of(name)), "files": digest(files), "count": len(files)}


def _files(root: Path) -> Iterator[tuple[str, int, int]]:
    """Name, size and time of every file, also in folders that are linked to another disk."""
    seen: set[tuple[int, int]] = set()
    for folder, below, names in os.walk(root, followlinks=True):
        place = os.stat(folder)
        if (place.st_dev, place.st_ino) in seen:  # a link to a folder above it
            below.clear()
            continue
        below.sort()
        seen.add((place.st_dev, place.st_ino))
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                stat = path.stat()
                yield path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns
