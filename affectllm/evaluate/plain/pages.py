"""Task pages for plain lm-eval: every variant of a ``matrix:`` as a page of its own, so that suites find their members.

lm-eval reads one task from a page and knows nothing of variants; a group that names one ends in a traceback there.
``write_pages(folder)`` writes what ``lm_eval --include_path folder`` then lists and runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from affectllm import registry
from affectllm.errors import Malformed
from affectllm.evaluate.matrix import TaskEntry
from affectllm.evaluate.shelf import absent_task, check_pages, with_members


def write_pages(folder: Path, names: Sequence[str] = ()) -> list[str]:
    """Write a page for each task and suite, with the members of suites, and return the names.

    Args:
        folder: where they are written, ``NAME.yaml`` each; made if absent.
        names: tasks and suites of ours; all where none is named.

    Raises:
        NotFound: when a name is no task or suite.
        Malformed: when a page does not load, the folder is one that affectllm itself reads, or a name is a task of
            another class than ours, whose page lm-eval reads where it lies.
    """
    entries = check_pages()
    if own := next((one for one in registry.folders("eval_tasks") if _within(folder, one)), None):
        message = f"{folder} lies in {own}, from which affectllm reads its own pages"
        raise Malformed(message, do="name another folder: each task would be there twice")
    for name in names:
        if name not in entries:
            raise absent_task(name, entries)
        if not (entries[name].ours or entries[name].is_group):
            do = f"lm_eval --include_path {entries[name].path.parent}"
            raise Malformed(f"{name} is a task of lm-eval's own kind", where=str(entries[name].path), do=do)
    listed = with_members(names, entries) if names else list(entries)
    written = [name for name in listed if entries[name].ours or entries[name].is_group]
    folder.mkdir(parents=True, exist_ok=True)
    for name in written:
        (folder / f"{name}.yaml").write_text(_text(entries[name]), encoding="utf-8")
    return written


def _within(folder: Path, other: Path) -> bool:
    return folder.resolve().is_relative_to(other.resolve())


def _text(entry: TaskEntry) -> str:
    first, _, keys = entry.as_page().partition("\n")
    return f"{first}\n# Written by `affectllm pages` from the page {entry.path.stem}.\n{keys}"
