"""Import builders as one Python package with sections, whichever folder of the shelf a file lies in.

``$AFFECTLLM_PATH/data_builders/mine/calls.py`` is ``affectllm.data_builders.mine.calls``, so it imports helpers as the
built-in builders do: ``from affectllm.data_builders.mine._helper import …``, or ``from ._helper import …``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from affectllm import registry
from affectllm.errors import Malformed

PACKAGE = "affectllm.data_builders"


def module_name(path: Path) -> str:
    """Return the name under which a file of the shelf is imported."""
    return ".".join((PACKAGE, *_key(path).with_suffix("").parts))


def open_packages(path: Path) -> None:
    """Let the section of ``path`` be found in every folder of the shelf, before a file of it is imported."""
    places = registry.folders("data_builders")
    package = importlib.import_module(PACKAGE)
    if list(package.__path__) != list(map(str, places)):
        package.__path__ = list(map(str, places))
        _forget_files_elsewhere(places)
        importlib.invalidate_caches()
    section = _key(path).parent
    if not all(part.isidentifier() for part in section.parts):
        return  # nothing can be imported from such a folder; its builders are loaded all the same
    for count in range(len(section.parts)):
        below = Path(*section.parts[: count + 1])
        package = importlib.import_module(".".join((PACKAGE, *below.parts)))
        package.__path__ = [str(place / below) for place in places if (place / below).is_dir()]


def imported_files(path: Path) -> dict[str, Path]:
    """Return path below the shelf → file, of ``path`` and all that it imports from the shelf, without running any.

    Raises:
        Malformed: when what it imports lies in two folders of the shelf.
        SyntaxError: when one of the files is no Python.
    """
    files: dict[str, Path] = {}
    waiting = [path]
    while waiting:
        file = waiting.pop()
        key = _key(file).as_posix()
        if key not in files:
            files[key] = file
            for name in _imported_names(file):
                waiting += _files_of(name)
    return dict(sorted(files.items()))


def _key(path: Path) -> Path:
    """Return where a file lies on the shelf; two helpers of one name lie in two sections."""
    below = registry.below("data_builders", path)
    return below if below is not None else Path(path.name)


def _forget_files_elsewhere(places: list[Path]) -> None:
    """Drop modules of folders that no longer belong to the shelf, or another file's helper would be taken for ours."""
    for name, module in list(sys.modules.items()):
        if name.startswith(PACKAGE + ".") and not _lies_in(module, places):
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            vars(sys.modules[parent]).pop(child, None) if parent in sys.modules else None


def _lies_in(module: ModuleType, places: list[Path]) -> bool:
    files = [module.__file__] if getattr(module, "__file__", None) else list(getattr(module, "__path__", ()))
    return any(Path(str(file)).is_relative_to(place) for file in files for place in places)


def _imported_names(path: Path) -> Iterator[str]:
    """Yield the full names that a file imports, each ``from`` also with what it takes: that may be a module."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module_name(path).split(".")[: -node.level] if node.level else []
            module = ".".join((*package, *filter(None, (node.module,))))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _files_of(name: str) -> list[Path]:
    """Return the file of a module of the shelf, and of the packages around it where they do anything."""
    if not name.startswith(PACKAGE + "."):
        installed = _installed(name) if ".data_builders." in name else None  # packages name their own folders so
        return [installed] if installed else []
    parts = name.removeprefix(PACKAGE + ".").split(".")
    places = registry.folders("data_builders")
    packages = [place.joinpath(*parts[: count + 1], "__init__.py") for place in places for count in range(len(parts))]
    files = [file for place in places if (file := place.joinpath(*parts[:-1], f"{parts[-1]}.py")).is_file()]
    if len(files) > 1:  # Python would take the first one in silence
        raise Malformed(f"{name} exists twice: {files[0]} and {files[1]}", do="rename one of the two files")
    return [*files, *(file for file in packages if file.is_file() and _does_anything(file))]


def _does_anything(package: Path) -> bool:
    """Whether there is more in it than a docstring."""
    return any(not isinstance(node, ast.Expr) for node in _parsed(package).body)


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), filename=str(path))


def _installed(name: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a name within a module is no module
        return None
    return Path(str(spec.origin)) if spec and spec.has_location else None
