"""The conversations of a mixture as a run folder: skipped when nothing has changed, resumed after a kill."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from affectllm.corpus.identity import identity
from affectllm.corpus.stage import BUILT
from affectllm.instruct import build
from affectllm.instruct.mixture import Mixture
from affectllm.instruct.wording import template_pages
from affectllm.labels.language import language_pages
from affectllm.run import Run, digest, file_digest


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
    pages = [*template_pages().values(), *language_pages().values()]
    inputs = {
        "mixture": mixture_json(made),
        "seed": seed,
        "corpora": {name: identity(name, root) for name, root in used.items()},
        "prompts": digest({path.name: file_digest(path) for path in pages}),
    }
    with Run(folder / "build", "build", inputs, BUILT) as run:
        if not run.done:
            run.outputs = build.build(made, used, run.folder, seed, processes, workers)
        return run.outputs


def mixture_json(made: Mixture) -> dict[str, Any]:
    """What of a mixture decides its conversations, as plain JSON types."""
    return {field.name: json.loads(json.dumps(made.to_json()[field.name])) for field in dataclasses.fields(Mixture)}
