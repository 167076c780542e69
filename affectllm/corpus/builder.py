"""The builder contract: one Python file a corpus, with ``CARD``, ``samples(root)`` and ``MINIATURE``."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from affectllm import registry
from affectllm.corpus import shelf
from affectllm.corpus.card import CorpusCard
from affectllm.corpus.guard import guarded
from affectllm.corpus.miniature import Content
from affectllm.corpus.sample import Rejection, Sample
from affectllm.errors import AffectError, Malformed
from affectllm.imported import line_of, what_of
from affectllm.run import file_digest


class Builder(Protocol):
    """What a file in ``data_builders/`` offers.

    ``samples(root)`` is lazy, has a stable order, opens no clip, and yields a ``Rejection`` for whatever it does not
    use. It raises ``MissingCorpus`` when ``root`` is not a folder of this corpus at all.

    A corpus that is computed rather than downloaded also offers ``generate(root, seed)``, which fills an empty folder
    with the same bytes on every call.
    """

    CARD: CorpusCard
    MINIATURE: Mapping[str, Content]

    def samples(self, root: Path) -> Iterator[Sample | Rejection]: ...


def load_builder(name: str) -> Builder:
    """Import the builder called ``name``.

    Raises:
        NotFound: when there is no such file.
        Malformed: when the file cannot be imported, lacks ``CARD``, ``samples`` or ``MINIATURE``, or its card has
            another name.
    """
    path = registry.find("data_builders", name)
    module = _import(path)
    if missing := [part for part in ("CARD", "samples", "MINIATURE") if not hasattr(module, part)]:
        raise Malformed(f"the builder lacks {', '.join(missing)}", where=str(path), do="see CONTRIBUTING.md")
    if module.CARD.name != name:
        raise Malformed(f"the card is called {module.CARD.name!r}, the file {name!r}", where=str(path))
    module.samples = guarded(module.samples)  # type: ignore[attr-defined]
    return cast(Builder, module)


def code_of(name: str) -> dict[str, str]:
    """Path below the shelf → digest, of the builder called ``name`` and of all that it imports from the shelf."""
    path = registry.find("data_builders", name)
    return {key: file_digest(file) for key, file in shelf.imported_files(path).items()}


def _import(path: Path) -> ModuleType:
    module_name = shelf.module_name(path)
    shelf.open_packages(path)
    if module_name in sys.modules and sys.modules[module_name].__file__ == str(path):
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise Malformed("the builder cannot be imported", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        shelf.imported_files(path)  # refuses helpers that exist twice, before either is run
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        if not isinstance(error, Exception) or isinstance(error, AffectError):
            raise
        # Somebody else's file may fail in any way; which one it is must be said, or nothing else can be listed.
        told = f"the builder cannot be imported: {what_of(error)}"
        raise Malformed(told, where=line_of(error, path), do=_new_spelling(error)) from error
    return module


def _new_spelling(error: Exception) -> str:
    """What to write instead of ``affectllm.data_builders.meld``, from before corpora lay in sections."""
    missing = re.search(rf"{re.escape(shelf.PACKAGE)}\.(\w+)'$|cannot import name '(\w+)'", str(error))
    name = next(filter(None, missing.groups()), "") if missing and isinstance(error, ImportError) else ""
    path = registry.names("data_builders").get(name)
    return f"{name} is now {shelf.module_name(path)}" if path else ""
