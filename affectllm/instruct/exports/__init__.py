"""Export conversations in the formats of other trainers, one file a format in ``instruct/formats/``."""

from __future__ import annotations

from typing import cast

from affectllm import registry
from affectllm.imported import member
from affectllm.instruct.exports.page import Format


def format_names() -> list[str]:
    """Return the names of all formats, as ``--to`` takes them."""
    return [name.replace("_", "-") for name in registry.names("exports")]


def find_format(name: str) -> Format:
    """Return the format called ``name``.

    Raises:
        NotFound: when there is none.
        Malformed: when its file cannot be imported or holds no ``FORMAT``.
    """
    return cast(Format, member("exports", name.replace("-", "_"), "FORMAT", Format))
