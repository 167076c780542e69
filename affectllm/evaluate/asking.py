"""Registry of the questions of this process's tasks, for reference models and readers."""

from __future__ import annotations

from affectllm.errors import AffectError
from affectllm.evaluate.question import Question
from affectllm.instruct import Template

_QUESTIONS: dict[str, Question] = {}


def remember(task: str, question: Question) -> None:
    """Register what a task asks; loading the task again replaces it."""
    _QUESTIONS[task] = question


def question_of(task: str) -> Question:
    """Return what a task asks.

    Raises:
        AffectError: when it is no task of ours, or was not loaded in this process.
    """
    if task not in _QUESTIONS:
        raise AffectError(f"{task} is no task of affectllm, so its answers are not known")
    return _QUESTIONS[task]


def template_of(task: str) -> Template:
    """Return the template of a task; raises as ``question_of``."""
    return question_of(task).template
