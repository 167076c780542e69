"""Import Python files of registry folders by path: built-in ones and those of a user's own folder alike."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from affectllm import registry
from affectllm.errors import AffectError, Malformed

_PACKAGE = "affectllm"
_ROOT = Path(__file__).parent


def member(kind: registry.Folder, name: str, attribute: str, expected: type) -> Any:
    """Return the value of ``attribute`` in the file called ``name`` of a registry folder.

    Raises:
        NotFound: when there is no such file.
        Malformed: when it cannot be imported, or does not hold an ``expected``.
    """
    path = registry.find(kind, name)
    value = getattr(import_file(path, f"{registry.package(kind)}.{path.stem}", registry.noun(kind)), attribute, None)
    if not isinstance(value, expected):
        message = f"the file of a {registry.noun(kind)} holds {attribute}, a {expected.__name__}"
        raise Malformed(message, where=str(path), do="see CONTRIBUTING.md")
    return value


def import_file(path: Path, module_name: str, noun: str, first: Callable[[], object] | None = None) -> ModuleType:
    """Import a file as a module, once.

    Args:
        module_name: under which it is known to Python.
        noun: what the file is, for errors.
        first: called before its code is run; its errors are reported as those of the import.

    Raises:
        Malformed: when it cannot be imported; says where in it.
    """
    loaded = sys.modules.get(module_name)
    if loaded is not None and loaded.__file__ == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise Malformed(f"the {noun} cannot be imported", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        if first is not None:
            first()
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        # An exit would end the command as if it were done.
        if not isinstance(error, (Exception, SystemExit)) or isinstance(error, AffectError):
            raise
        # Somebody else's file may fail in any way; which one it is must be said, or nothing else can be listed.
        message = f"the {noun} cannot be imported: {what_of(error)}"
        raise Malformed(message, where=line_of(error, path), do=_new_spelling(error)) from error
    return module


def _new_spelling(error: BaseException) -> str:
    """Suggest the new import path of a module of ours that has moved into a section; found by its own name."""
    if not isinstance(error, ImportError) or not str(error.name).startswith(_PACKAGE):
        return ""
    match = re.search(r"cannot import name '(\w+)'", str(error))
    package, stem = (str(error.name), match[1]) if match else str(error.name).rpartition(".")[::2]
    files = [path.relative_to(_ROOT) for path in _ROOT.rglob(f"{stem}.py")]
    modules = {".".join((_PACKAGE, *file.with_suffix("").parts)) for file in files}
    builder = registry.names("data_builders").get(stem)
    if builder and (below := registry.below("data_builders", builder)):
        modules.add(".".join((registry.package("data_builders"), *below.with_suffix("").parts)))
    # A module of one room may have a namesake in another; where it lay says which one is meant.
    near = [module for module in modules if module.startswith(f"{package}.")]
    return f"{stem} is now {near[0]}" if len(near) == 1 else ""


def what_of(error: BaseException) -> str:
    """Describe an exception in one line."""
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def line_of(error: BaseException, path: Path) -> str:
    """Return ``file:line`` where an exception was raised in a file; the file alone where it was not raised in it."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
