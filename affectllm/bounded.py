"""YAML that cannot take the memory or the time: every page is read through here, whoever wrote it.

A page of a few hundred bytes may name itself, or lists of lists of itself that unfold to billions of items; a long one
may hold millions of nodes. Size, nodes, depth and what aliases unfold to are counted before anything is built.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed

MAX_BYTES = 1 << 20
"""Bytes of one page; the longest of ours has some 4,000."""
MAX_NODES = 30_000
"""Keys, values and lists of one page, those counted that aliases (``*name``) repeat."""
MAX_DEPTH = 40
"""Lists and mappings inside one another."""
MAX_NUMBER = 1_000
"""Characters of a number or date; longer ones take longer than linear time to read."""
_REMEDY = "a page of settings is shorter; keep data in a table"


def read_text(path: Path, wrong: type[Malformed] = Malformed) -> str:
    """The text of a page.

    Raises:
        Malformed: when it is larger than ``MAX_BYTES``, or not UTF-8.
        OSError: when it cannot be read.
    """
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise wrong(f"more than {MAX_BYTES:,} bytes of YAML", where=str(path), do=_REMEDY)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise wrong(f"not UTF-8 ({error.reason})", where=str(path), do="save it as UTF-8") from error


def compose(text: str, where: str, wrong: type[Malformed] = Malformed) -> Any:
    """The nodes of a page, None where it is empty; no list or mapping lies in itself.

    Args:
        where: what to call the page in messages.
        wrong: the error to raise.

    Raises:
        Malformed: with its line, when it is not YAML, or passes one of the limits.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there
    if len(text) > MAX_BYTES:
        raise wrong(f"more than {MAX_BYTES:,} characters of YAML", where=where, do=_REMEDY)
    try:
        _count(yaml.parse(text, Loader=loader), where, wrong)
        node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a character that YAML forbids, in some versions
        mark = getattr(error, "problem_mark", None)
        told = getattr(error, "problem", None) or error
        raise wrong(f"not YAML: {told}", where=f"{where}:{mark.line + 1 if mark else 1}") from error
    if node is not None:
        _unfold(node, where, wrong)
    return node


def load(text: str, where: str, wrong: type[Malformed] = Malformed, words: Iterable[str] = ()) -> Any:
    """A page as plain values.

    Args:
        words: tags whose value is taken as a word, such as ``!function``.

    Raises:
        Malformed: as ``compose``, and for a value that is not what its form says, such as a month 13.
    """
    import yaml

    class Loader(yaml.SafeLoader):
        """Safe YAML in which some tags are words."""

    for tag in words:
        Loader.add_constructor(tag, lambda _, node: str(node.value))
    node = compose(text, where, wrong)
    try:
        return None if node is None else Loader("").construct_document(node)
    except (yaml.YAMLError, ValueError, TypeError, OverflowError) as error:
        mark = getattr(error, "problem_mark", None)
        told = getattr(error, "problem", None) or error
        raise wrong(f"not YAML: {told}", where=f"{where}:{mark.line + 1 if mark else 1}") from error


def _count(events: Iterable[Any], where: str, wrong: type[Malformed]) -> None:
    """Raise where the page itself, before aliases unfold, has too many nodes or lies too deep; keeps nothing."""
    import yaml

    depth = nodes = 0
    for event in events:
        line = event.start_mark.line + 1
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if nodes > MAX_NODES:
            raise wrong(f"more than {MAX_NODES:,} keys and values", where=f"{where}:{line}", do=_REMEDY)
        if depth > MAX_DEPTH:
            raise wrong(f"nested more than {MAX_DEPTH} deep", where=f"{where}:{line}", do="write it flatter")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and len(event.value) > MAX_NUMBER:
            _refuse_number(event.value, f"{where}:{line}", wrong)


def _refuse_number(value: str, where: str, wrong: type[Malformed]) -> None:
    # Whether it is text is decided by its characters: numbers and dates of YAML have no others than these.
    if not set(value) - set("0123456789abcdefABCDEFx.:_+-TZtz "):
        raise wrong(f"a number of {len(value):,} characters", where=where, do="write text in quotes")


def _unfold(root: Any, where: str, wrong: type[Malformed]) -> None:
    """Raise where the page with its aliases unfolded has too many nodes, or one that holds itself."""
    nodes, open_nodes = 0, [(root, 0)]
    while open_nodes:
        node, depth = open_nodes.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            told = f"its aliases (*name) unfold to more than {MAX_NODES:,} values, or hold themselves"
            raise wrong(told, where=f"{where}:{node.start_mark.line + 1}", do="write out what is meant, without *name")
        if node.id == "mapping":
            open_nodes += [(child, depth + 1) for pair in node.value for child in pair]
        elif node.id == "sequence":
            open_nodes += [(child, depth + 1) for child in node.value]
