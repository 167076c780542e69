"""``teacher:`` of a recipe: the model from whose distributions a student learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.errors import BadRecipe
from affectllm.train.method import Method
from affectllm.yaml_page import Page


@dataclass(frozen=True)
class TeacherPage:
    """The teacher: of the student's family, with the same tokens and the same preparation of clips.

    Args:
        path: Hub id, folder, folder of an adapter, or ``tiny:<family>``.
        adapter: folder or Hub id of an adapter that is put on it; None for none.
    """

    path: str
    adapter: str | None = None


def check_taught(teacher: TeacherPage | None, name: str, method: Method, peft: Mapping[str, Any], page: Page) -> None:
    """Make sure that a page names a teacher where its method has one, and nowhere else.

    Args:
        name: of the method.
        peft: of the recipe; empty for none.

    Raises:
        BadRecipe: with the line; also for layers that the divergence would pass by.
    """
    if (teacher is not None) != method.taught:
        message = "learns from a teacher" if method.taught else "learns from no teacher"
        do = "add teacher: {path: MODEL}" if method.taught else "remove it, or choose method: distil"
        where = page.where(("teacher" if teacher is not None else "method",))
        raise BadRecipe(f"{name} {message}", where=where, do=do)
    layers = peft.get("target_modules") or ()
    if method.taught and not isinstance(layers, str) and "lm_head" in layers:
        message = "the divergence is computed from the weights of lm_head, without an adapter on it"
        raise BadRecipe(message, where=page.where(("peft", "target_modules")), do="leave lm_head out")
