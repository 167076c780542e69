"""Describe one item for programs: what ``affectllm show`` prints as text, as JSON types."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import Roots
from affectllm.errors import AffectError, MissingCorpus
from affectllm.evaluate.matrix import TASK, TaskEntry
from affectllm.yaml_page import read_page


def page(path: Path) -> dict[str, Any]:
    """Return file, text and values of a page; ``page`` is None, and ``broken`` says why, where it does not load."""
    facts: dict[str, Any] = {"file": str(path), "text": path.read_text(encoding="utf-8", errors="replace")}
    try:
        return {**facts, "page": _plain(read_page(path, TASK).value)}
    except AffectError as error:
        return {**facts, "page": None, "broken": str(error)}


def variant(task: TaskEntry) -> dict[str, Any]:
    """Return file and line, text and values of a task that a matrix defines."""
    return {"file": task.where(), "text": task.as_page(), "page": _plain(task.config)}


def corpus(name: str, count: int, roots: Roots) -> dict[str, Any]:
    """Return the card and the first samples; ``samples`` is None, and ``missing`` says why, without the corpus."""
    builder = load_builder(name)
    card = _plain(dataclasses.asdict(builder.CARD))
    try:
        root = roots.find(name)
    except MissingCorpus as error:
        return {"card": card, "samples": None, "missing": str(error)}
    samples = (item for item in builder.samples(root) if isinstance(item, Sample))
    return {"card": card, "samples": [sample.to_json() for _, sample in zip(range(count), samples, strict=False)]}


def metric(name: str) -> dict[str, Any]:
    """Return the properties of a metric and its definition."""
    from affectllm.metrics.core.metric import find_metric

    one = find_metric(name)
    facts = {key: getattr(one, key) for key in ("title", "range", "better", "source", "options", "columns", "compat")}
    return _plain({"form": one.form.name, "definition": inspect.cleandoc(one.__doc__ or ""), **facts})


def family(name: str) -> dict[str, Any]:
    """Return the fields of a family that say something in words and numbers.

    Raises:
        Malformed: when its file does not load.
    """
    from affectllm.model.family import find_family

    one = find_family(name)
    fields = {key.name: getattr(one, key.name) for key in dataclasses.fields(one) if key.name != "name"}
    return _plain({key: value for key, value in fields.items() if not callable(value)})


def _plain(value: Any) -> Any:
    """Return a value of pages, cards and descriptions as JSON types; sets become sorted lists."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(map(_plain, value))
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def form(name: str) -> dict[str, Any]:
    """Return what an answer of a form is, the kinds of label space that it is of, and the templates that ask for it.

    Raises:
        Malformed: when its file does not load.
    """
    from affectllm.instruct.wording import load_wording, template_pages
    from affectllm.labels.form import find_form

    one = find_form(name)
    templates = [page for page in template_pages() if name in load_wording(page).slots.values()]
    facts = {"title": one.description, "about": docstring("forms", name), "spaces": list(one.kinds)}
    return {**facts, "templates": templates, "file": str(registry.find("forms", name))}


def export(name: str) -> dict[str, Any]:
    """Return what a format of other trainers writes.

    Raises:
        Malformed: when its file does not load.
    """
    from affectllm.instruct.exports import find_format

    plain = name.replace("-", "_")
    facts = {"title": find_format(name).title, "about": docstring("exports", plain)}
    return {**facts, "used": f"affectllm export … --to {name}", "file": str(registry.find("exports", plain))}


def docstring(folder: registry.Folder, name: str) -> str:
    """Return what a file of a shelf says of itself, without importing it."""
    return inspect.cleandoc(ast.get_docstring(ast.parse(registry.find(folder, name).read_bytes())) or "")
