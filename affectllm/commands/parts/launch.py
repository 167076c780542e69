"""`affectllm launch`: the script for several machines, printed or started."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from affectllm.corpus.roots import Roots
from affectllm.errors import BadRecipe
from affectllm.processes import call
from affectllm.report.leaks import corpora_of, refuse_leaks
from affectllm.run import cache_folder
from affectllm.train.launching.machines import Machines, script
from affectllm.train.recipe import Recipe, load_recipe
from affectllm.train.stage import run_folder


def launch(arguments: argparse.Namespace) -> int:
    """Print the script, or start it for this machine; returns its exit status.

    Raises:
        BadRecipe: when the recipe has a matrix, whose runs are several.
        AffectError: as ``script``, ``Machines`` and ``load_recipe``.
    """
    machines = Machines(arguments.machines, arguments.num_processes, arguments.main)
    recipe = load_recipe(arguments.recipe, arguments.set)
    if recipe.matrix:
        raise BadRecipe(
            f"{recipe.name} has a matrix, and one launch is one run", do="choose one by --set and add --set matrix=null"
        )
    text = script(recipe, _words(recipe, arguments), machines, arguments.launcher)
    if arguments.print:
        print(text, end="")
        return 0
    return _start(text, arguments)


def _words(recipe: Recipe, arguments: argparse.Namespace) -> list[str]:
    """Return the arguments of the training, with paths that mean the same in any working directory."""
    roots = Roots.parse(arguments.root).find_all(corpora_of(recipe))
    refuse_leaks(recipe, roots)
    page = Path(arguments.recipe)
    words = [str(page.resolve()) if page.is_file() else arguments.recipe]
    words += ["--out", str(run_folder(recipe, arguments.out).absolute())]
    words += [word for override in arguments.set for word in ("--set", override)]
    needed = lasting({name: roots[name] for name in recipe.corpora()})
    return words + [word for name, root in needed.items() for word in ("--root", f"{name}={root.absolute()}")]


def lasting(roots: Mapping[str, Path]) -> dict[str, Path]:
    """Return the folders without those of synthetic corpora, which every machine generates in a cache of its own."""
    return {name: root for name, root in roots.items() if not root.is_relative_to(cache_folder() / "generated")}


def _start(text: str, arguments: argparse.Namespace) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        command = ["sbatch", file.name] if arguments.launcher == "slurm" else ["sh", file.name, str(arguments.machine)]
        return call(command, os.environ)
