"""YAML as data, with a line number for every key, and plain dataclasses as its schema."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from affectllm import bounded
from affectllm.errors import BadRecipe, NotFound

Path_ = tuple[str | int, ...]


@dataclasses.dataclass
class Page:
    """A YAML file as plain values, and where each of them stands.

    Args:
        file: what to call the file in messages.
        value: the whole page.
        lines: path of keys and indices → line number, counted from 1.
    """

    file: str
    value: Any
    lines: dict[Path_, int]

    def where(self, path: Path_) -> str:
        """``file:line`` of the nearest known place at or above ``path``."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.file}:{self.lines.get(path, 1)}"

    def set(self, dotted: str, text: str) -> None:
        """Override one value, as ``--set key.key=value`` does; the value is read as YAML.

        Raises:
            BadRecipe: when the place is inside something that is not a mapping or list.
        """
        keys = [int(key) if key.isdigit() else key for key in dotted.split(".")]
        place = self.value
        for key in keys[:-1]:
            if isinstance(place, dict) and place.get(key) is None:
                place[key] = {}
            try:
                place = place[key]
            except (KeyError, IndexError, TypeError) as error:
                raise BadRecipe(f"--set {dotted}: there is nothing at {key!r}", where=self.file) from error
        try:
            place[keys[-1]] = bounded.load(text, f"--set {dotted}", BadRecipe)
        except (IndexError, TypeError) as error:
            raise BadRecipe(f"--set {dotted}: there is nothing to set there", where=self.file) from error
        self.lines.pop(tuple(keys), None)


def read_page(path: Path) -> Page:
    """Read a YAML file.

    Raises:
        NotFound: when there is no such file.
        BadRecipe: with the line, when it is not YAML, names a key twice, uses tags, is not a mapping, or is so
            large or deep that it is no page.
    """
    try:
        text = bounded.read_text(path, BadRecipe)
    except OSError as error:
        raise NotFound(f"{path} cannot be read: {error.strerror}", do="see `affectllm ls recipes`") from error
    node = bounded.compose(text, str(path), BadRecipe)
    lines: dict[Path_, int] = {}
    value = _plain(node, (), lines, str(path)) if node is not None else None
    if not isinstance(value, dict):
        raise BadRecipe("a recipe is a mapping of keys to values", where=f"{path}:1")
    return Page(str(path), value, lines)


def _plain(node: Any, path: Path_, lines: dict[Path_, int], file: str) -> Any:
    import yaml

    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key := key_node.value, str):
                raise BadRecipe("a key is a word, not a list or a mapping", where=f"{file}:{line}")
            if key in found:
                raise BadRecipe(f"the key {key!r} is given twice", where=f"{file}:{key_node.start_mark.line + 1}")
            lines[(*path, key)] = key_node.start_mark.line + 1
            found[key] = _plain(value_node, (*path, key), lines, file)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    if not node.tag.startswith("tag:yaml.org,2002:"):
        raise BadRecipe(f"the tag {node.tag} is not allowed: a recipe is data", where=f"{file}:{line}")
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise BadRecipe(f"{node.value!r} cannot be read as what it looks like", where=f"{file}:{line}") from error


def build(kind: type, page: Page, path: Path_ = ()) -> Any:
    """Make a dataclass of the value at ``path``, checking keys and types.

    Raises:
        BadRecipe: with file and line, for an unknown or missing key or a value of a wrong type.
    """
    value = page.value
    for key in path:
        value = value[key]
    return _build(kind, value, page, path)


def _build(kind: type, value: Any, page: Page, path: Path_) -> Any:
    if not isinstance(value, Mapping):
        raise BadRecipe(f"{_name(path)} must be a mapping", where=page.where(path))
    fields = {field.name: field for field in dataclasses.fields(kind)}
    check_keys(value, fields, page, path)
    required = [
        n for n, f in fields.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in value]:
        raise BadRecipe(f"{_name(path)} lacks {', '.join(missing)}", where=page.where(path))
    hints = typing.get_type_hints(kind)
    return kind(**{key: _typed(hints[key], item, page, (*path, key)) for key, item in value.items()})


def check_keys(value: Mapping[str, Any], known: typing.Iterable[str], page: Page, path: Path_) -> None:
    """Raise ``BadRecipe`` for the first key that is not among ``known``, with the nearest one."""
    known = list(known)
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            do = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known)[:20])}"
            raise BadRecipe(f"unknown key {key!r} in {_name(path)}", where=page.where((*path, key)), do=do)


def _typed(hint: Any, value: Any, page: Page, path: Path_) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(arguments, value, page, path)
    if dataclasses.is_dataclass(hint):
        return _build(typing.cast(type, hint), value, page, path)
    if origin is typing.Literal:
        return value if value in arguments else _wrong(f"one of {', '.join(map(str, arguments))}", value, page, path)
    if origin is tuple:
        if not isinstance(value, list):
            return _wrong("a list", value, page, path)
        return tuple(_typed(arguments[0], item, page, (*path, index)) for index, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, dict):
            return _wrong("a mapping", value, page, path)
        return {key: _typed(arguments[1], item, page, (*path, key)) for key, item in value.items()}
    return _scalar(hint, value, page, path)


def _one_of(arguments: tuple[Any, ...], value: Any, page: Page, path: Path_) -> Any:
    if value is None and type(None) in arguments:
        return None
    kept = [argument for argument in arguments if argument is not type(None)]
    for argument in kept[:-1]:
        try:
            return _typed(argument, value, page, path)
        except BadRecipe:
            continue
    return _typed(kept[-1], value, page, path)


def _scalar(hint: Any, value: Any, page: Page, path: Path_) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if type(value) is hint:
        return value
    return _wrong(
        {str: "text", int: "a whole number", float: "a number", bool: "true or false"}[hint], value, page, path
    )


def _wrong(wanted: str, value: Any, page: Page, path: Path_) -> typing.NoReturn:
    hint = ""
    if wanted == "a number" and isinstance(value, str):
        hint = "YAML 1.1 reads 1e-4 as text; write 1.0e-4"
    raise BadRecipe(f"{_name(path)} must be {wanted}, not {value!r}", where=page.where(path), do=hint)


def _name(path: Path_) -> str:
    return ".".join(map(str, path)) or "the recipe"
