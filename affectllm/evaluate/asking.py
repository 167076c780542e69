"""The templates of the tasks of this process: reference models answer in their words, and readers read with them."""

from __future__ import annotations

from affectllm.errors import AffectError
from affectllm.instruct import Template

_TEMPLATES: dict[str, Template] = {}


def remember(task: str, template: Template) -> None:
    """Note which template a task asks with; a task that is loaded again asks with its newest."""
    _TEMPLATES[task] = template


def template_of(task: str) -> Template:
    """The template of a task.

    Raises:
        AffectError: when it is no task of ours, or was not loaded in this process.
    """
    if task not in _TEMPLATES:
        raise AffectError(f"{task} is no task of affectllm, so its answers are not known")
    return _TEMPLATES[task]
