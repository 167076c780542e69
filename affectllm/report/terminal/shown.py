"""Print one item as text: a corpus with samples, a page, a metric, a family, a method of training, a reward."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from affectllm import registry
from affectllm.corpus import CorpusCard, Sample
from affectllm.corpus.builder import load_builder
from affectllm.corpus.roots import Roots
from affectllm.errors import MissingCorpus, NotFound
from affectllm.evaluate.shelf import all_tasks
from affectllm.instruct.wording import template_pages
from affectllm.report.terminal import described, training
from affectllm.yaml_page import page_text

_SAME = {"backbone": "family", "suite": "task", "group": "task", "corpora": "corpus", "families": "family"}
_PAGES: dict[str, registry.Folder] = {
    **{"recipe": "recipes", "mixture": "recipes/mixtures", "composition": "recipes/compositions"},
    **{"hints": "recipes/hints", "protocol": "recipes/linear", "reproduction": "reproductions"},
}


def show(words: Sequence[str], count: int, roots: Roots, as_json: bool = False) -> None:
    """Print a corpus card with its first samples, a page, a metric, a family, a form, a method, a reward …

    Args:
        words: a name, or its kind and the name (``metric uar``, ``task dfew``), where several things have this name.
        count: samples of a corpus.
        roots: where corpora lie.
        as_json: print one object with ``kind``, ``name``, what describes it, and the ``also`` kinds of that name.

    Raises:
        NotFound: when nothing has this name, or there is no such kind.
    """
    kinds = _kinds(count, roots)
    kind, name, others = _meant(words, kinds)
    if as_json:
        print(
            json.dumps({"kind": kind, "name": name, **kinds[kind].describe(name), "also": others}, ensure_ascii=False)
        )
        return
    kinds[kind].show(name)
    for other in others:
        print(f"\n# a {other} is called {name}, too: affectllm show {other} {name}")


def _meant(words: Sequence[str], kinds: Mapping[str, _Kind]) -> tuple[str, str, list[str]]:
    """Return kind and name of what is meant, and the further kinds that have the name."""
    if len(words) > 1:
        kind, name = _SAME.get(words[0], words[0]), " ".join(words[1:])
        kind = kind if kind in kinds else kind.removesuffix("s")
        if kind not in kinds:
            raise NotFound(f"there is no kind called {words[0]!r}", do=f"write one of {', '.join(kinds)} before a name")
        if name not in kinds[kind].names():
            raise _absent(name, {kind: kinds[kind]})
        return kind, name, []
    (name,) = words
    named = [kind for kind, one in kinds.items() if name in one.own_names()]
    # The variants of task pages are read only for a name that is no file's.
    named = named or [kind for kind, one in kinds.items() if name in one.names()]
    if not named:
        raise _absent(name, kinds)
    return named[0], name, named[1:]


@dataclass(frozen=True)
class _Kind:
    """A kind of thing: its names, how one is printed and described, and the names listed without reading pages."""

    names: Callable[[], Collection[str]]
    show: Callable[[str], None]
    describe: Callable[[str], dict[str, Any]]
    quick: Callable[[], Collection[str]] | None = None

    def own_names(self) -> Collection[str]:
        return (self.quick or self.names)()


def _kinds(count: int, roots: Roots) -> dict[str, _Kind]:
    """Return kind → its names and printer; where several kinds have a name, the first one is shown."""
    from affectllm.instruct.exports import format_names
    from affectllm.metrics import METRICS
    from affectllm.train.rewards.named import NAMED

    def pages(names: Callable[[], Mapping[str, Path]]) -> _Kind:
        return _Kind(names, lambda name: _show_page(names()[name]), lambda name: described.page(names()[name]))

    def corpus(name: str) -> dict[str, Any]:
        return described.corpus(name, count, roots)

    return {
        "family": _Kind(partial(registry.names, "families"), _show_family, described.family),
        "metric": _Kind(lambda: METRICS, _show_metric, described.metric),
        "corpus": _Kind(
            partial(registry.names, "data_builders"), lambda name: _show_corpus(name, count, roots), corpus
        ),
        "template": pages(template_pages),
        "task": _Kind(all_tasks, _show_task, _task, partial(registry.names, "eval_tasks")),
        **{kind: pages(partial(registry.names, folder)) for kind, folder in _PAGES.items()},
        "language": pages(partial(registry.names, "lexicon")),
        "form": _Kind(
            partial(registry.names, "forms"), lambda name: _show_facts(name, described.form(name)), described.form
        ),
        "export": _Kind(format_names, lambda name: _show_facts(name, described.export(name)), described.export),
        "method": _Kind(partial(registry.names, "methods"), training.show_method, training.method),
        "reward": _Kind(lambda: NAMED, training.show_reward, training.reward),
    }


def _absent(name: str, kinds: Mapping[str, _Kind]) -> NotFound:
    near = difflib.get_close_matches(name, {known for one in kinds.values() for known in one.names()}, n=3)
    hint = f"did you mean {', '.join(near)}? See" if near else "see"
    nothing = f"no {next(iter(kinds))}" if len(kinds) == 1 else "nothing"
    return NotFound(f"{nothing} is called {name!r}", do=f"{hint} `affectllm ls`")


def _show_page(path: Path) -> None:
    print(f"# {path}\n{page_text(path)}")


def _show_facts(name: str, facts: Mapping[str, Any]) -> None:
    """Print what something is, what it says of itself, and the rest as lines."""
    print(f"{name}: {facts['title']}\n\n{facts['about']}\n")
    for key, value in facts.items():
        if key not in ("title", "about"):
            print(f"{key:>10}  {value if isinstance(value, str) else ', '.join(value) or '–'}")


def _show_task(name: str) -> None:
    pages = registry.names("eval_tasks")
    if name in pages:  # as it was written, also when it does not load
        _show_page(pages[name])
        return
    task = all_tasks()[name]
    print(f"# {task.where()}\n{task.as_page()}")


def _task(name: str) -> dict[str, Any]:
    pages = registry.names("eval_tasks")
    return described.page(pages[name]) if name in pages else described.variant(all_tasks()[name])


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
    from affectllm.metrics.core.metric import find_metric

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
