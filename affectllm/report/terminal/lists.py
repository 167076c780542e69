"""Print lists of corpora, tasks, templates and other registered items."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from affectllm import registry
from affectllm.corpus.builder import load_builder
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.evaluate.matrix import read_tasks
from affectllm.yaml_page import first_comment


def ls(kind: str | None, words: Sequence[str] = (), as_json: bool = False) -> None:
    """Print one list, or all of them.

    Args:
        kind: which list; None for all.
        words: print only the rows that hold all of them, whatever their case.
        as_json: print one array of objects with ``kind`` and the columns by their names.

    Raises:
        NotFound: when no row holds all words.
    """
    tables = {name: _table(rows(), words) for name, rows in _LISTS.items() if kind in (None, name)}
    if words:
        tables = {name: table for name, table in tables.items() if len(table) > 1}
    if not tables:
        raise NotFound(f"nothing has {' and '.join(map(repr, words))} in its row", do=_near(kind, words))
    if as_json:
        print(json.dumps([row for name, table in tables.items() for row in _objects(name, table)], ensure_ascii=False))
        return
    for name, table in tables.items():
        print(f"\n{name}" if kind is None else name)
        print("\n".join(_columns(table)))


def _table(rows: Iterable[Sequence[str]], words: Sequence[str]) -> list[Sequence[str]]:
    """Return the head and the rows that hold all words; without the names of sections, where some are asked for."""
    head, *others = rows
    if not words:
        return [head, *others]
    sought = [word.casefold() for word in words]
    return [head, *(row for row in others if any(row[1:]) and all(word in " ".join(row).casefold() for word in sought))]


def _objects(kind: str, table: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    keys = [column.lower().replace(" ", "_") for column in table[0]]
    for row in table[1:]:
        if any(row[1:]):  # else the name of a section
            yield {"kind": kind, **dict(zip(keys, row, strict=True))}


def _near(kind: str | None, words: Sequence[str]) -> str:
    names = {
        row[0]
        for name, rows in _LISTS.items()
        if kind in (None, name)
        for row in _table(rows(), ())[1:]
        if any(row[1:])
    }
    near = [close for word in words for close in difflib.get_close_matches(word, names | set(_LISTS), n=3)]
    return f"did you mean {', '.join(dict.fromkeys(near))}?" if near else "`affectllm ls` alone lists everything"


def _corpora() -> Iterable[Sequence[str]]:
    yield "NAME", "LICENCE", "ACCESS", "LANGUAGES", "MODALITIES", "LABEL SPACES", "COUNTS"
    for section, names in registry.sections("data_builders").items():
        if section:
            yield f"{section}/", *[""] * 6
        yield from map(_corpus, names)


def _corpus(name: str) -> Sequence[str]:
    try:
        card = load_builder(name).CARD
    except Malformed as error:
        return name, "BROKEN", "", "", "", "", f"{error.where}: {error.what}"
    spaces = ", ".join(space.name for space in card.spaces)
    languages, modalities = ", ".join(card.languages), ", ".join(card.modalities)
    return name, card.licence, card.access, languages, modalities, spaces, card.promised()


def _first_comments(kind: registry.Folder) -> Iterable[Sequence[str]]:
    yield "NAME", "WHAT"
    for name, path in registry.names(kind).items():
        yield name, first_comment(path)


def _tasks() -> Iterable[Sequence[str]]:
    yield "NAME", "WHAT"
    rows: dict[str, str] = {}
    for name, path in registry.names("eval_tasks").items():
        try:
            rows |= {entry.name: entry.what() for entry in read_tasks(path)}
        except AffectError as error:
            rows[name] = f"BROKEN: {error.where}: {error.what}"
    yield from sorted(rows.items())


def _templates() -> Iterable[Sequence[str]]:
    from affectllm.instruct.wording import load_wording, template_pages

    yield "NAME", "ASKS FOR", "TOLD", "LANGUAGES", "WHAT"
    for name, path in template_pages().items():
        page = load_wording(name)
        facts = ", ".join((*page.given, *page.facts)) or "–"
        yield name, ", ".join(page.slots.values()), facts, ", ".join(page.speeches), first_comment(path)


def _mixtures() -> Iterable[Sequence[str]]:
    from affectllm.instruct.mixture_page import load_mixture

    yield "NAME", "CORPORA", "PARTS", "CONVERSATIONS", "WHAT"
    for name, path in registry.names("recipes/mixtures").items():
        page = load_mixture(name)
        size = f"about {page.expected:,}" if page.expected else "–"
        yield name, str(len(page.corpora())), str(len(page.mixture)), size, first_comment(path)


def _metrics() -> Iterable[Sequence[str]]:
    from affectllm.metrics import METRICS

    yield "NAME", "TAKES", "RANGE", "COMPAT", "DEFINITION"
    for metric in sorted(METRICS.values(), key=lambda metric: metric.name):
        low, high = metric.range
        yield metric.name, metric.form.name, f"{low:g}…{high:g}", ", ".join(metric.compat) or "–", metric.definition


def _families() -> Iterable[Sequence[str]]:
    from affectllm.model.family import find_family

    yield "NAME", "MODALITIES", "TOWERS", "CLASS"
    for name, family in _members("families", find_family):
        if isinstance(family, str):
            yield name, family, "", ""
        else:
            yield name, ", ".join(sorted(family.modalities)), ", ".join(family.towers), family.model_class


def _methods() -> Iterable[Sequence[str]]:
    from affectllm.train.method import find_method

    yield "NAME", "WHAT", "FIELDS OF trainer", "NEEDS"
    for name, method in _members("methods", find_method):
        needs = "–" if isinstance(method, str) or not method.needs else f"{method.needs} in every part"
        yield (name, method, "", "") if isinstance(method, str) else (name, method.title, method.config, needs)


def _rewards() -> Iterable[Sequence[str]]:
    from affectllm.train.rewards.named import NAMED

    yield "NAME", "WHAT", "OPTIONS", "NEEDS"
    for name, reward in sorted(NAMED.items()):
        yield name, reward.definition, ", ".join(reward.options) or "–", reward.needs
    yield "METRIC", "Any metric that is defined on a single reply and of which more is better.", "–", "–"
    yield "FILE.py:FUNCTION", "A function of one's own, which TRL would take in reward_funcs.", "–", "–"


def _forms() -> Iterable[Sequence[str]]:
    from affectllm.labels.form import find_form

    yield "NAME", "AN ANSWER IS", "LABEL SPACES OF THE KIND"
    for name, form in _members("forms", find_form):
        yield (name, form, "") if isinstance(form, str) else (name, form.description, ", ".join(form.kinds))


def _exports() -> Iterable[Sequence[str]]:
    from affectllm.instruct.exports import find_format

    yield "NAME", "WHAT"
    for name, form in _members("exports", find_format):
        yield name.replace("_", "-"), form if isinstance(form, str) else form.title


def _members(kind: registry.Folder, find: Callable[[str], Any]) -> Iterable[tuple[str, Any]]:
    """Yield the members of a registry folder of Python files; for a broken file its error message."""
    for name in registry.names(kind):
        try:
            yield name, find(name)
        except Malformed as error:
            yield name, f"BROKEN: {error.where}: {error.what}"


_LISTS = {
    "corpora": _corpora,
    "tasks": _tasks,
    "recipes": lambda: _first_comments("recipes"),
    "mixtures": _mixtures,
    "templates": _templates,
    "metrics": _metrics,
    "families": _families,
    "methods": _methods,
    "rewards": _rewards,
    "forms": _forms,
    "languages": lambda: _first_comments("lexicon"),
    "exports": _exports,
    "reproductions": lambda: _first_comments("reproductions"),
    "hints": lambda: _first_comments("recipes/hints"),
    "protocols": lambda: _first_comments("recipes/linear"),
}


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    table = [list(row) for row in rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
