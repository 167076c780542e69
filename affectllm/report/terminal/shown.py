"""Print one item as text: a corpus with samples, a page, a metric, a family."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterable, Sequence
from typing import Any

from affectllm import registry
from affectllm.corpus import CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import Roots
from affectllm.errors import MissingCorpus, NotFound
from affectllm.evaluate.shelf import all_tasks
from affectllm.instruct.wording import template_pages


def show(words: Sequence[str], count: int, roots: Roots) -> None:
    """Print a corpus card with its first samples, a recipe, a mixture, a task page, a template, a metric or a family.

    Args:
        words: a name, or its kind and the name (``metric uar``, ``reproduction sage``).
        count: samples of a corpus.
        roots: where corpora lie.

    Raises:
        NotFound: when nothing has this name.
    """
    from affectllm.metrics import METRICS

    kind, name = (words[0], words[1]) if len(words) == 2 else ("", " ".join(words))
    if kind in ("family", "backbone") or (name in registry.names("families") and not kind):
        _show_family(name)
        return
    if kind == "reproduction":
        path = registry.find("reproductions", name)
        print(f"# {path}\n{path.read_text(encoding='utf-8')}")
        return
    if kind == "metric" or (name in METRICS and not kind):
        _show_metric(name)
        return
    if name in registry.names("data_builders"):
        _show_corpus(name, count, roots)
        return
    pages = {**template_pages(), **registry.names("eval_tasks"), **registry.names("recipes")}
    pages |= {**registry.names("recipes/mixtures"), **registry.names("recipes/hints")}
    if name in pages:
        print(f"# {pages[name]}\n{pages[name].read_text(encoding='utf-8')}")
        return
    tasks = all_tasks()  # the variants of a page are read only for a name that is no file's
    if name not in tasks:
        names = [*registry.names("data_builders"), *pages, *tasks, *METRICS, *registry.names("families")]
        near = difflib.get_close_matches(name, set(names), n=3)
        hint = f"did you mean {', '.join(near)}? " if near else ""
        raise NotFound(f"nothing is called {name!r}", do=f"{hint}See `affectllm ls`")
    print(f"# {tasks[name].where()}\n{tasks[name].as_page()}")


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
        "4 bits": f"layers of the language model alone, without {', '.join(family.parameters['language'])}"
        if family.parameters.get("language")
        else "layers of the language model alone",
    }
    print("\n".join(f"{key:>10}  {value}" for key, value in facts.items()))
    for tower, prefix in family.towers.items():
        weights = family.parameters.get(tower, ())
        adapted = ", ".join(family.targets[tower] or weights)
        named = f", and where named on {', '.join(weights)}" if weights and family.targets[tower] else ""
        print(f"{'tower':>10}  {tower}: {prefix}, LoRA on {adapted}{named}")
    print(f"{'file':>10}  {family.file}")


def _show_metric(name: str) -> None:
    from affectllm.metrics.metric import find_metric

    metric = find_metric(name)
    low, high = metric.range
    print(f"{metric.name} ({metric.form.name}: {metric.form.description})\n")
    print(inspect.cleandoc(metric.__doc__ or ""))
    print(f"\nrange   {low:g} to {high:g}, {metric.better} is better\nsource  {metric.source}")
    for option, default in metric.options.items():
        print(f"option  {option} (default: {default!r})")
    for column in metric.columns:
        print(f"column  {column}, one value an item")
    for system, description in metric.compat.items():
        print(f"compat  {system}: {description}")


def _show_corpus(name: str, count: int, roots: Roots) -> None:
    card = load_builder(name).CARD
    print("\n".join(f"{key:>14}  {value}" for key, value in _card_lines(card)))
    try:
        root = roots.find(name)
    except MissingCorpus as error:
        print(f"\nno samples shown: {error}")
        return
    samples = (item for item in load_builder(name).samples(root) if isinstance(item, Sample))
    for _, sample in zip(range(count), samples, strict=False):
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
    for rater, description in card.raters.items():
        yield "rater", f"{rater}: {description}"
    yield "to obtain", card.obtain
    for note in card.notes:
        yield "note", note


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
