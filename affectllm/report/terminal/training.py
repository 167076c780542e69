"""Show a method of training, and a reward: what it needs, which keys of a recipe are its own, who uses it."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from affectllm import registry
from affectllm.errors import AffectError
from affectllm.model.heads.page import HeadPage
from affectllm.report.terminal.described import docstring
from affectllm.train.method import OURS, Method, find_method
from affectllm.train.pages.reward_page import RewardPage, TrustPage
from affectllm.train.pages.teacher_page import TeacherPage
from affectllm.train.rewards.named import NAMED
from affectllm.yaml_page import read_page

_OWN = "affectllm."


def method(name: str) -> dict[str, Any]:
    """Return what a method is, needs and refuses, as JSON types; ``recipes`` use it.

    Raises:
        Malformed: when its file does not load.
    """
    one = find_method(name)
    return {
        **{"title": one.title, "about": docstring("methods", name), "trainer": one.trainer, "fields": one.config},
        **{"needs": _needs(one), "packs": one.packs, "scored_by": one.answers_as or None},
        **{"refused": {**OURS, **one.ours}, "curves": [curve.title for curve in one.curves]},
        "recipes": list(_recipes(name)),
    }


def show_method(name: str) -> None:
    """Print a method with its own keys and the recipes that use it."""
    one, facts = find_method(name), method(name)
    print(f"{name}: {one.title}\n\n{facts['about']}\n")
    lines = {
        "needs": "; ".join(facts["needs"]) or "conversations of any mixture",
        "trainer": f"the fields of {one.config}, for {one.trainer}",
        "packs": "pack_tokens and batch_tokens" if one.packs else "no; batches are of rows",
        "scored": f"by --model {one.answers_as}" if one.answers_as else "answers no task",
        "curves": "; ".join(facts["curves"]),
    }
    print("\n".join(f"{key:>8}  {value}" for key, value in lines.items()))
    for reason in dict.fromkeys(facts["refused"].values()):
        keys = [f"trainer.{key}" for key, why in facts["refused"].items() if why == reason]
        print(f"{'not':>8}  {', '.join(keys)}: {reason}")
    for recipe in facts["recipes"]:
        print(f"{'recipe':>8}  {recipe}")
    for title, text in _keys(one):
        print(f"\n{title}\n{text}")


def reward(name: str) -> dict[str, Any]:
    """Return what a reward is, takes and needs, as JSON types."""
    one = NAMED[name]
    empty = inspect.Parameter.empty
    options = {key: None if default is empty else default for key, default in one.options.items()}
    required = [key for key, default in one.options.items() if default is empty]
    return {"about": one.told, "needs": one.needs, "options": options, "required": required}


def show_reward(name: str) -> None:
    """Print a reward with its options."""
    facts = reward(name)
    print(f"{name} (reward)\n\n{facts['about']}\n\n   needs  {facts['needs']}")
    for key, default in facts["options"].items():
        print(f"  option  {key} ({'must be given' if key in facts['required'] else f'default: {default!r}'})")
    options = ", ".join(f"{key}: …" for key in facts["required"])
    used = f"{{reward: {name}, weight: 1.0{f', options: {{{options}}}' if options else ''}}}"
    print(f"    used  rewards: [{used}] of a recipe with {' or '.join(_rewarded())}")


def _rewarded() -> list[str]:
    return [f"method: {name}" for name in registry.names("methods") if find_method(name).rewarded]


def _needs(one: Method) -> list[str]:
    needs = [f"parts of the mixture that say {one.needs} ({one.how})"] if one.needs else []
    needs += ["rewards: (see `affectllm ls rewards`)"] if one.rewarded else []
    return needs + (["teacher: {path: MODEL}"] if one.taught else [])


def _keys(one: Method) -> Iterator[tuple[str, str]]:
    """Yield what is written where for a method, from the docstrings of the pages' own classes."""
    if text := _config(one.config):
        yield "trainer:", text
    pages: Iterable[tuple[bool, str, type]] = (
        (one.rewarded, "rewards: a list of", RewardPage),
        (one.rewarded, "rewards: trust:", TrustPage),
        (one.taught, "teacher:", TeacherPage),
        (bool(one.heads), "head:", HeadPage),
    )
    for wanted, title, page in pages:
        if wanted:
            yield title, inspect.getdoc(page) or ""


def _config(dotted: str) -> str:
    """Return the docstring of a configuration class of ours, which is not imported: it would bring torch."""
    module, _, name = dotted.rpartition(".")
    spec = importlib.util.find_spec(module) if dotted.startswith(_OWN) else None
    if spec is None or spec.origin is None:
        return ""
    with open(spec.origin, encoding="utf-8") as file:
        classes = [node for node in ast.parse(file.read()).body if isinstance(node, ast.ClassDef) and node.name == name]
    return (ast.get_docstring(classes[0]) or "") if classes else ""


def _recipes(name: str) -> Iterator[str]:
    """Yield the recipes with the method; `affectllm ls recipes` shows broken pages, which are none of them."""
    for recipe, path in registry.names("recipes").items():
        try:
            page = read_page(path).value
        except AffectError:
            continue
        if page.get("method", "sft") == name:
            yield recipe
