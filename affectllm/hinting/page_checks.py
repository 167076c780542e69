"""What the options of a page of hints are held against as it is read: bounds, and keys that nothing would read."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from affectllm.train.method import Bound
from affectllm.yaml_page import Page


def check_bounds(options: Any, bounds: Mapping[str, Bound], page: Page) -> None:
    """Raise ``Malformed`` for the first number, alone or in a list, that is not within its bounds."""
    for key, bound in bounds.items():
        given = getattr(options, key)
        places: dict[tuple[str | int, ...], Any] = {(key,): given}
        if isinstance(given, tuple):
            places = {(key, number): value for number, value in enumerate(given)}
        for place, value in places.items():
            if value is not None and not bound.admits(value):
                name = ".".join(map(str, place))
                raise page.kind.wrong(f"{name} must be {bound.expected(value)}, not {value!r}", where=page.where(place))


def refuse_unread(options: Any, page: Page, read: Collection[str], how: str) -> None:
    """Raise ``Malformed`` for the first key of the page that changes nothing; one that says "none" is left alone.

    Args:
        read: options that are read.
        how: by what the hints are made, for the error.
    """
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        says_none = value == field.default and not field.default
        if field.name in page.value and field.name not in read and not says_none:
            message = f"{field.name} is not read where hints are made by {how}"
            do = f"take it out; read are {', '.join(read)}"
            raise page.kind.wrong(message, where=page.where((field.name,)), do=do)
