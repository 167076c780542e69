"""The pages of ``eval_tasks/``: our own keys of an lm-eval YAML, read strictly.

lm-eval skips a YAML that does not load, and says so at debug level only. ``check_pages`` reads every file of the
folders first, and names each broken one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from affectllm import bounded, registry
from affectllm.corpus.sample import SPLITS, TRAIN
from affectllm.errors import Malformed

CLASS = "affectllm.evaluate.task.AffectTask"


@dataclass(frozen=True)
class TaskPage:
    """What a task scores, in our own keys.

    Args:
        corpus: name of the corpus.
        split: ``test`` or ``validation``; never ``train``.
        template: the wording that asks and reads.
        space: label space of the gold answers (key ``gold: {space: …, rater: …}``).
        focus: of a space of dimensions the names that are asked about (``gold: {…, focus: [valence]}``); None for all.
        rater: whose answer is the gold one.
        modalities: what the model is shown, of ``video``, ``audio``, ``image``, ``text``.
        metrics: names of metrics, the headline first; of a template with several slots a mapping slot → names, with
            ``joint`` for all of them together, kept as ``slot.metric``.
        also: the template's other slots → (label space, rater), as ``also: {slot: {space: …, rater: …}}``.
        cluster: ``speaker`` or ``dialogue``: what the intervals resample; None for single items.
        language: BCP-47 tag of question and answer.
        held_out: whether the held-out paraphrases are asked.
    """

    corpus: str
    split: str
    template: str
    space: str
    rater: str
    modalities: tuple[str, ...]
    metrics: tuple[str, ...]
    cluster: str | None
    language: str = "en"
    held_out: bool = False
    also: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    focus: tuple[str, ...] | None = None

    @classmethod
    def take(cls, config: dict[str, Any], where: str) -> TaskPage:
        """Remove our keys from ``config`` and return them.

        Raises:
            Malformed: when one is missing or has the wrong form; names ``where``.
        """
        given = config.pop("gold", None)
        asked = dict(given) if isinstance(given, Mapping) else given
        focus = asked.pop("focus", None) if isinstance(asked, dict) else None
        gold = _bound("gold", asked, where)
        values: dict[str, Any] = {"cluster": config.pop("cluster", None), "space": gold[0], "rater": gold[1]}
        values["focus"] = focus
        values |= {key: config.pop(key) for key in ("language", "held_out") if key in config}
        also = config.pop("also", None) or {}
        if not isinstance(also, Mapping):
            raise Malformed(f"also must be a mapping of slots, not {also!r}", where=where)
        values["also"] = {str(slot): _bound(f"also.{slot}", bound, where) for slot, bound in also.items()}
        for one in fields(cls):
            if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
                if one.name not in config:
                    raise Malformed(f"the key {one.name} is missing", where=where, do="see CONTRIBUTING.md")
                values[one.name] = config.pop(one.name)
        values["metrics"] = _flat(values["metrics"])
        listed: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        page = cls(**listed)
        page._check(where)
        return page

    def _check(self, where: str) -> None:
        for name in ("corpus", "split", "template", "space", "rater"):
            if not isinstance(getattr(self, name), str):
                raise Malformed(f"{name} must be a name, not {getattr(self, name)!r}", where=where)
        for name in ("modalities", "metrics"):
            value = getattr(self, name)
            if not _names(value):
                raise Malformed(f"{name} must be a list of names, not {value!r}", where=where)
        if self.focus is not None and not _names(self.focus):
            raise Malformed(f"gold.focus must be a list of names, not {self.focus!r}", where=where)
        if not isinstance(self.language, str) or not isinstance(self.held_out, bool):
            raise Malformed("language is a tag such as zh, held_out is true or false", where=where)
        if self.split not in SPLITS or self.split == TRAIN:
            raise Malformed(f"a task scores validation or test, not {self.split!r}", where=where)
        if self.cluster not in (None, "speaker", "dialogue"):
            raise Malformed(f"cluster must be speaker, dialogue or absent, not {self.cluster!r}", where=where)


def _names(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, str) for item in value)


def _bound(key: str, value: Any, where: str) -> tuple[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"space", "rater"}:
        raise Malformed(f"{key} must be {{space: …, rater: …}}", where=where)
    return value["space"], value["rater"]


def _flat(metrics: Any) -> Any:
    """``{emotion: [uar], joint: [accuracy]}`` as ``emotion.uar`` and ``joint.accuracy``; a list stays one."""
    if not isinstance(metrics, Mapping) or not all(isinstance(names, list) for names in metrics.values()):
        return metrics
    return [f"{slot}.{name}" for slot, names in metrics.items() for name in names]


def check_pages() -> dict[str, Path]:
    """Every page of every folder of tasks, after reading each.

    Raises:
        Malformed: when a page does not load; all broken ones are named.
    """
    pages = registry.names("eval_tasks")
    problems = [problem for name, path in pages.items() for problem in _problems(name, path, pages)]
    if problems:
        raise Malformed("some task pages do not load:\n  " + "\n  ".join(problems), do="correct or remove these files")
    return pages


def _problems(name: str, path: Path, pages: Mapping[str, Path]) -> list[str]:
    try:
        config = read_page(path)
    except Malformed as error:
        return [str(error)]
    except OSError as error:
        return [f"{path}: {error}"]
    if "group" in config:
        return _group_problems(name, path, config, pages)
    if config.get("task") != Path(name).name:
        return [f"{path}: the file is called {Path(name).name}, its task {config.get('task')!r}"]
    return _task_problems(path, config)


def _group_problems(name: str, path: Path, config: Mapping[str, Any], pages: Mapping[str, Path]) -> list[str]:
    if config["group"] != Path(name).name:
        return [f"{path}: the file is called {Path(name).name}, its group {config['group']!r}"]
    members = config.get("task")
    if not isinstance(members, list):
        return [f"{path}: task must be the list of the group's tasks"]
    known = {Path(page).name for page in pages}
    return [f"{path}: there is no task called {m!r}" for m in members if isinstance(m, str) and m not in known]


def _task_problems(path: Path, config: dict[str, Any]) -> list[str]:
    if config.get("class") != CLASS:
        return []  # somebody's plain lm-eval task: lm-eval reads it
    try:
        page = TaskPage.take(dict(config), str(path))
    except Malformed as error:
        return [str(error)]
    if page.corpus not in registry.names("data_builders"):
        return [f"{path}: there is no corpus called {page.corpus!r}"]
    return []


def read_page(path: Path) -> dict[str, Any]:
    """A page as plain data; ``!function NAME`` becomes the name.

    Raises:
        Malformed: with its line, when it is not YAML, is no mapping, or is so large or deep that it is no page.
    """
    config = bounded.load(bounded.read_text(path), str(path), words=("!function",))
    if not isinstance(config, dict):
        raise Malformed("the page is not a mapping of keys", where=str(path))
    return config
