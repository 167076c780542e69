"""Validate a YAML page against a dataclass: unknown and missing keys and wrong types are errors with their line."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any

from affectllm.errors import Malformed
from affectllm.yaml_page import Page, Path_


def build(kind: type, page: Page, path: Path_ = ()) -> Any:
    """Build a dataclass from the value at ``path``, checking keys and types.

    Raises:
        Malformed: with file and line, for an unknown or missing key or a value of a wrong type.
    """
    value = page.value
    for key in path:
        value = value[key]
    return _build(kind, value, page, path)


def _build(kind: type, value: Any, page: Page, path: Path_) -> Any:
    if not isinstance(value, Mapping):
        raise page.kind.wrong(f"{_name(path, page)} must be a mapping", where=page.where(path))
    fields = {field.name: field for field in dataclasses.fields(kind)}
    check_keys(value, fields, page, path)
    required = [
        n for n, f in fields.items() if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing := [name for name in required if name not in value]:
        raise page.kind.wrong(f"{_name(path, page)} lacks {', '.join(missing)}", where=page.where(path))
    hints = typing.get_type_hints(kind)
    return kind(**{key: _typed(hints[key], item, page, (*path, key)) for key, item in value.items()})


def check_keys(value: Mapping[str, Any], known: typing.Iterable[str], page: Page, path: Path_) -> None:
    """Raise ``Malformed`` for the first key that is not among ``known``, and suggest the nearest one."""
    known = list(known)
    for key in value:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            do = f"did you mean {near[0]!r}?" if near else f"known keys: {_first(sorted(known))}"
            raise page.kind.wrong(f"unknown key {key!r} in {_name(path, page)}", where=page.where((*path, key)), do=do)


def _first(keys: list[str], most: int = 20) -> str:
    return ", ".join(keys if len(keys) <= most else [*keys[:most], f"… and {len(keys) - most} more"])


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
    members = [argument for argument in arguments if argument is not type(None)]
    for argument in members[:-1]:
        try:
            return _typed(argument, value, page, path)
        except Malformed:
            continue
    words = [word for member in members if typing.get_origin(member) is typing.Literal for word in member.__args__]
    if words and members[-1] in _SCALARS and type(value) is not members[-1]:
        return _wrong(f"{_SCALARS[members[-1]]} or {' or '.join(words)}", value, page, path)
    return _typed(members[-1], value, page, path)


_SCALARS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def _scalar(hint: Any, value: Any, page: Page, path: Path_) -> Any:
    if hint is Any:
        return value
    if hint is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if type(value) is hint:
        return value
    return _wrong(_SCALARS[hint], value, page, path)


def _wrong(expected: str, value: Any, page: Page, path: Path_) -> typing.NoReturn:
    hint = ""
    if expected == "a number" and isinstance(value, str):
        hint = "YAML 1.1 reads 1e-4 as text; write 1.0e-4"
    raise page.kind.wrong(f"{_name(path, page)} must be {expected}, not {value!r}", where=page.where(path), do=hint)


def _name(path: Path_, page: Page) -> str:
    return ".".join(map(str, path)) or f"this {page.kind.noun}"
