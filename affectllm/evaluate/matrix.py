"""``matrix:`` of a task page: axes of variants, each with the keys that it changes, instead of near-copies of pages.

The page itself is the base task, which plain lm-eval reads too; every other combination of variants is a task of its
own under our task manager::

    task: crema_d_emotion_acted
    …
    matrix:
      rater:
        acted: {}
        voice: {gold: {space: crema_d_6, rater: crowd_voice}, modalities: [audio], what: the vote by voice alone}
      by: {reply: {}, choice: {output_type: multiple_choice}}

A variant that changes nothing is the page's own. The others add their word to the page's name, in the order of the
axes (``…_choice``); where the page's name has the word of its own variant in it, theirs take its place (``…_voice``).
``what`` is the line that the lists show.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.errors import Malformed
from affectllm.yaml_page import Page, PageKind, Path_, first_comment, read_page, read_value

TASK = PageKind("task", listed="tasks", words=("!function",))
CLASS = "affectllm.evaluate.task.AffectTask"
WHAT = "what"
SOURCE = "page_source"
"""Key under which the task manager hands ``file:line`` of a variant to the task class."""
_OURS = {"corpus", "template"}
_CHOOSES = {"corpus", "split", "where", "fold", "gold"}
_FIXED = ("task", "class", "group", "include", "matrix")


@dataclass(frozen=True)
class TaskEntry:
    """One task or group that a page defines.

    Args:
        name: what it is called.
        path: the file.
        config: its keys, with those of its variants, without ``matrix``.
        page: the file as it was read.
        chosen: axis → variant; empty for the page itself.
    """

    name: str
    path: Path
    config: dict[str, Any]
    page: Page
    chosen: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        return "group" in self.config

    @property
    def ours(self) -> bool:
        """Whether this is a task of our class, and not a plain lm-eval task or a group."""
        return self.config.get("class") == CLASS

    def members(self) -> list[str]:
        """Return the names of the tasks of a group; empty for a task."""
        listed = self.config.get("task")
        return [member for member in listed if isinstance(member, str)] if isinstance(listed, list) else []

    def where(self, key: str = "") -> str:
        """Return ``file:line`` of a key: in the variant that sets it, else in the page; of the variant if missing."""
        own: Path_ = ()
        for axis, variant in self.chosen.items():
            changes = self.page.value["matrix"][axis][variant]
            own = ("matrix", axis, variant) if changes else own
            if key in changes:
                return self.page.where(("matrix", axis, variant, key))
        return self.page.where((key,) if key in self.page.value else own)

    def what(self) -> str:
        """A one-line description: the first comment of the page, or the notes of its variants."""
        comment = first_comment(self.path)
        variants = {v: self.page.value["matrix"][axis][v] for axis, v in self.chosen.items()}
        if not any(variants.values()):
            return comment
        notes = [str(changes.get(WHAT, name)) for name, changes in variants.items() if changes]
        return f"{comment.partition(':')[0]}: {'; '.join(notes)}" if comment else "; ".join(notes)

    def as_page(self) -> str:
        """Return a variant written out as the text of a page of its own."""
        import yaml

        keys = yaml.safe_dump(self.config, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)
        return f"# {self.what()}\n{keys.replace(f'class: {CLASS}', f'class: !function {CLASS}')}"


def read_tasks(path: Path) -> list[TaskEntry]:
    """Read the task or group of a page, and one more task for every combination of variants.

    Raises:
        NotFound: when the file cannot be opened.
        Malformed: with file and line, when it is no page, or its matrix is not as it must be.
    """
    page = read_page(path, TASK)
    _check_class(page)
    config = {key: value for key, value in page.value.items() if key != "matrix"}
    own = TaskEntry(path.stem, path, config, page)
    return [own, *_variants(own)] if "matrix" in page.value else [own]


def _check_class(page: Page) -> None:
    """Refuse a page whose class is none, and one with our keys that lm-eval would make something else of."""
    do = f"class: !function {CLASS}"
    if "class" in page.value and ("class",) not in page.tagged:
        message = "the class is a word, and no function"
        raise Malformed(message, where=page.where(("class",)), do=f"write: {do}")
    if not page.value.keys() >= _OURS:
        return
    if not {"class", "include"} & page.value.keys():
        message = "the key class is missing, without which lm-eval reads the page as one of its own tasks"
        raise Malformed(message, where=page.where(()), do=f"add: {do}")
    if (other := page.value.get("class", CLASS)) != CLASS:
        message = f"the class {other} knows nothing of the keys {', '.join(sorted(_OURS))}"
        raise Malformed(message, where=page.where(("class",)), do=f"write: {do}")


def _variants(own: TaskEntry) -> Iterator[TaskEntry]:
    matrix = _checked(own)
    for names in itertools.product(*matrix.values()):
        chosen = dict(zip(matrix, names, strict=True))
        changes = {key: value for axis, name in chosen.items() for key, value in matrix[axis][name].items()}
        if not changes:
            continue
        changes.pop(WHAT, None)
        name = _name(own.name, matrix, chosen)
        yield TaskEntry(name, own.path, {**varied(own.config, changes), "task": name}, own.page, chosen)


def _unfocused(value: Any) -> Any:
    """Return a value of a key without the dimensions that are asked about: other ones are of the same items."""
    return {key: own for key, own in value.items() if key != "focus"} if isinstance(value, Mapping) else value


def varied(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a page with those of a variant.

    What was published of the page is not said of a variant, nor is the number of its items where others are chosen.
    """
    chooses = any(_unfocused(changes[key]) != _unfocused(config.get(key)) for key in _CHOOSES & changes.keys())
    lost = {"published", *(("n",) if chooses else ())}
    return {**{key: value for key, value in config.items() if key not in lost}, **changes}


def _name(base: str, matrix: Mapping[str, Mapping[str, Any]], chosen: Mapping[str, str]) -> str:
    """Return the page's name with the words of the chosen variants inserted or appended."""
    name, behind = base, []
    for axis, variant in chosen.items():
        if not matrix[axis][variant]:
            continue
        own = next((word for word, changes in matrix[axis].items() if not changes), "")
        places = list(re.finditer(rf"(?<![^_]){re.escape(own)}(?![^_])", name)) if own else []
        if places:
            name = name[: places[-1].start()] + variant + name[places[-1].end() :]
        else:
            behind.append(variant)
    return "_".join([name, *behind])


def _checked(own: TaskEntry) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the validated matrix.

    Raises:
        Malformed: with file and line.
    """
    page, matrix = own.page, own.page.value["matrix"]
    if not own.ours:
        raise page.kind.wrong(f"only tasks of the class {CLASS} have a matrix", where=page.where(("matrix",)))
    _mapping(page, ("matrix",), matrix)
    changed: dict[str, str] = {}
    for axis, variants in matrix.items():
        _mapping(page, ("matrix", axis), variants)
        plain = [word for word, changes in variants.items() if changes == {}]
        if len(plain) > 1:
            message = f"{plain[1]} changes nothing, and neither does {plain[0]}"
            raise page.kind.wrong(message, where=page.where(("matrix", axis, plain[1])), do="remove one of the two")
        for word, changes in variants.items():
            _check_variant(page, ("matrix", axis, word), changes, changed)
        changed |= {key: axis for changes in variants.values() for key in changes if key != WHAT}
    return matrix


def _mapping(page: Page, path: Path_, value: Any) -> None:
    """Raise unless ``value`` is a mapping whose keys are words that can stand in a task's name."""
    name = ".".join(map(str, path))
    if not isinstance(value, Mapping) or not value:
        message = f"{name} must be a mapping of {'axes' if len(path) == 1 else 'variants'}"
        raise page.kind.wrong(
            f"{message}, not {value!r}", where=page.where(path), do="see affectllm/evaluate/matrix.py"
        )
    for word in value:
        # Others that read the page take words such as `on` for a truth value.
        if not re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)*", word) or not isinstance(read_value(word, page.file), str):
            message = f"{name} has {word!r}, which cannot stand in the name of a task"
            raise page.kind.wrong(message, where=page.where((*path, word)), do="use small letters, such as `voice`")


def _check_variant(page: Page, path: Path_, changes: Any, changed: Mapping[str, str]) -> None:
    if not isinstance(changes, Mapping):
        message = f"{'.'.join(map(str, path))} must be a mapping of the keys that it changes, not {changes!r}"
        raise page.kind.wrong(message, where=page.where(path), do="write {} for a variant that changes nothing")
    for key in changes:
        where = page.where((*path, key))
        if key in _FIXED:
            raise page.kind.wrong(f"a variant cannot change {key}", where=where, do="write a page of its own")
        if key in changed:
            message = f"{key} is changed by the axis {changed[key]} already"
            raise page.kind.wrong(message, where=where, do="let one axis change it, or write pages of their own")
    if set(changes) == {WHAT}:
        raise page.kind.wrong("this variant says what it is, and changes nothing", where=page.where(path))
