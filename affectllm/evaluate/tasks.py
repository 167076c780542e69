"""lm-eval's task manager over our folders: its built-in tasks are indexed only when one of them is asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lm_eval.tasks
from lm_eval.tasks import TaskManager
from lm_eval.tasks._index import Entry
from lm_eval.tasks._yaml_loader import load_yaml

from affectllm import registry
from affectllm.errors import AffectError, Malformed
from affectllm.evaluate.matrix import SOURCE, WHAT, TaskEntry, read_tasks, varied
from affectllm.evaluate.plain.arguments import check_named
from affectllm.evaluate.plain.theirs import may_be_theirs
from affectllm.evaluate.scoring.suites import Suite
from affectllm.evaluate.shelf import absent_task, check_pages, renamed
from affectllm.evaluate.task import AffectTask


class AffectTaskManager(TaskManager):  # type: ignore[misc]
    """Finds tasks in the built-in, installed and local folders, and in ``--include_path``.

    Indexing lm-eval's fourteen thousand tasks takes seconds, so it is put off until a name is not found elsewhere.

    Raises:
        Malformed: when a page of our folders does not load.
    """

    def __init__(
        self, include_path: str | Path | list[str | Path] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        check_pages()
        extra = include_path if isinstance(include_path, list) else [include_path] if include_path else []
        self._paths = [*registry.folders("eval_tasks"), *extra]
        self.scored: dict[str, AffectTask] = {}
        self.suites: list[Suite] = []
        self.picked: Collection[str] = ()
        """Tasks of ``--samples``, which must be among those that are loaded."""
        self._variants: set[str] = set()
        self._indexed(include_defaults=False, metadata=metadata)

    def _indexed(self, include_defaults: bool, metadata: dict[str, Any] | None) -> None:
        """Let lm-eval index its pages, then add the tasks that the matrices of our pages define."""
        super().__init__(include_path=self._paths, include_defaults=include_defaults, metadata=metadata)
        bases = [entry for entry in self._index.values() if "matrix" in (entry.cfg or {}) and entry.yaml_path]
        for base in bases:
            page = load_yaml(Path(base.yaml_path), resolve_func=True)
            for task in read_tasks(Path(base.yaml_path))[1:]:
                self._add(task, base, page)
        self._all_tasks = sorted(self._index)
        self._all_subtasks = sorted({*self.all_subtasks, *self._variants})

    def _add(self, task: TaskEntry, base: Entry, page: Mapping[str, Any]) -> None:
        other = self._index.get(task.name)
        if other is not None and (other.yaml_path is None or self._is_ours(Path(other.yaml_path))):
            message = f"{task.name} exists twice: {task.where()} and {other.yaml_path}"
            raise Malformed(message, do="rename one of the two")
        self._index[task.name] = Entry(task.name, base.kind, None, _config(task, page), set(base.tags))
        for tag in base.tags:
            self._index[tag].tags.add(task.name)
        self._variants.add(task.name)

    def _is_ours(self, page: Path) -> bool:
        """Return whether a page is ours; ours take precedence over lm-eval's own of the same name."""
        return any(page.is_relative_to(folder) for folder in self._paths)

    def match_tasks(self, task_list: list[str]) -> list[str]:
        """Return the task names that match the patterns; searches lm-eval's own tasks only when none of ours does."""
        matches: list[str] = super().match_tasks(task_list)
        if matches:
            return matches
        if self._are_misspelt(task_list):
            raise absent_task(", ".join(task_list), self._all_tasks)
        self._indexed(include_defaults=True, metadata=self.metadata)
        matches = super().match_tasks(task_list)
        # lm-eval takes folders of tasks too, and asks for them here first.
        if not matches and not any(Path(name).is_dir() for name in task_list):
            raise absent_task(", ".join(task_list), self._all_tasks)
        return matches

    def _are_misspelt(self, names: list[str]) -> bool:
        """Return whether names are like some of ours, or were ours once, and none of them can be one of lm-eval's."""
        like_ours = all(name in renamed() or registry.nearest(name, self._all_tasks, 1) for name in names)
        return like_ours and not any(Path(name).is_dir() or may_be_theirs(name) for name in names)

    def load(self, task_list: Any) -> Any:
        """Build the tasks, and store ours in ``scored`` and the suites among the groups in ``suites``."""
        try:
            loaded = super().load(task_list)
        except ConnectionError as error:  # of datasets, for tasks of lm-eval's own
            do = "their data come from the Hub: evaluate once with the network, or leave the task out"
            raise AffectError(f"the data of a task cannot be fetched: {error}", do=do) from error
        except (AttributeError, ImportError, ValueError) as error:
            if (told := self._told_at_its_page(error, task_list)) is None:
                raise
            raise told from error
        check_named(self.picked, loaded["tasks"])
        self.scored = {name: task for name, task in loaded["tasks"].items() if isinstance(task, AffectTask)}
        read = [Suite.read(group.name, group.child_names, group.metadata, group.name) for group in _inner_first(loaded)]
        self.suites = [suite for suite in read if suite is not None]
        return loaded

    def _told_at_its_page(self, error: Exception, names: Any) -> Malformed | None:
        """Return the error over what is behind a page's ``!function``, with the page; None for any other."""
        what, found, _ = str(error).partition(" (from YAML in ")
        if not found:
            return None
        entries = [self._index[name] for name in names if isinstance(name, str) and name in self._index]
        pages = dict.fromkeys(str(entry.yaml_path) for entry in entries if entry.yaml_path)
        return Malformed(what, where=", ".join(pages), do="mend the name behind !function")


def _inner_first(loaded: Any) -> list[Any]:
    """Return all groups, those within others before them, each once."""
    inner = [inner for group in loaded["groups"].values() for inner in reversed(group.get_all_groups())]
    return list({group.name: group for group in [*inner, *loaded["groups"].values()]}.values())


def _config(task: TaskEntry, page: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a variant of ``page``, which lm-eval has read, ``!function`` tags resolved."""
    parts = (page["matrix"][axis][variant] for axis, variant in task.chosen.items())
    changes = {key: value for part in parts for key, value in part.items() if key != WHAT}
    keys = varied({key: value for key, value in page.items() if key != "matrix"}, changes)
    return {**keys, "task": task.name, SOURCE: task.where()}


@contextmanager
def our_task_manager(picked: Collection[str] = ()) -> Iterator[list[AffectTaskManager]]:
    """Make lm-eval's command use our task manager while the block runs; yields the list of managers that it creates.

    ``picked`` are the tasks of ``--samples``.
    lm-eval has no option for another task manager, and its own reads neither several folders nor leaves its own out.
    """
    managers: list[AffectTaskManager] = []

    def make(include_path: Any = None, metadata: Any = None, **_: Any) -> AffectTaskManager:
        managers.append(AffectTaskManager(include_path, metadata))
        managers[-1].picked = picked
        return managers[-1]

    before = lm_eval.tasks.TaskManager
    lm_eval.tasks.TaskManager = make
    try:
        yield managers
    finally:
        lm_eval.tasks.TaskManager = before
