"""Read ``affectllm.yaml``, the page that describes a user's own corpus, strictly; errors name file and line.

Not a corpus. Every key is known or an error; what is missing is named; nothing is guessed from the data.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from affectllm.corpus import SPLITS
from affectllm.corpus.card import Access
from affectllm.corpus.panel import Panel, majority, mean, rounded_mean
from affectllm.corpus.records.rows import Reading
from affectllm.corpus.sample import Modality
from affectllm.errors import AffectError, Malformed
from affectllm.labels import LabelSpace
from affectllm.labels.space import KINDS, Kind
from affectllm.labels.taxonomies import SPACES, aliases
from affectllm.yaml_page import PageKind, read_nodes

NAME = "affectllm.yaml"
_T = TypeVar("_T")
_NAMELESS = ("open", "spans", "options")
_RULES = {"majority": (majority, "category"), "mean": (mean, "dimension"), "rounded_mean": (rounded_mean, "dimension")}
"""Rule → how several ratings become one answer, and the kind of label space whose ratings it takes."""
_SHARED = {space.name: space for space in SPACES}


@dataclass(frozen=True)
class Label:
    """One answer of a row: its label space, rater, and column or columns."""

    space: LabelSpace
    rater: str
    column: str | None
    columns: Mapping[str, str]
    separator: str


@dataclass(frozen=True)
class Medium:
    """A column that names files: its modality, folder, and columns of start and end."""

    column: str
    modality: Modality
    folder: str
    sound: bool
    start: str | None
    end: str | None


@dataclass(frozen=True)
class Page:
    """The content of ``affectllm.yaml``."""

    name: str
    title: str
    source: str
    reading: Reading
    raters: Mapping[str, str]
    labels: tuple[Label, ...]
    panels: tuple[Panel, ...] = ()
    media: tuple[Medium, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()
    language: str | None = None
    splits: Mapping[str, str] = field(default_factory=dict)
    split_by: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    max_seconds: float | None = None
    notes: tuple[str, ...] = ()


class _Node:
    """A YAML node: value, line, and checks whose errors name both."""

    def __init__(self, node: Any, file: str) -> None:
        self.node, self.file = node, file
        self.line = node.start_mark.line + 1

    def wrong(self, what: str, do: str = "") -> Malformed:
        return Malformed(what, where=f"{self.file}:{self.line}", do=do or "see the docstring of the builder generic")

    def table(self, allowed: tuple[str, ...] | None = None, required: tuple[str, ...] = ()) -> dict[str, _Node]:
        """Return the members of a mapping; ``allowed`` None admits any key."""
        if self.node.id != "mapping":
            raise self.wrong("a mapping (key: value) is expected here")
        members: dict[str, _Node] = {}
        for key, value in self.node.value:
            name, place = str(key.value), _Node(key, self.file)
            if allowed is not None and name not in allowed:
                raise place.wrong(f"unknown key {name!r}", do=f"known here: {', '.join(allowed)}")
            members[name] = _Node(value, self.file)
        if missing := [name for name in required if name not in members]:
            raise self.wrong(f"missing: {', '.join(missing)}")
        return members

    def items(self) -> list[_Node]:
        if self.node.id != "sequence":
            raise self.wrong("a list is expected here")
        return [_Node(value, self.file) for value in self.node.value]

    def text(self) -> str:
        if self.node.id != "scalar" or not str(self.node.value):
            raise self.wrong("words are expected here")
        return str(self.node.value)

    def one_of(self, *choices: str) -> str:
        word = self.text()
        if word not in choices:
            raise self.wrong(f"{word!r} is none of {', '.join(choices)}")
        return word

    def flag(self) -> bool:
        return self.one_of("true", "false") == "true"

    def number(self) -> float:
        try:
            return float(self.text())
        except ValueError:
            raise self.wrong(f"{self.text()!r} is no number") from None

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def named(self, allowed: tuple[str, ...] | None = None) -> dict[str, str]:
        return {name: value.text() for name, value in self.table(allowed).items()}


_COLUMNS = ("id", "text", "speaker", "dialogue", "split", "language")
_TOP = (
    *("name", "title", "citation", "url", "obtain", "licence", "notes", "counts", "max_seconds"),
    *("table", "folder", "separator", "header", "encoding", "sheet", "columns", "attributes", "language"),
    *("splits", "split_by"),
    *("raters", "spaces", "labels", "panels", "media"),
)


def read_page(path: Path, name: str) -> Page:
    """Read the page in ``path``, which errors call ``name``.

    Raises:
        Malformed: with file and line, for whatever is not as it must be.
    """
    node = read_nodes(path, name, PageKind("page of a corpus"))
    if node is None:
        raise Malformed("the file is empty", where=f"{name}:1", do="see the docstring of the builder generic")
    top = _Node(node, name)
    return _page(top, top.table(_TOP, ("name", "raters", "labels")))


def _page(top: _Node, parts: Mapping[str, _Node]) -> Page:
    if ("table" in parts) == ("folder" in parts):
        raise top.wrong("either table (a file) or folder (of class folders) is needed, not both")
    raters = parts["raters"].named()
    spaces = dict(_SHARED)
    for word, node in parts["spaces"].table().items() if "spaces" in parts else ():
        spaces[word] = _space(word, node)
    labels = tuple(_label(node, spaces, raters) for node in parts["labels"].items())
    if "splits" in parts and "split" not in (parts["columns"].named(_COLUMNS) if "columns" in parts else {}):
        raise parts["splits"].wrong("splits say what a column means: name it under columns, as split")
    answered = [(label.space.name, label.rater) for label in labels]
    if len(set(answered)) != len(answered):
        raise parts["labels"].wrong("one rater answers twice in one space")

    def get(key: str, read: Callable[[_Node], _T], otherwise: _T) -> _T:
        return read(parts[key]) if key in parts else otherwise

    return Page(
        name=parts["name"].text(),
        title=get("title", _Node.text, parts["name"].text()),
        source=(parts.get("table") or parts["folder"]).text(),
        reading=Reading(
            header=_header(parts["header"]) if "header" in parts else True,
            separator=get("separator", _separator, ""),
            encoding=get("encoding", _encoding, None),
            sheet=get("sheet", _Node.text, ""),
        ),
        raters=raters,
        labels=labels,
        panels=tuple(_panel(node, labels, raters) for node in (parts["panels"].items() if "panels" in parts else ())),
        media=tuple(_medium(node) for node in (parts["media"].items() if "media" in parts else ())),
        columns=get("columns", lambda node: node.named(_COLUMNS), {}),
        attributes=get("attributes", _Node.texts, ()),
        language=get("language", _Node.text, None),
        splits=get("splits", _splits, {}),
        split_by=get("split_by", lambda node: node.one_of("speaker", "dialogue", "id"), None),
        counts=get("counts", _counts, {}),
        facts=_facts(parts),
        max_seconds=get("max_seconds", _Node.number, None),
        notes=get("notes", _Node.texts, ()),
    )


def _header(node: _Node) -> bool | tuple[str, ...]:
    """Return true, false, or the column names of a table without a header."""
    return node.texts() if node.node.id == "sequence" else node.flag()


def _separator(node: _Node) -> str:
    word = {"\\t": "\t", "tab": "\t"}.get(node.text(), node.text())
    if len(word) != 1 or word in '"\r\n':
        raise node.wrong(f"{word!r} is no separator: one character, or tab")
    return word


def _encoding(node: _Node) -> str:
    try:
        return codecs.lookup(node.text()).name
    except LookupError:
        raise node.wrong(f"Python knows no encoding {node.text()!r}") from None


def _splits(node: _Node) -> dict[str, str]:
    """Return the word in the table → the split."""
    return {word: split for split, words in node.table(SPLITS).items() for word in words.texts()}


def _counts(node: _Node) -> dict[str, int]:
    return {split: int(count.number()) for split, count in node.table(SPLITS).items()}


def _facts(parts: Mapping[str, _Node]) -> dict[str, Any]:
    allowed = ("name", "access", "redistribution", "commercial")
    licence = parts["licence"].table(allowed) if "licence" in parts else {}
    facts: dict[str, Any] = {key: parts[key].text() for key in ("citation", "url", "obtain") if key in parts}
    facts |= {key: licence[key].flag() for key in ("redistribution", "commercial") if key in licence}
    if "name" in licence:
        facts["licence"] = licence["name"].text()
    if "access" in licence:
        facts["access"] = cast(Access, licence["access"].one_of("open", "request", "eula"))
    return facts


def _space(name: str, node: _Node) -> LabelSpace:
    parts = node.table(("kind", "names", "source", "aliases", "bounds", "several"), ("kind",))
    kind = cast(Kind, parts["kind"].one_of(*KINDS))
    names = tuple(word.strip().lower() for word in parts["names"].texts()) if "names" in parts else ()
    if not names and kind not in _NAMELESS:
        raise node.wrong(f"a space of the kind {kind} needs names")
    words = parts["aliases"].named() if "aliases" in parts else {}
    bounds = tuple(item.number() for item in parts["bounds"].items()) if "bounds" in parts else None
    if bounds is not None and not (len(bounds) == 2 and bounds[0] < bounds[1]):
        raise parts["bounds"].wrong("bounds are the smallest and the largest value")
    try:
        return LabelSpace(
            name,
            kind,
            names,
            source=parts["source"].text() if "source" in parts else NAME,
            aliases=aliases(*names) | {word.strip().lower(): label.strip().lower() for word, label in words.items()},
            bounds=(bounds[0], bounds[1]) if bounds else None,
            several=parts["several"].flag() if "several" in parts else False,
        )
    except AffectError as error:
        raise node.wrong(error.what) from error


def _label(node: _Node, spaces: Mapping[str, LabelSpace], raters: Mapping[str, str]) -> Label:
    parts = node.table(("space", "rater", "column", "columns", "separator"), ("space", "rater"))
    space, rater = spaces.get(parts["space"].text()), parts["rater"].text()
    if space is None:
        choices = ", ".join(spaces)
        raise parts["space"].wrong(f"no space is called {parts['space'].text()!r}", do=f"known: {choices}; or spaces:")
    if rater not in raters:
        raise parts["rater"].wrong(f"the rater {rater!r} is not under raters")
    if ("column" in parts) == ("columns" in parts):
        raise node.wrong("either column or columns is needed, not both")
    columns = parts["columns"].named() if "columns" in parts else {}
    if space.kind == "options":
        if columns and set(columns) != {"options", "right"}:
            raise parts["columns"].wrong("the columns of options are {options: COLUMN, right: COLUMN}")
    elif columns and (space.kind in ("category", "open", "spans") or set(columns) - set(space.names)):
        raise parts["columns"].wrong(f"columns are label: column, for labels of {space.name}")
    if space.kind == "dimension" and not columns and len(space.names) != 1:
        raise node.wrong(f"{space.name} has several numbers: give columns")
    column = parts["column"].text() if "column" in parts else None
    return Label(space, rater, column, columns, parts["separator"].text() if "separator" in parts else ",")


def _panel(node: _Node, labels: Sequence[Label], raters: Mapping[str, str]) -> Panel:
    parts = node.table(("space", "rater", "rule", "of"), ("space", "rater", "rule", "of"))
    name, rater, of = parts["space"].text(), parts["rater"].text(), parts["of"].texts()
    if rater not in raters:
        raise parts["rater"].wrong(f"the rater {rater!r} is not under raters")
    spaces = {label.rater: label.space for label in labels if label.space.name == name}
    if silent := [one for one in of if one not in spaces]:
        raise parts["of"].wrong(f"{', '.join(silent)}: no labels in the space {name!r}")
    if len(set(of) - {rater}) < 2:
        raise parts["of"].wrong("a panel is of two raters at least, and another stands for them")
    rule, kind = _RULES[parts["rule"].one_of(*_RULES)]
    if (given := spaces[of[0]].kind) != kind:
        raise parts["rule"].wrong(
            f"{parts['rule'].text()} is of ratings of the kind {kind}; {name} is of the kind {given}"
        )
    return Panel(name, rater, rule, of=of)


def _medium(node: _Node) -> Medium:
    parts = node.table(("column", "modality", "folder", "sound", "start", "end"), ("column", "modality"))
    return Medium(
        column=parts["column"].text(),
        modality=cast(Modality, parts["modality"].one_of("audio", "video", "image")),
        folder=parts["folder"].text() if "folder" in parts else ".",
        sound=parts["sound"].flag() if "sound" in parts else False,
        start=parts["start"].text() if "start" in parts else None,
        end=parts["end"].text() if "end" in parts else None,
    )
