"""The evaluations among the folders that a user names, under names that tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from affectllm.errors import AffectError, NotFound
from affectllm.report.runfolder import Evaluation, read_run


def evaluations(runs: Sequence[Path]) -> dict[str, Path]:
    """Return name → evaluation folder of every run; of one run alone its reference models, too.

    Raises:
        NotFound: when a folder has no scores.
        AffectError: when a folder is given twice, or nothing is left to compare.
    """
    folders: dict[str, Path] = {}
    for name, folder in zip(_names(runs), runs, strict=True):
        run = read_run(folder)
        if run.evaluation is None:
            raise NotFound("this run has no scores", where=str(folder), do="score it first: affectllm run or eval")
        if run.evaluation.folder.resolve() in {one.resolve() for one in folders.values()}:
            raise AffectError("this run is given twice", where=str(folder), do="name each run once")
        folders[name] = run.evaluation.folder
        if len(runs) == 1:
            folders |= {f"reference {other}": one.folder for other, one in run.references.items()}
    if len(folders) < 2:
        raise AffectError("one run cannot be compared", do="name another, or score reference models beside it")
    return folders


def _names(runs: Sequence[Path]) -> list[str]:
    """Return for each folder the shortest end of its path that no other folder's path has."""
    parts = [folder.resolve().parts for folder in runs]
    lengths = range(1, max(map(len, parts), default=0) + 1)
    ends = [Counter(path[-length:] for path in set(parts)) for length in lengths]
    return [
        "/".join(next((path[-n:] for n, seen in zip(lengths, ends, strict=True) if seen[path[-n:]] == 1), path))
        for path in parts
    ]


def shared_tasks(folders: Mapping[str, Path], wanted: str | None) -> list[str]:
    """Return the tasks to compare: those that are wanted, or all that every evaluation has.

    Raises:
        AffectError: when there is none.
    """
    if wanted is not None:
        named = [task.strip() for task in wanted.split(",") if task.strip()]
        if not named:
            raise AffectError(f"--tasks {wanted!r} names no task", do="name tasks with commas between them")
        return list(dict.fromkeys(named))
    scored = [_tasks(folder) for folder in folders.values()]
    shared = [task for task in scored[0] if all(task in one for one in scored)]
    if not shared:
        raise AffectError("the runs have no task in common", do="name runs of the same task")
    return shared


def _tasks(folder: Path) -> list[str]:
    evaluation: Evaluation | None = read_run(folder).evaluation
    return (
        []
        if evaluation is None
        else [task for task in evaluation.scores if "suite" not in evaluation.details.get(task, {})]
    )
