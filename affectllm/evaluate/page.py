"""Strict parsing of our own keys in an lm-eval YAML of ``eval_tasks/``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from affectllm.corpus.sample import SPLITS, TRAIN
from affectllm.corpus.selection import ALL, FOLD, Conditions, Selection
from affectllm.corpus.windows import Windows
from affectllm.errors import Malformed
from affectllm.evaluate.scoring.published import Published

LIKELIHOOD = "likelihood"
_PLAIN = ("language", "held_out", "score_labels", "paper", "n", "score_by", "hints")
Where = str | Callable[[str], str]
"""The place that errors name, or a function from a key to its place."""


@dataclass(frozen=True)
class TaskPage:
    """Our own keys of a task page: what the task asks and scores.

    Args:
        corpus: name of the corpus.
        split: ``test`` or ``validation``, never ``train``; ``all`` for the whole corpus, of which nothing is learned;
            left out where ``fold`` says what is scored.
        template: the wording that asks and reads.
        space: label space of the gold answers (key ``gold: {space: …, rater: …}``).
        focus: of a space of dimensions the names that are asked about (``gold: {…, focus: [valence]}``); None for all.
        map: label space that the gold answers are mapped to (``gold: {…, map: ekman_6_neutral}``), through the
            published map of ``labels.cited_maps``; question, reading and scores are in that space.
        rater: whose answer is the gold one.
        modalities: what the model is shown, of ``video``, ``audio``, ``image``, ``text``.
        metrics: names of metrics, the headline first; of a template with several slots a mapping slot → names, with
            ``joint`` for all of them together, kept as ``slot.metric``. A metric with options is a mapping of its own.
        metric_options: name of a metric → its options, see ``scoring``.
        also: the template's other slots → (label space, rater), as ``also: {slot: {space: …, rater: …}}``.
        cluster: ``speaker`` or ``dialogue``: what the intervals resample; None for single items.
        language: BCP-47 tag of question and answer.
        held_out: whether the held-out paraphrases are asked.
        where: attribute of the samples → the values that are asked, ``where: {language: en, part: [test1, test2]}``.
        fold: the attribute that numbers folds, and the one whose samples are scored: ``fold: {fold: 2}``.
        score_labels: the labels that F1 counts; answers of the others still miss and claim (``metrics/labels``).
        windows: cuts recordings by the trace of ``curve``, ``windows: {curve: SPACE, seconds: 5, rate: 25}``; ``gold``
            then is the mean of a window.
        hints: tables of what small models found (``affectllm hint``), whose words stand in the prompt.
        score_by: ``likelihood`` for a score of each label, or of each dimension: the model is asked about one at a
            time, and the likelihoods of the template's levels, such as Yes and No, make the score; else empty.
        paper: what defines the task.
        n: how many items it asks of the whole release; where fewer are asked, the scores say so.
        published: reference figures; see ``Published``.
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
    metric_options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    map: str | None = None
    where: Conditions = ()
    fold: tuple[str, str] | None = None
    score_labels: tuple[str, ...] = ()
    score_by: str = ""
    hints: tuple[str, ...] = ()
    windows: Windows | None = None
    paper: str = ""
    n: int | None = None
    published: tuple[Published, ...] = ()

    @property
    def selection(self) -> Selection:
        """Which samples of the corpus are scored."""
        return Selection(self.corpus, self.split, self.where, self.fold)

    @classmethod
    def take(cls, config: dict[str, Any], where: Where) -> TaskPage:
        """Remove our keys from ``config`` and return them.

        Raises:
            Malformed: when one is missing or has the wrong form; names ``where``.
        """
        at = where if callable(where) else lambda _: where
        values: dict[str, Any] = {"cluster": config.pop("cluster", None), **_gold(config.pop("gold", None), at("gold"))}
        values |= {key: config.pop(key) for key in _PLAIN if key in config}
        values |= _samples(config, at)
        values["published"] = Published.read_all(config.pop("published", None), at("published"))
        values["windows"] = _windows(config.pop("windows", None), at("windows"))
        also = config.pop("also", None) or {}
        if not isinstance(also, Mapping):
            raise Malformed(f"also must be a mapping of slots, not {also!r}", where=at("also"))
        values["also"] = {str(slot): _bound(f"also.{slot}", bound, at("also")) for slot, bound in also.items()}
        for one in fields(cls):
            if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
                if one.name not in config:
                    raise Malformed(f"the key {one.name} is missing", where=at(one.name), do="see CONTRIBUTING.md")
                values[one.name] = config.pop(one.name)
        values["metrics"], values["metric_options"] = _metrics(values["metrics"], at("metrics"))
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
        self._check_more(at)
        self._check_split(at)

    def _check_more(self, at: Callable[[str], str]) -> None:
        if not isinstance(self.language, str):
            raise Malformed(f"language is a tag such as zh, not {self.language!r}", where=at("language"))
        if not isinstance(self.held_out, bool):
            raise Malformed(f"held_out is true or false, not {self.held_out!r}", where=at("held_out"))
        if self.map is not None and not isinstance(self.map, str):
            raise Malformed(f"gold.map is the name of a label space, not {self.map!r}", where=at("gold"))
        if self.score_labels and not _names(self.score_labels):
            message = f"score_labels must be a list of labels, not {self.score_labels!r}"
            raise Malformed(message, where=at("score_labels"))
        if self.score_by not in ("", LIKELIHOOD):
            raise Malformed(f"score_by is {LIKELIHOOD}, or left out, not {self.score_by!r}", where=at("score_by"))
        if self.hints and not _names(self.hints):
            raise Malformed(f"hints must be a list of tables, not {self.hints!r}", where=at("hints"))
        if not isinstance(self.paper, str):
            raise Malformed(f"paper is a citation, not {self.paper!r}", where=at("paper"))
        if self.n is not None and (isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1):
            raise Malformed(f"n is a number of items, not {self.n!r}", where=at("n"))
        if self.cluster not in (None, "speaker", "dialogue"):
            raise Malformed(f"cluster must be speaker, dialogue or absent, not {self.cluster!r}", where=at("cluster"))

    def _check_split(self, at: Callable[[str], str]) -> None:
        if self.split not in (*SPLITS, ALL, FOLD) or self.split == TRAIN:
            raise Malformed(f"a task scores validation, test or all, not {self.split!r}", where=at("split"))
        if (self.split == FOLD) != (self.fold is not None):
            raise Malformed("fold: says what is scored, so split: is left out beside it", where=at("split"))


def _names(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(item, str) for item in value)


def _gold(raw: Any, where: str) -> dict[str, Any]:
    asked = dict(raw) if isinstance(raw, Mapping) else raw
    more = {key: asked.pop(key, None) for key in ("focus", "map")} if isinstance(asked, dict) else {}
    space, rater = _bound("gold", asked, where)
    return {"space": space, "rater": rater, **more}


def _samples(config: dict[str, Any], at: Callable[[str], str]) -> dict[str, Any]:
    """Take the keys that choose samples: ``where``, ``fold``, and the split that goes with the latter."""
    where, fold = config.pop("where", None) or {}, config.pop("fold", None)
    chosen = {name: value if isinstance(value, list) else [value] for name, value in _mapping("where", where, at)}
    values: dict[str, Any] = {"where": tuple((name, tuple(map(_word, value))) for name, value in chosen.items())}
    if fold is None:
        return values
    pairs = _mapping("fold", fold, at)
    if len(pairs) != 1 or isinstance(pairs[0][1], list):
        raise Malformed(f"fold names one attribute and its value, such as {{fold: 2}}, not {fold!r}", where=at("fold"))
    return {**values, "fold": (pairs[0][0], _word(pairs[0][1])), "split": config.pop("split", FOLD)}


def _mapping(key: str, value: Any, at: Callable[[str], str]) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise Malformed(f"{key} must be a mapping of attributes to their values, not {value!r}", where=at(key))
    return list(value.items())


def _windows(raw: Any, where: str) -> Windows | None:
    if raw is None:
        return None
    keys = {"curve": str, "seconds": (int, float), "rate": (int, float)}
    right = isinstance(raw, Mapping) and set(raw) == set(keys) and all(isinstance(raw[k], keys[k]) for k in keys)  # type: ignore[arg-type]
    if not right or not (raw["seconds"] > 0 and raw["rate"] > 0):
        message = f"windows must be {{curve: a label space, seconds: …, rate: numbers a second}}, not {raw!r}"
        raise Malformed(message, where=where)
    return Windows(raw["curve"], float(raw["seconds"]), float(raw["rate"]))


def _word(value: Any) -> str:
    """Return a value of YAML as samples hold it, in words: 2 as ``2``, true as ``true``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bound(key: str, value: Any, where: str) -> tuple[str, str]:
    if not isinstance(value, Mapping) or set(value) != {"space", "rater"}:
        raise Malformed(f"{key} must be {{space: …, rater: …}}", where=where)
    if strange := next((name for name in ("space", "rater") if not isinstance(value[name], str)), ""):
        raise Malformed(f"{strange} of {key} must be a name, not {value[strange]!r}", where=where)
    return value["space"], value["rater"]


def _metrics(raw: Any, where: str) -> tuple[Any, dict[str, dict[str, Any]]]:
    """Return the keys of the metrics and the options of those that have some.

    ``{emotion: [uar], joint: [accuracy]}`` becomes ``emotion.uar`` and ``joint.accuracy``, and
    ``[uar, {ccc: {sequences: video}}]`` the keys ``uar`` and ``ccc`` with the options of the latter.
    """
    slots = raw if isinstance(raw, Mapping) else {"": raw}
    if not all(isinstance(listed, list) for listed in slots.values()):
        return raw, {}
    keys: list[str] = []
    options: dict[str, dict[str, Any]] = {}
    for slot, listed in slots.items():
        for one in listed:
            name, given = next(iter(one.items())) if isinstance(one, Mapping) and len(one) == 1 else (one, {})
            key = f"{slot}.{name}" if slot else name
            if not isinstance(given, Mapping):
                raise Malformed(f"the options of {name} must be a mapping, not {given!r}", where=where)
            keys.append(key)
            options |= {key: dict(given)} if given else {}
    return keys, options
