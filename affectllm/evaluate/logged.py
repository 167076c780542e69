"""Collect the files of one run of lm-eval: recognised by the folder they were written to, not by name or time.

lm-eval names its files by the local time, which may go backwards. So it writes into an empty folder within ours, and
what lies there when it is done is this run's. The files are looked at, since lm-eval only warns of what it could not
write, and then put beside those of earlier runs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affectllm.errors import NotFound, WriteFailed

SOURCES = "sources.json"
_SPACE = "free some space, or choose another --output_path; the same command goes on"


@dataclass(frozen=True)
class Logged:
    """The files that one run of lm-eval wrote.

    Args:
        results: its results file.
        samples: task → its samples file.
    """

    results: Path
    samples: Mapping[str, Path]

    def to_json(self) -> dict[str, Any]:
        """Return the names of the files, which lie in one folder."""
        return {"results": self.results.name, "samples": {task: path.name for task, path in self.samples.items()}}


def scratch(folder: Path) -> Path:
    """Return the folder where lm-eval writes before ``collect``."""
    return folder / ".lm_eval"


def clear(folder: Path, *, beside: bool = False) -> None:
    """Remove the files of an interrupted run; with ``beside`` also those of any run in ``folder`` itself."""
    if scratch(folder).is_dir():
        shutil.rmtree(scratch(folder))
    if beside:
        for path in (*folder.glob("samples_*.jsonl"), *folder.glob("results_*.json")):
            path.unlink()


def collect(folder: Path) -> Logged:
    """Move what lm-eval has just written into ``folder``.

    Raises:
        NotFound: when there is no results file, or none of a task's samples.
        WriteFailed: when one of them is cut off.
    """
    written = of_results(only_results(folder))
    results = read_results(written.results)
    for task, path in written.samples.items():
        _check_whole(path, results["n-samples"][task]["effective"])
    for path in (*written.samples.values(), written.results):
        path.replace(folder / path.name)
    clear(folder)
    return of_results(folder / written.results.name)


def only_results(folder: Path) -> Path:
    """Return the results file that lm-eval has just written for ``folder``.

    Raises:
        NotFound: when there is none.
    """
    paths = list(scratch(folder).glob("results_*.json"))
    if len(paths) != 1:
        raise NotFound("lm-eval left no results file", where=str(folder), do=f"look above for its warning; {_SPACE}")
    return paths[0]


def of_results(path: Path) -> Logged:
    """Return a results file of lm-eval with the samples files written with it: they share its date."""
    date = path.stem.removeprefix("results_")
    tasks = read_results(path)["configs"]
    return Logged(path, {task: path.with_name(f"samples_{task}_{date}.jsonl") for task in tasks})


def _check_whole(path: Path, documents: int) -> None:
    asked = {row["doc_id"] for row in read_samples(path)}
    if len(asked) != documents:
        message = f"lm-eval wrote the samples of {len(asked)} of {documents} documents"
        raise WriteFailed(message, where=path.name, do=f"look above for its warning; {_SPACE}")


def read_results(path: Path) -> dict[str, Any]:
    """Read a results file of lm-eval.

    Raises:
        WriteFailed: when it is cut off.
    """
    try:
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WriteFailed("lm-eval's results are cut off", where=path.name, do=_SPACE) from error
    return results


def read_samples(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a samples file of lm-eval, one in memory at a time.

    Raises:
        NotFound: when it is not there; lm-eval only warns when it could not write it.
        WriteFailed: when a line is cut off.
    """
    if not path.is_file():
        raise NotFound("lm-eval left no samples of this task", where=path.name, do="look above for its warning")
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                where = f"{path.name}:{number}"
                raise WriteFailed("lm-eval's samples are cut off", where=where, do=_SPACE) from error
