"""Strict parsing of our own keys in an lm-eval YAML of ``eval_tasks/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from affectllm.corpus.sample import SPLITS, TRAIN
from affectllm.errors import Malformed

Where = str | Callable[[str], str]
"""The place that errors name, or a function from a key to its place."""


@dataclass(frozen=True)
class TaskPage:
    """Our own keys of a task page: what the task asks and scores.

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
    def take(cls, config: dict[str, Any], where: Where) -> TaskPage:
        """Remove our keys from ``config`` and return them.

        Raises:
            Malformed: when one is missing or has the wrong form; names ``where``.
        """
        at = where if callable(where) else lambda _: where
        raw = config.pop("gold", None)
        asked = dict(raw) if isinstance(raw, Mapping) else raw
        focus = asked.pop("focus", None) if isinstance(asked, dict) else None
        gold = _bound("gold", asked, at("gold"))
        values: dict[str, Any] = {"cluster": config.pop("cluster", None), "space": gold[0], "rater": gold[1]}
        values["focus"] = focus
        values |= {key: config.pop(key) for key in ("language", "held_out") if key in config}
        also = config.pop("also", None) or {}
        if not isinstance(also, Mapping):
            raise Malformed(f"also must be a mapping of slots, not {also!r}", where=at("also"))
        values["also"] = {str(slot): _bound(f"also.{slot}", bound, at("also")) for slot, bound in also.items()}
        for one in fields(cls):
            if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
                if one.name not in config:
                    raise Malformed(f"the key {one.name} is missing", where=at(one.name), do="see CONTRIBUTING.md")
                values[one.name] = config.pop(one.name)
        values["metrics"] = _flat(values["metrics"])
        listed: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        page = cls(**listed)
        page._check(at)
        return page

    def _check(self, at: Callable[[str], str]) -> None:
        for name in ("corpus", "split", "template", "space", "rater"):
            if not isinstance(getattr(self, name), str):
                raise Malformed(
                    f"{name} must be a name, not {getattr(self, name)!r}",
                    where=at("gold" if name in ("space", "rater") else name),
                )
        for name in ("modalities", "metrics"):
            value = getattr(self, name)
            if not _names(value):
                raise Malformed(f"{name} must be a list of names, not {value!r}", where=at(name))
        if self.focus is not None and not _names(self.focus):
            raise Malformed(f"gold.focus must be a list of names, not {self.focus!r}", where=at("gold"))
        if not isinstance(self.language, str):
            raise Malformed(f"language is a tag such as zh, not {self.language!r}", where=at("language"))
        if not isinstance(self.held_out, bool):
            raise Malformed(f"held_out is true or false, not {self.held_out!r}", where=at("held_out"))
        if self.split not in SPLITS or self.split == TRAIN:
            raise Malformed(f"a task scores validation or test, not {self.split!r}", where=at("split"))
        if self.cluster not in (None, "speaker", "dialogue"):
            raise Malformed(f"cluster must be speaker, dialogue or absent, not {self.cluster!r}", where=at("cluster"))


def _names(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, str) for item in value)


def _bound(key: str, value: Any, where: str) -> tuple[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"space", "rater"}:
        raise Malformed(f"{key} must be {{space: …, rater: …}}", where=where)
    return value["space"], value["rater"]


def _flat(metrics: Any) -> Any:
    """Flatten ``{emotion: [uar], joint: [accuracy]}`` to ``emotion.uar`` and ``joint.accuracy``; a list stays one."""
    if not isinstance(metrics, Mapping) or not all(isinstance(names, list) for names in metrics.values()):
        return metrics
    return [f"{slot}.{name}" for slot, names in metrics.items() for name in names]
