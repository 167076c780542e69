"""Registry of the templates of this process's tasks, for reference models and readers."""

from __future__ import annotations

from affectllm.errors import AffectError
from affectllm.instruct import Template

_TEMPLATES: dict[str, Template] = {}


def remember(task: str, template: Template) -> None:
    """Register the template of a task; loading the task again replaces it."""
    _TEMPLATES[task] = template


def template_of(task: str) -> Template:
    """Return the template of a task.

    Raises:
        AffectError: when it is no task of ours, or was not loaded in this process.
    """
    if task not in _TEMPLATES:
        raise AffectError(f"{task} is no task of affectllm, so its answers are not known")
    return _TEMPLATES[task]
