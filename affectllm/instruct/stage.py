"""Build the conversations of a mixture in a run folder: skipped when nothing has changed, resumed after a kill."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from affectllm.corpus.identity import identity
from affectllm.corpus.stage import BUILT
from affectllm.hints.attach import Hints
from affectllm.instruct import build
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.wording import template_pages
from affectllm.labels.language import language_pages
from affectllm.run import Run, digest, file_digest, read_manifest


def build_mixture(
    mixture: Mixture,
    seed: int,
    roots: Mapping[str, Path],
    folder: Path,
    processes: Executor | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Build samples and conversations of a mixture in ``folder/build``; skipped when its inputs have not changed."""
    used = {name: roots[name] for name in mixture.corpora() if name in roots}
    pages = [*template_pages().values(), *language_pages().values()]
    inputs = {
        "mixture": mixture_json(mixture),
        "seed": seed,
        "corpora": {name: identity(name, root) for name, root in used.items()},
        "prompts": digest({path.name: file_digest(path) for path in pages}),
    }
    tables = {name: None for part in mixture.mixture if part.corpus in used for name in part.hints}
    inputs |= {"hints": Hints(tuple(tables)).identity()} if tables else {}
    lists = {part.ids: file_digest(Path(part.ids).expanduser()) for part in mixture.mixture if part.ids}
    inputs |= {"ids": lists} if lists else {}
    with Run(folder / "build", "build", inputs, BUILT) as run:
        if not run.done:
            run.outputs = build.build(mixture, used, run.folder, seed, processes, workers)
        return run.outputs


def made_of(mixture: Mixture, folder: Path) -> dict[str, Any]:
    """Return what decides a training on the build in ``folder/build``: its conversations, and the clips they point at.

    Conversations count by their bytes, so that a corpus that was copied anew, or read by newer code to the same end,
    costs no training. Clips are known by names, sizes and times of their corpora's files.
    """
    manifest = read_manifest(folder / "build") or {}
    prefix = "conversations/"
    conversations = {name: mark for name, mark in manifest.get("files", {}).items() if name.startswith(prefix)}
    if not conversations:  # finished by a version that vouched for nothing
        return {"build": manifest.get("inputs_digest")}
    corpora = {part.corpus for part in mixture.mixture if set(part.modalities) != {"text"}}
    read = {name: facts for name, facts in manifest["inputs"]["corpora"].items() if name in corpora}
    clips = {name: {key: value for key, value in facts.items() if key != "builder"} for name, facts in read.items()}
    return {"conversations": conversations, "clips": clips}


def mixture_json(mixture: Mixture) -> dict[str, Any]:
    """Return the fields of a mixture that determine its conversations, as JSON types."""
    return {field.name: json.loads(json.dumps(mixture.to_json()[field.name])) for field in dataclasses.fields(Mixture)}
