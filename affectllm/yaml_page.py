"""The only reader of our YAML: strict, bounded, with a line for every key.

A page is data: no tags, no key twice, no key that is not a word. It cannot take the memory or the time either: a few
hundred bytes may name themselves, or lists of lists of themselves that unfold to billions of items, so size, nodes,
depth and what aliases unfold to are counted before anything is built. ``page_schema`` checks what keys and types a
page has.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed, NotFound, told_at

Path_ = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

MAX_BYTES = 1 << 20
"""Bytes of one page; the longest of ours has some 4,000."""
MAX_NODES = 30_000
"""Keys, values and lists of one page, those counted that aliases (``*name``) repeat."""
MAX_DEPTH = 40
"""Lists and mappings inside one another."""
MAX_NUMBER = 1_000
"""Characters of a number or date; longer ones take longer than linear time to read."""
_REMEDY = "a page of settings is shorter; keep data in a table"
_YAML = "tag:yaml.org,2002:"
_OF_KEYS = {f"{_YAML}{kind}" for kind in ("str", "int", "float", "bool", "null", "timestamp", "value")}


@dataclass(frozen=True)
class PageKind:
    """A kind of page, as error messages name it.

    Args:
        noun: ``recipe``, as in "this recipe" and "a recipe is data".
        wrong: the error that is raised for what is wrong with it.
        listed: what ``affectllm ls`` calls the list of such pages; empty where it has none.
        words: tags that are allowed, whose value is taken as a word, such as ``!function``.
    """

    noun: str
    wrong: type[Malformed] = Malformed
    listed: str = ""
    words: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The noun with its article."""
        return f"an {self.noun}" if self.noun[0] in "aeiou" else f"a {self.noun}"


PAGE = PageKind("page")


@dataclass
class Page:
    """A YAML file as plain values, with the line of each.

    Args:
        file: what to call the file in messages.
        value: the whole page.
        lines: path of keys and indices → line number, counted from 1.
        kind: what sort of page it is.
        given: places that ``set`` has written.
        tagged: places of words behind one of the tags of ``kind``.
    """

    file: str
    value: Any
    lines: dict[Path_, int]
    kind: PageKind = PAGE
    given: set[Path_] = field(default_factory=set)
    tagged: frozenset[Path_] = frozenset()

    def where(self, path: Path_) -> str:
        """Return ``file:line`` of ``path``, or of its nearest parent that has a line or came by ``--set``."""
        while path and path not in self.lines and path not in self.given:
            path = path[:-1]
        if path in self.given:
            return f"--set {'.'.join(map(str, path))}"
        return f"{self.file}:{self.lines.get(path, 1)}"

    def naming(self, path: Path_) -> AbstractContextManager[None]:
        """Add the line of ``path``, which names something, to the error that there is nothing of this name."""
        return told_at(self.where(path))

    def check_file(self, path: Path_, name: str) -> None:
        """Check that a file is there that the page names at ``path``, as seen from the folder of the page.

        Raises:
            NotFound: with the line, when it is not, or ``name`` can be no path.
        """
        if name and not os.path.exists(Path(self.file).parent / os.path.expanduser(name)):
            shown = f"{name[:200]}…" if len(name) > 200 else name
            raise NotFound(f"there is no file {shown}", where=self.where(path), do="correct its name")

    def set(self, dotted: str, text: str) -> None:
        """Override one value, as ``--set key.key=value`` does; the value is read as YAML.

        Raises:
            Malformed: when the place is inside something that is not a mapping or list.
        """
        wrong = self.kind.wrong
        keys = [int(key) if key.isdigit() else key for key in dotted.split(".")]
        place = self.value
        for key in keys[:-1]:
            if isinstance(place, dict) and place.get(key) is None:
                place[key] = {}
            try:
                place = place[key]
            except (KeyError, IndexError, TypeError) as error:
                raise wrong(f"--set {dotted}: there is nothing at {key!r}", where=self.file) from error
        try:
            place[keys[-1]] = read_value(text, f"--set {dotted}", wrong)
        except (IndexError, TypeError) as error:
            raise wrong(f"--set {dotted}: there is nothing to set there", where=self.file) from error
        own = tuple(keys)
        self.lines = {path: line for path, line in self.lines.items() if path[: len(own)] != own}
        self.given.add(own)


def read_page(path: Path, kind: PageKind = PAGE) -> Page:
    """Read a YAML file that holds a mapping.

    Raises:
        NotFound: when there is no such file, or it cannot be opened.
        Malformed: with the line, when it is not YAML, names a key twice, uses tags, is not a mapping, or is so
            large or deep that it is no page; of the kind's own class.
    """
    return parse_page(page_text(path, kind), str(path), kind)


def parse_page(text: str, file: str, kind: PageKind = PAGE) -> Page:
    """Parse a YAML text as ``read_page`` parses a file.

    Raises:
        Malformed: as ``read_page``.
    """
    node = _compose(text, file, kind.wrong)
    lines: dict[Path_, int] = {}
    reader = _Values(file, kind, lines)
    value = reader.of(node) if node is not None else None
    if not isinstance(value, dict):
        message = f"this {kind.noun} is not a mapping of keys to values"
        raise kind.wrong(message, where=f"{file}:{lines.get((), 1)}", do="write lines of the form key: value")
    return Page(file, value, lines, kind, tagged=frozenset(reader.tagged))


def first_comment(path: Path) -> str:
    """Return the comment in the first line of a page; empty where that is no comment, or no file."""
    if not path.is_file():
        return ""
    first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else ""


def read_nodes(path: Path, file: str, kind: PageKind = PAGE) -> Any:
    """Return PyYAML's root node of a file, for a reader with its own rules; None for an empty file.

    Args:
        file: what to call the file in messages.

    Raises:
        NotFound: when there is no such file, or it cannot be opened.
        Malformed: as ``read_page``, but for tags, values and what the top is.
    """
    return _compose(page_text(path, kind), file, kind.wrong)


def read_value(text: str, where: str, wrong: type[Malformed] = Malformed) -> Any:
    """Parse a value written in YAML, on the command line for example; keys may be numbers.

    Raises:
        Malformed: as ``parse_page``, but for what the top is.
    """
    node = _compose(text, where, wrong)
    return None if node is None else _Values(where, PageKind("value", wrong), {}, typed_keys=True).of(node)


def page_text(path: Path, kind: PageKind = PAGE) -> str:
    """Return what stands in a page.

    Raises:
        NotFound: when it cannot be opened.
        Malformed: when it is no regular file, too long, or not UTF-8.
    """
    try:
        if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
            # Who opens a pipe waits for somebody to write into it.
            raise kind.wrong("no regular file", where=str(path), do="write the page to a file")
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        do = f"see `affectllm ls {kind.listed}`" if kind.listed else "give the path of a file that can be read"
        raise NotFound(f"{path} cannot be read: {error.strerror}", do=do) from error
    if len(content) > MAX_BYTES:
        raise kind.wrong(f"more than {MAX_BYTES:,} bytes of YAML", where=str(path), do=_REMEDY)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise kind.wrong(f"not UTF-8 ({error.reason})", where=str(path), do="save it as UTF-8") from error


def _compose(text: str, where: str, wrong: type[Malformed]) -> Any:
    """Return the root node of a page, within the limits and without duplicate keys; None for an empty one."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where libyaml is there
    if len(text) > MAX_BYTES:
        raise wrong(f"more than {MAX_BYTES:,} characters of YAML", where=where, do=_REMEDY)
    try:
        _count(yaml.parse(text, Loader=loader), where, wrong)
        node = yaml.compose(text, Loader=loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a character that YAML forbids, in some versions
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or error
        raise wrong(f"not YAML: {problem}", where=f"{where}:{mark.line + 1 if mark else 1}") from error
    if node is not None:
        _unfold(node, where, wrong)
    return node


def _count(events: Iterable[Any], where: str, wrong: type[Malformed]) -> None:
    """Raise where the page, before aliases are expanded, has too many nodes or is nested too deep; stores nothing."""
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
    """Raise where the page with expanded aliases has too many nodes or contains itself, or a mapping has bad keys."""
    nodes, open_nodes = 0, [(root, 0)]
    while open_nodes:
        node, depth = open_nodes.pop()
        nodes += 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            message = f"its aliases (*name) unfold to more than {MAX_NODES:,} values, or hold themselves"
            raise wrong(
                message, where=f"{where}:{node.start_mark.line + 1}", do="write out what is meant, without *name"
            )
        if node.id == "mapping":
            _check_keys(node, where, wrong)
            open_nodes += [(value, depth + 1) for _, value in node.value]
        elif node.id == "sequence":
            open_nodes += [(child, depth + 1) for child in node.value]


def _check_keys(node: Any, where: str, wrong: type[Malformed]) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        line = f"{where}:{key.start_mark.line + 1}"
        if key.id != "scalar":
            raise wrong("a key is a word, not a list or a mapping", where=line, do="write key: value")
        if key.value in seen:
            raise wrong(f"the key {key.value!r} is given twice", where=line, do="remove one of the two")
        seen.add(key.value)


class _Values:
    """Converts nodes into plain values and records the line of each.

    Keys are the words that stand there (``no:`` is the code of a language, ``on:`` an English word), unless
    ``typed_keys`` is set.
    """

    def __init__(self, file: str, kind: PageKind, lines: dict[Path_, int], typed_keys: bool = False) -> None:
        import yaml

        self._file, self._kind, self._lines, self._typed_keys = file, kind, lines, typed_keys
        self._scalars = yaml.SafeLoader("")
        self.tagged: set[Path_] = set()

    def of(self, node: Any, path: Path_ = ()) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if node.tag in self._kind.words and node.id == "scalar":
            self.tagged.add(path)
            return str(node.value)
        if node.tag == f"{_YAML}map" and node.id == "mapping":
            return self._mapping(node, path)
        if node.tag == f"{_YAML}seq" and node.id == "sequence":
            return [self.of(item, (*path, index)) for index, item in enumerate(node.value)]
        if not node.tag.startswith(_YAML):
            raise self._wrong(f"the tag {node.tag} is not allowed: {self._kind.named} is data", node)
        if node.id != "scalar":  # sets, ordered maps, objects of Python
            raise self._wrong(f"not YAML: {node.tag} is none of the tags of plain data", node)
        return self._scalar(node)

    def _mapping(self, node: Any, path: Path_) -> dict[Any, Any]:
        own: dict[Any, Any] = {}
        merged: list[Any] = []
        for key_node, value_node in node.value:
            if key_node.tag == f"{_YAML}merge":
                merged.append(value_node)
                continue
            if key_node.tag not in _OF_KEYS:
                raise self._wrong(f"the tag {key_node.tag} is not allowed: a key is a word", key_node)
            key = self._scalar(key_node) if self._typed_keys else key_node.value
            if key in own:
                raise self._wrong(f"the key {key!r} is given twice", key_node)
            self._lines.setdefault((*path, key), key_node.start_mark.line + 1)
            own[key] = self.of(value_node, (*path, key))
        inherited: dict[Any, Any] = {}
        for value_node in merged:  # <<: what is merged stands behind what is written, the first before the later
            for source in value_node.value if value_node.id == "sequence" else [value_node]:
                if source.id != "mapping":
                    raise self._wrong("not YAML: << takes a mapping, or a list of mappings", source)
                inherited = self.of(source, path) | inherited
        return inherited | own

    def _scalar(self, node: Any) -> Any:
        import yaml

        try:
            value = self._scalars.construct_document(node)
            if isinstance(value, int):
                float(value)  # no whole number of a page is beyond all others
            return value
        except (yaml.YAMLError, ValueError, TypeError, OverflowError, AttributeError) as error:
            problem = getattr(error, "problem", None) or error
            raise self._wrong(f"not YAML: {problem}", node) from error

    def _wrong(self, what: str, node: Any) -> Malformed:
        return self._kind.wrong(what, where=f"{self._file}:{node.start_mark.line + 1}")
