"""What ``affectllm`` says without a command: what is at hand here, and what to do with it."""

from __future__ import annotations

import os
from pathlib import Path

from affectllm import registry
from affectllm.run import RUNS, read_manifest

_FEW = 6


def next_steps() -> str:
    """Return a few lines: corpora, runs that were cut off, and commands to go on with. Nothing heavy is imported."""
    corpora, (unfinished, finished) = _corpora(), _runs()
    lines = [
        f"corpora here: {_some(corpora)}" if corpora else "no corpus is named: $AFFECTLLM_CORPORA, or --root NAME=DIR"
    ]
    lines += [f"cut off: {run}" for run in unfinished] + ([f"finished: {_some(finished)}"] if finished else [])
    steps = [(_resumed(unfinished[0]), "goes on where it stopped")] if unfinished else []
    steps += [(f"affectllm report {finished[0]}", "a page about it")] if finished else []
    steps += [(f"affectllm audit {corpora[0]}", "compare the download with what its card promises")] if corpora else []
    steps += [
        ("affectllm run quickstart", "the whole line on made clips, in two minutes"),
        ("affectllm init DIR", "a project of your own"),
        ("affectllm predict CLIP --model MODEL", "one clip"),
        ("affectllm --help", "every command"),
    ]
    width = max(len(command) for command, _ in steps)
    return "\n".join([*lines, "", *(f"  {command:<{width}}  {why}" for command, why in steps)])


def _corpora() -> list[str]:
    home = os.environ.get("AFFECTLLM_CORPORA", "")
    return [name for name in registry.names("data_builders") if home and (Path(home) / name).is_dir()]


def _runs() -> tuple[list[Path], list[Path]]:
    """Return the folders below ``runs/`` of which a stage was cut off, and those with a report."""
    unfinished, finished = [], []
    builds = [*RUNS.glob("*/build"), *RUNS.glob("*/*/build")]  # recipes lie in folders, and so do their runs
    for folder in sorted(build.parent for build in builds):
        manifests = [read_manifest(folder / stage) for stage in ("build", "train", "eval")]
        if any(manifest is not None and not manifest["finished"] for manifest in manifests):
            unfinished.append(folder)
        elif (folder / "report.html").is_file():
            finished.append(folder)
    return unfinished, finished


def _resumed(folder: Path) -> str:
    page = folder / "recipe.yaml"
    return f"affectllm run {page if page.is_file() else folder.relative_to(RUNS)} --out {folder}"


def _some(names: list[str] | list[Path]) -> str:
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return ", ".join(map(str, names[:_FEW])) + more
