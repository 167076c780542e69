"""The builder contract: one Python file a corpus, with ``CARD``, ``samples(root)`` and ``MINIATURE``."""

from __future__ import annotations

import ast
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from affectllm import registry
from affectllm.corpus.card import CorpusCard
from affectllm.corpus.guard import guarded
from affectllm.corpus.miniature import Content
from affectllm.corpus.sample import Rejection, Sample
from affectllm.errors import AffectError, Malformed
from affectllm.run import file_digest

_PACKAGE = "affectllm.data_builders"


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
    module = _import(name, path)
    if missing := [part for part in ("CARD", "samples", "MINIATURE") if not hasattr(module, part)]:
        raise Malformed(f"the builder lacks {', '.join(missing)}", where=str(path), do="see CONTRIBUTING.md")
    if module.CARD.name != name:
        raise Malformed(f"the card is called {module.CARD.name!r}, the file {name!r}", where=str(path))
    module.samples = guarded(module.samples)  # type: ignore[attr-defined]
    return cast(Builder, module)


def code_of(name: str) -> dict[str, str]:
    """File name → digest of the builder called ``name`` and of every helper beside it that it imports."""
    found: dict[str, str] = {}
    waiting = [registry.find("data_builders", name)]
    while waiting:
        path = waiting.pop()
        if path.name not in found:
            found[path.name] = file_digest(path)
            waiting += _imported(path)
    return dict(sorted(found.items()))


def _imported(path: Path) -> Iterator[Path]:
    """The files on the shelf of builders that a file imports, found without running it."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = _PACKAGE if node.level else ""
            module = ".".join(filter(None, (package, node.module)))
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        for name in names:
            # Packages may bring builders of their own, in a folder of the same name.
            if ".data_builders." in name and (spec := _spec(name)) and spec.has_location:
                yield Path(str(spec.origin))


def _spec(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a name within a module is no module
        return None


def _import(name: str, path: Path) -> ModuleType:
    module_name = f"affectllm.data_builders.{name}"
    if module_name in sys.modules and sys.modules[module_name].__file__ == str(path):
        return sys.modules[module_name]
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise Malformed("the builder cannot be imported", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        if not isinstance(error, Exception) or isinstance(error, AffectError):
            raise
        # Somebody else's file may fail in any way; which one it is must be said, or nothing else can be listed.
        raise Malformed(f"the builder cannot be imported: {_told(error)}", where=_line(error, path)) from error
    return module


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def _line(error: Exception, path: Path) -> str:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
