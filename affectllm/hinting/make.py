"""Make a table of hints in a run folder: skipped when nothing has changed."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import Rejection
from affectllm.corpus.builder import load_builder
from affectllm.corpus.identity import identity
from affectllm.hinting.kind import Work
from affectllm.hinting.page import HintPage
from affectllm.hints.table import FILE, FOLDER, Hint, write_table
from affectllm.run import Run, cache_folder, digest, file_digest

GIVEN = "given"


def make_hints(page: HintPage, root: Path, out: Path | None = None) -> dict[str, Any]:
    """Write ``hints.parquet`` and return its counts: ``hints`` split → given, or reason → how many; ``unused`` reason →
    how much of what the page names is in no hint.

    Args:
        root: folder of the corpus.
        out: the run folder; None for ``runs/hints/NAME``.

    Raises:
        AffectError: as the kind and the builder.
    """
    folder = out or FOLDER / page.name
    inputs = {
        "page": page.keys,
        "files": _named_files(page),
        "corpus": identity(page.corpus, root),
        "kind": file_digest(registry.find("hint_kinds", page.kind)),
    }
    depends = page.how.depends(page.options)
    inputs |= {"depends": depends} if depends is not None else {}
    with Run(folder, "hint", inputs, (FILE,)) as run:
        if not run.done:
            run.outputs = _made(page, root, folder)
        return run.outputs


def _made(page: HintPage, root: Path, folder: Path) -> dict[str, Any]:
    items = list(load_builder(page.corpus).samples(root))
    samples = [item for item in items if not isinstance(item, Rejection)]
    kept = cache_folder() / "hints" / page.kind
    work = Work(samples, root, page.options, kept, page.file.parent, folder, lambda key: page.page.where((key,)))
    counts: dict[str, Counter[str]] = {}

    def counted() -> Iterator[Hint]:
        for hint in page.how.find(work):
            counts.setdefault(hint.split, Counter())[GIVEN if hint.words is not None else hint.reason] += 1
            yield hint

    rows = write_table(folder / FILE, counted())
    rejected = Counter(item.reason for item in items if isinstance(item, Rejection))
    return {
        "rows": rows,
        "hints": {split: dict(count.most_common()) for split, count in counts.items()},
        "unused": dict(work.unused.most_common()),
        "rejected": dict(rejected.most_common()),
    }


def _named_files(page: HintPage) -> dict[str, str]:
    """Return path → digest of the files and folders that the options name, which may change under the same name."""
    named = [value for value in asdict(page.options).values() if isinstance(value, str) and value]
    paths = {value: page.file.parent / value for value in named}
    return {value: _content(path) for value, path in paths.items() if os.path.exists(path)}  # long words too


def _content(path: Path) -> str:
    if path.is_file():
        return file_digest(path)
    below = sorted(one for one in path.rglob("*") if one.is_file())
    return digest([[one.relative_to(path).as_posix(), file_digest(one)] for one in below])
