"""Python files of shelves, imported by their path: built-in ones and those of somebody's own folder alike."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from affectllm import registry
from affectllm.errors import AffectError, Malformed


def member(kind: registry.Folder, name: str, attribute: str, wanted: type) -> Any:
    """What the file called ``name`` on a shelf holds under ``attribute``.

    Raises:
        NotFound: when there is no such file.
        Malformed: when it cannot be imported, or does not hold a ``wanted``.
    """
    path = registry.find(kind, name)
    found = getattr(import_file(path, f"{registry.package(kind)}.{path.stem}", registry.noun(kind)), attribute, None)
    if not isinstance(found, wanted):
        told = f"the file of a {registry.noun(kind)} holds {attribute}, a {wanted.__name__}"
        raise Malformed(told, where=str(path), do="see CONTRIBUTING.md")
    return found


def import_file(path: Path, module_name: str, noun: str) -> ModuleType:
    """The module of a file, imported once.

    Args:
        module_name: under which it is known to Python.
        noun: what the file is, for errors.

    Raises:
        Malformed: when it cannot be imported; says where in it.
    """
    known = sys.modules.get(module_name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise Malformed(f"the {noun} cannot be imported", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[module_name]
        if not isinstance(error, Exception) or isinstance(error, AffectError):
            raise
        # Somebody else's file may fail in any way; which one it is must be said, or nothing else can be listed.
        told = f"the {noun} cannot be imported: {what_of(error)}"
        raise Malformed(told, where=line_of(error, path)) from error
    return module


def what_of(error: Exception) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}"


def line_of(error: Exception, path: Path) -> str:
    """The line of a file in which an exception was raised, as far as it was."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)
