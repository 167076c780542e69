"""What there is: lists, single things, audits, as text for a terminal."""

from __future__ import annotations

import difflib
import inspect
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import locate, parse_roots
from affectllm.errors import Malformed, MissingCorpus, NotFound
from affectllm.evaluate.matrix import read_tasks
from affectllm.evaluate.shelf import all_tasks


def ls(kind: str | None) -> None:
    """Print one list, or all of them."""
    for name, rows in _LISTS.items():
        if kind in (None, name):
            print(f"\n{name}" if kind is None else name)
            print("\n".join(_columns(rows())))


def show(words: Sequence[str], count: int, pairs: Sequence[str]) -> None:
    """Print a corpus card with its first samples, a recipe, a mixture, a task page, a template, a metric or a family.

    Args:
        words: a name, or its kind and the name (``metric uar``).
        count: samples of a corpus.
        pairs: where corpora lie, ``NAME=DIR``.

    Raises:
        NotFound: when nothing has this name.
    """
    from affectllm.metrics import METRICS

    kind, name = (words[0], words[1]) if len(words) == 2 else ("", " ".join(words))
    if kind in ("family", "backbone") or (name in registry.names("families") and not kind):
        _show_family(name)
        return
    if kind == "metric" or (name in METRICS and not kind):
        _show_metric(name)
        return
    if name in registry.names("data_builders"):
        _show_corpus(name, count, pairs)
        return
    tasks = all_tasks()
    pages = {**_prompts(), **{task: entry.path for task, entry in tasks.items()}, **registry.names("recipes")}
    pages |= registry.names("recipes/mixtures")
    if name not in pages:
        known = [*registry.names("data_builders"), *pages, *METRICS, *registry.names("families")]
        near = difflib.get_close_matches(name, known, n=3)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise NotFound(f"nothing is called {name!r}", do=f"{hint}See `affectllm ls`")
    if name in tasks and tasks[name].chosen:
        print(f"# {tasks[name].where()}\n{tasks[name].as_page()}")
        return
    print(f"# {pages[name]}\n{pages[name].read_text(encoding='utf-8')}")


def _show_family(name: str) -> None:
    from affectllm.model.family import find_family

    family = find_family(name)
    heard = "any length" if family.longest_sound is None else f"{family.longest_sound:g} s"
    facts = {
        "class": family.model_class,
        "model_type": ", ".join(family.model_types),
        "takes": ", ".join(sorted(family.modalities)),
        "hears": heard if "audio" in family.modalities else "–",
        "video": {"": "frames alone", "after": "frames, then their sound"}.get(family.sound, "frames and sound in turn")
        if "video" in family.modalities
        else "–",
        "sizes": f"multiples of {family.frame_factor} pixels" if {"video", "image"} & family.modalities else "–",
        "template": family.template,
        "packs": "yes" if family.packs else "no",
    }
    print("\n".join(f"{key:>10}  {value}" for key, value in facts.items()))
    for tower, prefix in family.towers.items():
        print(f"{'tower':>10}  {tower}: {prefix}, LoRA on {', '.join(family.targets[tower])}")
    print(f"{'file':>10}  {family.file}")


def _show_metric(name: str) -> None:
    from affectllm.metrics.core.metric import find_metric

    metric = find_metric(name)
    low, high = metric.range
    print(f"{metric.name} ({metric.form.name}: {metric.form.told})\n")
    print(inspect.cleandoc(metric.__doc__ or ""))
    print(f"\nrange   {low:g} to {high:g}, {metric.better} is better\nsource  {metric.source}")
    for option, default in metric.options.items():
        print(f"option  {option} (default: {default!r})")
    for column in metric.columns:
        print(f"column  {column}, one value an item")
    for system, told in metric.compat.items():
        print(f"compat  {system}: {told}")


def audit(names: Sequence[str], pairs: Sequence[str], *, media: bool, as_json: bool) -> int:
    """Print an audit per corpus; 0 when all are as promised, else 1."""
    from tqdm import tqdm

    from affectllm.corpus.audit import audit as compare
    from affectllm.model.probe import probe

    roots, reports = parse_roots(pairs), []
    for name in names:
        with tqdm(desc=f"auditing {name}", unit=" samples", file=sys.stderr) as bar:
            reports.append(compare(name, locate(name, roots), media, probe, lambda _: bar.update()))
    if as_json:
        print(json.dumps([report.to_json() for report in reports], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(report.render() for report in reports))
    return int(not all(report.ok for report in reports))


def _show_corpus(name: str, count: int, pairs: Sequence[str]) -> None:
    card = load_builder(name).CARD
    print("\n".join(f"{key:>14}  {value}" for key, value in _card_lines(card)))
    try:
        root = locate(name, parse_roots(pairs))
    except MissingCorpus as error:
        print(f"\nno samples shown: {error}")
        return
    kept = (item for item in load_builder(name).samples(root) if isinstance(item, Sample))
    for _, sample in zip(range(count), kept, strict=False):
        print("\n" + json.dumps(sample.to_json(), indent=2, ensure_ascii=False))


def _card_lines(card: CorpusCard) -> Iterable[tuple[str, Any]]:
    yield "corpus", f"{card.title} ({card.name})"
    yield "citation", card.citation
    yield "url", card.url
    yield "licence", f"{card.licence}, access: {card.access}, redistribution: {_yes(card.redistribution)}"
    yield "languages", ", ".join(card.languages)
    yield "modalities", ", ".join(card.modalities)
    yield "splits", f"{card.promised()} ({card.split_policy})"
    for space in card.spaces:
        yield "label space", f"{space.name} ({space.kind}): {', '.join(space.names) or 'free text'}"
    for rater, told in card.raters.items():
        yield "rater", f"{rater}: {told}"
    yield "to obtain", card.obtain
    for note in card.notes:
        yield "note", note


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


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
        yield name, _comment(path)


def _tasks() -> Iterable[Sequence[str]]:
    yield "NAME", "WHAT"
    rows: dict[str, str] = {}
    for name, path in registry.names("eval_tasks").items():
        try:
            rows |= {entry.name: entry.what() for entry in read_tasks(path)}
        except Malformed as error:
            rows[name] = f"BROKEN: {error.where}: {error.what}"
    yield from sorted(rows.items())


def _comment(path: Path) -> str:
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def _prompts() -> dict[str, Path]:
    from affectllm.instruct.wording import PROMPTS

    return {path.stem: path for path in sorted(PROMPTS.glob("*.yaml"))}


def _templates() -> Iterable[Sequence[str]]:
    from affectllm.instruct.wording import load_wording

    yield "NAME", "ASKS FOR", "TOLD", "LANGUAGES", "WHAT"
    for name, path in _prompts().items():
        page = load_wording(name)
        told = ", ".join((*page.given, *page.facts)) or "–"
        yield name, ", ".join(page.slots.values()), told, ", ".join(page.speeches), _comment(path)


def _mixtures() -> Iterable[Sequence[str]]:
    from affectllm.instruct.mixture_page import load_mixture

    yield "NAME", "CORPORA", "PARTS", "CONVERSATIONS", "WHAT"
    for name, path in registry.names("recipes/mixtures").items():
        page = load_mixture(name)
        size = f"about {page.expected:,}" if page.expected else "–"
        yield name, str(len(page.corpora())), str(len(page.mixture)), size, _comment(path)


def _metrics() -> Iterable[Sequence[str]]:
    from affectllm.metrics import METRICS

    yield "NAME", "TAKES", "RANGE", "COMPAT", "DEFINITION"
    for metric in sorted(METRICS.values(), key=lambda metric: metric.name):
        low, high = metric.range
        yield metric.name, metric.form.name, f"{low:g}…{high:g}", ", ".join(metric.compat) or "–", metric.definition


def _families() -> Iterable[Sequence[str]]:
    from affectllm.model.family import families

    yield "NAME", "MODALITIES", "TOWERS", "CLASS"
    for family in families().values():
        yield family.name, ", ".join(sorted(family.modalities)), ", ".join(family.towers), family.model_class


def _methods() -> Iterable[Sequence[str]]:
    from affectllm.train.method import find_method, method_names

    yield "NAME", "WHAT", "FIELDS OF trainer", "NEEDS"
    for name in method_names():
        method = find_method(name)
        yield name, method.title, method.config, f"{method.needs} in every part" if method.needs else "–"


_LISTS = {
    "corpora": _corpora,
    "tasks": _tasks,
    "recipes": lambda: _first_comments("recipes"),
    "mixtures": _mixtures,
    "templates": _templates,
    "metrics": _metrics,
    "families": _families,
    "methods": _methods,
}


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    table = [list(row) for row in rows]
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
