"""Which corpus and split the named tasks score, read from their pages alone."""

from __future__ import annotations

from collections.abc import Sequence

from affectllm import registry
from affectllm.evaluate.page import CLASS, TaskPage, read_page


def task_sources(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Task → (corpus, split), for tasks of ours and the members of groups; plain lm-eval tasks are left out.

    Raises:
        NotFound: when a name is neither a task nor a group of ours.
    """
    found: dict[str, tuple[str, str]] = {}
    waiting = list(names)
    while waiting:
        path = registry.find("eval_tasks", name := waiting.pop(0))
        config = read_page(path)
        if "group" in config:
            waiting += [member for member in config["task"] if isinstance(member, str)]
        elif config.get("class") == CLASS:
            page = TaskPage.take(config, str(path))
            found[name] = (page.corpus, page.split)
    return found
