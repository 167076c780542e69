"""The registry: names → files in the built-in, installed and local folders. Listing imports nothing.

A corpus, task, model family or language is one file whose name is its name, whatever section it lies in; a recipe is
called by its path, as in ``qwen2_audio_7b/ser_sft_lora``. Folders are searched in this order, and one name in two
places is an error, never a silent override:

1. built in: ``affectllm.data_builders``, ``affectllm.eval_tasks``, ``affectllm.recipes``, ``affectllm.model.families``,
   ``affectllm.labels.lexicon``, ``affectllm.labels.forms``, ``affectllm.train.methods``,
   ``affectllm.instruct.formats``, ``affectllm.score.reproductions`` and ``affectllm.hinting.kinds``;
2. installed: packages that name themselves under the entry-point group ``affectllm.folders``;
3. local: the folders of ``$AFFECTLLM_PATH`` (separated as in ``$PATH``).

An installed package or a local folder holds subfolders called ``data_builders``, ``eval_tasks``, ``recipes``
(with ``mixtures``, ``compositions``, ``hints`` and ``linear`` in it), ``families``, ``lexicon``, ``forms``,
``methods``, ``exports``, ``reproductions`` and ``hint_kinds``.
"""

from __future__ import annotations

import difflib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal

from affectllm.errors import Malformed, NotFound

Folder = Literal[
    "data_builders",
    "eval_tasks",
    "recipes",
    "recipes/mixtures",
    "recipes/compositions",
    "recipes/hints",
    "recipes/linear",
    "families",
    "lexicon",
    "forms",
    "methods",
    "exports",
    "steps",
    "reproductions",
    "hint_kinds",
]
SUFFIX: dict[Folder, str] = {
    **{"data_builders": ".py", "eval_tasks": ".yaml"},
    **{"recipes": ".yaml", "recipes/mixtures": ".yaml", "recipes/compositions": ".yaml", "recipes/hints": ".yaml"},
    "recipes/linear": ".yaml",
    **{"families": ".py", "lexicon": ".yaml"},
    **{"forms": ".py", "methods": ".py", "exports": ".py", "steps": ".py"},
    **{"reproductions": ".yaml", "hint_kinds": ".py"},
}
_NOUNS: dict[Folder, str] = {
    **{"data_builders": "corpus", "eval_tasks": "task", "recipes": "recipe"},
    **{"recipes/mixtures": "mixture", "recipes/compositions": "composition", "recipes/hints": "page of hints"},
    "recipes/linear": "linear protocol",
    **{"families": "family", "lexicon": "language"},
    **{"forms": "form", "methods": "training method", "exports": "format", "steps": "kind of step"},
    **{"reproductions": "reproduction", "hint_kinds": "kind of hints"},
}
# Folders of the package that lie in one of its rooms.
_ROOMS = {
    **{"families": "model.families", "lexicon": "labels.lexicon", "forms": "labels.forms"},
    **{"methods": "train.methods", "exports": "instruct.formats", "steps": "annotate.steps"},
    **{"reproductions": "score.reproductions", "hint_kinds": "hinting.kinds"},
}
_FEW, _LIKE = 20, 0.58  # names that are listed where none is like the one that was typed; how alike they must be
_WORD = re.compile(r"[_/]")
# What lies in the folder of recipes and is none.
_NO_RECIPES = ("launch/", "mixtures/", "compositions/", "hints/", "linear/")


def folders(kind: Folder) -> list[Path]:
    """Return every folder that may hold files of ``kind``, built-in first."""
    package, _, below = kind.partition("/")
    candidates = [_package_folder(f"affectllm.{_ROOMS.get(package, package)}") / below]
    candidates += [_package_folder(value) / kind for value in _installed(tuple(sys.path))]
    for local in filter(None, os.environ.get("AFFECTLLM_PATH", "").split(os.pathsep)):
        candidates.append(Path(local) / kind)
    return [folder for folder in candidates if folder.is_dir()]


@cache
def _installed(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the packages that bring folders of their own; cached, since the metadata of all packages is read."""
    return tuple(entry.value for entry in entry_points(group="affectllm.folders"))


def package(kind: Folder) -> str:
    """Return the package whose folder holds the built-in files of ``kind``."""
    return f"affectllm.{_ROOMS.get(kind, kind)}"


def noun(kind: Folder) -> str:
    """Return the noun for one file of ``kind``, as messages call it."""
    return _NOUNS[kind]


def below(kind: Folder, path: Path) -> Path | None:
    """Return ``path`` relative to the folder of ``kind`` that holds it; None where none does."""
    return next((path.relative_to(folder) for folder in folders(kind) if path.is_relative_to(folder)), None)


def sections(kind: Folder) -> dict[str, list[str]]:
    """Return section → names in it, both sorted; files in no section come first, under ""."""
    by_section: dict[str, list[str]] = {}
    for name, path in names(kind).items():
        place = below(kind, path)
        by_section.setdefault(place.parent.as_posix() if place and place.parent.parts else "", []).append(name)
    return dict(sorted(by_section.items()))


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise NotFound(f"the package {package} is not installed", do="reinstall affectllm: pip install affectllm")
    return Path(next(iter(spec.submodule_search_locations)))


def names(kind: Folder) -> dict[str, Path]:
    """Return name → file for every file of ``kind``, sorted by name.

    Raises:
        Malformed: when two folders hold a file of the same name.
    """
    files: dict[str, Path] = {}
    for folder in folders(kind):
        for path in sorted(folder.rglob(f"*{SUFFIX[kind]}")):
            below = path.relative_to(folder).with_suffix("").as_posix()
            if path.name.startswith(("_", ".")) or (kind == "recipes" and below.startswith(_NO_RECIPES)):
                continue
            name = below if kind.startswith("recipes") else path.stem
            if name in files:
                raise Malformed(f"{name} exists twice: {files[name]} and {path}", do="rename one of the two files")
            files[name] = path
    return dict(sorted(files.items()))


def find(kind: Folder, name: str) -> Path:
    """Return the file called ``name``.

    Raises:
        NotFound: when there is none; the message names the nearest ones.
    """
    known = names(kind)
    if name in known:
        return known[name]
    raise absent(kind, name, known)


def absent(kind: Folder, name: str, known: Iterable[str]) -> NotFound:
    """Return the error for a name that is not among ``known``; it suggests the nearest ones."""
    listed = list(known)
    near = nearest(name, listed) or (listed if len(listed) <= _FEW else [])
    message = f"did you mean {', '.join(near)}? See `affectllm ls`" if near else "see `affectllm ls`"
    return NotFound(f"there is no {_NOUNS[kind]} called {name!r}", do=message)


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the names that are most like ``name``, the likest first: as a whole, and word by word.

    Names are words between ``_`` and ``/``; of those with the same words the one with the fewest others comes first, so
    that a task comes before its variants.
    """
    words = _WORD.split(name)

    def likeness(other: str) -> float:
        its = _WORD.split(other)
        by_word = sum(max(_ratio(word, one) for one in its) for word in words) / len(words)
        first = 0.1 * (words[0] == its[0])  # of what: a corpus, a benchmark, a family
        return (by_word + _ratio(name, other)) / 2 + first - 0.01 * len(its)

    ranked = sorted(((likeness(other), other) for other in known), key=lambda pair: (-pair[0], pair[1]))
    return [other for value, other in ranked[:most] if value >= _LIKE]


def suggestion(name: str, known: Iterable[str], see: str = "") -> str:
    """Return what to do about a name that is not among ``known``: the nearest ones, or all where they are few.

    Args:
        see: a command that lists them, where they are many.
    """
    listed = list(known)
    if near := nearest(name, listed):
        return f"did you mean {', '.join(near)}?{f' See `{see}`' if see else ''}"
    return f"choose among {', '.join(listed)}" if len(listed) <= _FEW or not see else f"see `{see}`"


def _ratio(one: str, other: str) -> float:
    return 1.0 if one == other else difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()
