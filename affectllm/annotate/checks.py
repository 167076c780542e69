"""What must hold of the steps of a page before a model is loaded, and errors that name the line of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from affectllm.annotate.step import Step
from affectllm.errors import AffectError, Malformed
from affectllm.model.clips.budget import Budget
from affectllm.page_schema import build
from affectllm.yaml_page import Page

_COUNTS = ("tokens", "items")


@contextmanager
def at_line(page: Page, *path: str | int) -> Iterator[None]:
    """Give an error the line of the page: what it calls ``where`` is a key below ``path``."""
    try:
        yield
    except AffectError as error:
        raise type(error)(error.what, where=page.where((*path, error.where)), do=error.do) from error


def check_steps(steps: Sequence[Step], models: Mapping[str, object], page: Page) -> None:
    """Raise ``Malformed`` with file and line for steps that do not fit together, or a value that cannot be."""
    earlier: dict[str, Step] = {}
    for number, step in enumerate(steps):
        with at_line(page, "steps", number):
            _check_values(step, page.value["steps"][number])
            _check_names(step, earlier, models)
            step.follows(earlier)
        earlier[step.name] = step
    used = {model for step in steps for model in step.asked_models()}
    if idle := sorted(set(models) - used):
        raise Malformed(f"no step asks the model {idle[0]!r}", where=page.where(("models", idle[0])))


def check_model(name: str, budget: Mapping[str, Any], seconds: float, page: Page) -> None:
    """Raise ``Malformed`` with file and line for a media budget, or a time of an answer, that cannot be."""
    place = ("models", name, "budget")
    if budget:
        build(Budget, page, place)
    for key, value in budget.items():
        if not isinstance(value, str) and not value > 0:  # written so that NaN is caught
            raise Malformed(f"{key} of a budget is above 0, not {value}", where=page.where((*place, key)))
    if not seconds >= 0:
        raise Malformed(f"seconds are 0 or more, not {seconds}", where=page.where(("models", name, "seconds")))


def _check_values(step: Step, given: Mapping[str, object]) -> None:
    for key in given:
        value = getattr(step, key)
        if key in _COUNTS and isinstance(value, int) and value < 1:
            raise Malformed(f"{step.name}: {key} is at least 1, not {value}", where=key)
        if not isinstance(value, tuple) or not all(isinstance(one, str) for one in value):
            continue
        if not value:
            raise Malformed(f"{step.name}: {key} is an empty list", where=key, do="name at least one")
        if twice := next((one for one in value if value.count(one) > 1), ""):
            raise Malformed(f"{step.name}: {key} names {twice!r} twice", where=key, do="leave out one of the two")


def _check_names(step: Step, earlier: Mapping[str, Step], models: Mapping[str, object]) -> None:
    if step.name in earlier or not step.name.isidentifier():
        message = f"a second step is called {step.name!r}, or it is no name"
        raise Malformed(message, where="name", do="give it a name")
    if missing := [name for name in step.asked_models() if name not in models]:
        raise Malformed(f"there is no model {missing[0]!r}", do=f"models: {', '.join(models)}")
    for name, kinds, key in step.reads():
        if name not in earlier:
            message = f"no step before this one is called {name!r}"
            raise Malformed(message, where=key, do=f"there are {', '.join(sorted(earlier)) or 'none'}")
        if (left := earlier[name].leaves) and left not in kinds:
            fitting = [other.name for other in earlier.values() if other.leaves in kinds]
            message = f"{step.name} reads {' or '.join(kinds)}, and {name} leaves {left}"
            raise Malformed(
                message, where=key, do=f"such are left by {', '.join(fitting) or 'none of the steps before'}"
            )
