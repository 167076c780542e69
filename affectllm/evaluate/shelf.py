"""List the tasks and groups of the folders ``eval_tasks/``, by name.

lm-eval skips a YAML that does not load, and says so at debug level only. ``check_pages`` reads every file of the
folders first, and names each broken one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from affectllm import registry
from affectllm.corpus.selection import Selection
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.matrix import TASK, TaskEntry, read_tasks
from affectllm.evaluate.page import TaskPage
from affectllm.evaluate.scoring.suites import Suite
from affectllm.yaml_page import read_page


def all_tasks() -> dict[str, TaskEntry]:
    """Return every task and group by name, the variants of a page behind it.

    Raises:
        Malformed: when a page or its matrix does not load, or one name is given twice.
    """
    return _by_name(entry for path in registry.names("eval_tasks").values() for entry in read_tasks(path))


def find_task(name: str) -> TaskEntry:
    """Return the task or group called ``name``.

    Raises:
        NotFound: when there is none; the message names the nearest ones.
        Malformed: when its page does not load.
    """
    pages = registry.names("eval_tasks")
    if name in pages:
        return read_tasks(pages[name])[0]
    entries = all_tasks()
    if name not in entries:
        raise absent_task(name, entries)
    return entries[name]


def absent_task(name: str, known: Iterable[str]) -> NotFound:
    """Return the error for a name that is no task: what it is called now, or the nearest ones."""
    new = renamed().get(name)
    if new is None:
        return registry.absent("eval_tasks", name, known)
    return NotFound(f"the task {name} is called {new} now")


def renamed() -> dict[str, str]:
    """Return old name → new one, of the ``_renamed.yaml`` of every folder of tasks."""
    pages = [folder / "_renamed.yaml" for folder in registry.folders("eval_tasks")]
    return {old: str(new) for page in pages if page.is_file() for old, new in read_page(page, TASK).value.items()}


def task_sources(names: Sequence[str]) -> dict[str, Selection]:
    """Return task → what it scores, for our tasks and the members of groups; plain lm-eval tasks are left out.

    Raises:
        NotFound: when a name is neither a task nor a group of ours.
    """
    return {one.name: TaskPage.take(dict(one.config), one.where).selection for one in members_of(names)}


def members_of(names: Sequence[str]) -> list[TaskEntry]:
    """Return our tasks among names and the members of groups; plain lm-eval tasks are left out.

    Raises:
        NotFound: when a name is neither a task nor a group of ours.
    """
    known: dict[str, TaskEntry] = {}
    found: dict[str, TaskEntry] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        entry = known[name] if name in known else find_task(name)
        if entry.chosen and not known:
            known = all_tasks()  # a variant was looked for in every page, so the next ones need not be
        waiting += entry.members() if entry.is_group else []
        if entry.ours:
            found[name] = entry
    return list(found.values())


def ours_among(names: Sequence[str], include_path: str | None = None) -> list[str]:
    """Return those of the names that are tasks of ours.

    Args:
        include_path: folder of further pages of lm-eval.

    Raises:
        NotFound: when neither we nor lm-eval have a task of a name; the message names the nearest ones.
    """
    entries = all_tasks()
    for name in (name for name in names if name not in entries):
        from affectllm.evaluate.plain.theirs import looked_up  # brings lm-eval

        found, near = looked_up(name, include_path)
        if not found:
            raise absent_task(name, [*entries, *near])
    return [name for name in names if name in entries]


def all_ours(names: Sequence[str]) -> bool:
    """Return whether names are tasks of our class, or groups of nothing else; False for none, patterns and tags."""
    entries = all_tasks()
    waiting = list(names)
    while waiting:
        entry = entries.get(waiting.pop())
        if entry is None or not (entry.ours or entry.members()):
            return False
        waiting += entry.members()
    return bool(names)


def check_pages() -> dict[str, TaskEntry]:
    """Read every page of every folder, check it, and return the tasks and groups by name.

    Raises:
        Malformed: when a page does not load; all broken ones are named.
    """
    entries: list[TaskEntry] = []
    problems: list[str] = []
    for path in registry.names("eval_tasks").values():
        try:
            entries += read_tasks(path)
        except AffectError as error:
            problems.append(str(error))
    known = {entry.name for entry in entries} | set(registry.names("eval_tasks"))
    corpora = set(registry.names("data_builders"))
    problems += [problem for entry in entries for problem in _problems(entry, known, corpora)]
    if problems:
        message = "\n  ".join(dict.fromkeys(problems))
        raise Malformed(f"some task pages do not load:\n  {message}", do="correct or remove these files")
    return _by_name(entries)


def _by_name(entries: Iterable[TaskEntry]) -> dict[str, TaskEntry]:
    by_name: dict[str, TaskEntry] = {}
    for entry in entries:
        if entry.name in by_name:
            message = f"{entry.name} exists twice: {by_name[entry.name].where()} and {entry.where()}"
            raise Malformed(message, do="rename one of the two")
        by_name[entry.name] = entry
    return dict(sorted(by_name.items()))


def _problems(entry: TaskEntry, known: Collection[str], corpora: Collection[str]) -> list[str]:
    config, key = entry.config, "group" if entry.is_group else "task"
    if config.get(key) != entry.name:
        return [f"{entry.where(key)}: the file is called {entry.name}, its {key} {config.get(key)!r}"]
    if entry.is_group:
        return _group_problems(entry, known)
    if not entry.ours:
        return []  # somebody's plain lm-eval task: lm-eval reads it
    try:
        page = TaskPage.take(dict(config), entry.where)
    except Malformed as error:
        return [str(error)]
    if page.corpus not in corpora:
        return [f"{entry.where('corpus')}: there is no corpus called {page.corpus!r}"]
    return []


def _group_problems(entry: TaskEntry, known: Collection[str]) -> list[str]:
    if not isinstance(entry.config.get("task"), list):
        return [f"{entry.where('task')}: task must be the list of the group's tasks"]
    missing = [member for member in entry.members() if member not in known]
    problems = [f"{entry.where('task')}: there is no task called {member!r}" for member in missing]
    try:
        Suite.read(entry.name, entry.members(), entry.config.get("metadata"), entry.where("metadata"))
    except Malformed as error:
        problems.append(str(error))
    return problems


def page_files(names: Iterable[str], entries: Mapping[str, TaskEntry]) -> dict[str, Path]:
    """Return name → file, for tasks, groups and the members of groups."""
    return {name: entries[name].path for name in with_members(names, entries)}


def with_members(names: Iterable[str], entries: Mapping[str, TaskEntry]) -> list[str]:
    """Return the names that are tasks or groups of ours, and the members of groups, sorted."""
    known: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in entries and name not in known:
            known.add(name)
            waiting += entries[name].members()
    return sorted(known)
