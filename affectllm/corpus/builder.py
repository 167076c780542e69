"""The builder contract: one Python file a corpus, with ``CARD``, ``samples(root)`` and ``MINIATURE``."""

from __future__ import annotations

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
from affectllm.errors import Malformed
from affectllm.imported import import_file
from affectllm.run import file_digest


class Builder(Protocol):
    """The interface of a module in ``data_builders/``.

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
    """Return path below the shelf → digest, of the builder ``name`` and of all that it imports from the shelf."""
    path = registry.find("data_builders", name)
    return {key: file_digest(file) for key, file in shelf.imported_files(path).items()}


def _import(path: Path) -> ModuleType:
    shelf.open_packages(path)
    # Helpers that exist twice are refused before either is run.
    return import_file(path, shelf.module_name(path), "builder", first=lambda: shelf.imported_files(path))
