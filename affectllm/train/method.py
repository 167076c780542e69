"""Definition and lookup of training methods: ``methods/<name>.py`` holds its ``METHOD``.

Finding one imports no framework: configuration and trainer are named, and imported when a training starts.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, cast

from affectllm import registry
from affectllm.errors import Malformed
from affectllm.extras import explained_import
from affectllm.imported import member

if TYPE_CHECKING:
    from affectllm.instruct import Template
    from affectllm.model.encode import Encoder, Messages
    from affectllm.model.load import Model

OURS: Mapping[str, str] = {
    "output_dir": "the run folder decides it (--out)",
    "resume_from_checkpoint": "a run that was cut off resumes by itself",
    "remove_unused_columns": "our collator needs the conversations",
    "max_length": "media are never truncated; bound clips with model.budget",
    "seed": "write it once, at the top of the page",
}
"""Fields that the machine decides for every method → why: where a run lies, how data reach our collator."""


Conversations = Callable[[Mapping[str, Any]], "tuple[Messages, ...]"]
Looked = Callable[[Mapping[str, Any]], "tuple[Messages | None, ...]"]
Batch = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Curve:
    """A quantity that the trainer logs by step, as a report draws it.

    Args:
        key: what the trainer calls it; with ``eval_`` before it in the log of a validation. ``*`` in it stands for any
            words: there is a curve of each such key, with these words in its title.
        title: what it is, as a caption begins.
        noun: what its axis is called.
        range: lowest and highest value that it can have.
        better: where it goes while a model learns; empty where neither way is good as such.
    """

    key: str
    title: str
    noun: str
    range: tuple[float, float] = (-math.inf, math.inf)
    better: Literal["lower", "higher", ""] = "higher"

    def each(self, keys: Iterable[str]) -> list[Curve]:
        """Return the curves that it stands for among the keys of a log; itself where it has no ``*``."""
        before, star, after = self.key.partition("*")
        if not star:
            return [self]
        names = {key[len(before) : len(key) - len(after)] for key in keys if _between(key, before, after)}
        return [replace(self, key=f"{before}{n}{after}", title=self.title.replace("*", n)) for n in sorted(names)]


def _between(key: str, before: str, after: str) -> bool:
    return key.startswith(before) and key.endswith(after) and len(key) > len(before) + len(after)


LOSS = Curve("loss", "Loss", "loss", better="lower")


@dataclass(frozen=True)
class Bound:
    """Lowest and highest value of a number; it is finite in any case.

    Args:
        low, high: both included unless the next two say otherwise.
        above, below: whether ``low`` or ``high`` itself is excluded.
        whole: whether the number has no fraction.
        unset: a value beyond the others by which the library says that there is none.
    """

    low: float
    high: float = math.inf
    above: bool = False
    below: bool = False
    whole: bool = False
    unset: float | None = None

    def admits(self, value: Any) -> bool:
        """Return whether a value is a number within the bounds."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        if value == self.unset:
            return True
        enough = value > self.low if self.above else value >= self.low
        return math.isfinite(value) and enough and (value < self.high if self.below else value <= self.high)

    def expected(self, value: Any) -> str:
        """Return what must be there in place of a value that is not admitted."""
        finite = isinstance(value, float) and not math.isfinite(value)
        words = [*(["a whole number"] if self.whole else []), *(["finite"] if finite else []), self._range()]
        return ", ".join(words) + ("" if self.unset is None else f", or {self.unset:g} for none")

    def _range(self) -> str:
        if self.high == math.inf:
            return f"above {self.low:g}" if self.above else f"{self.low:g} or more"
        if self.above:
            return f"above {self.low:g} and {'below' if self.below else 'at most'} {self.high:g}"
        return f"from {self.low:g} to {'below ' if self.below else ''}{self.high:.10g}"


ABOVE_0 = Bound(0, above=True)
FROM_0 = Bound(0)
FROM_1 = Bound(1)
SHARE = Bound(0, 1)
BELOW_1 = Bound(0, 1, below=True)


@dataclass(frozen=True)
class Ready:
    """The context in which a trainer is created.

    Args:
        model: what is trained.
        adapted: whether an adapter is put on it, so that without the adapter it is the model that it was.
        again: loads the model once more, as it was before training.
        encoder: of the model.
        rewards: of the recipe, for ``reward_funcs``.
        teacher: loads the recipe's teacher, where the method has one.
    """

    model: Model
    adapted: bool
    again: Callable[[], Model]
    encoder: Encoder
    rewards: Sequence[Callable[..., list[float | None]]] = ()
    teacher: Callable[[], Model] | None = None


def own_conversation(row: Mapping[str, Any]) -> tuple[Messages, ...]:
    """Return the conversation of a row, unchanged."""
    return (row["messages"],)


def as_it_is(batch: dict[str, Any]) -> dict[str, Any]:
    """Return a batch as encoded: ``labels`` are ``-100`` outside the assistant's tokens."""
    return batch


def _no_objection(trainer: Mapping[str, Any]) -> tuple[str, str] | None:
    return None


def _no_words(trainer: Mapping[str, Any], template: Template) -> str:
    return ""


def _nothing(ready: Ready) -> Mapping[str, Any]:
    return {}


Validated = Callable[["Sequence[Template]"], "Sequence[str]"]


@dataclass(frozen=True)
class Method:
    """One training method.

    Args:
        title: what it does, in a line.
        config: the library's configuration class, whose fields a recipe gives under ``trainer``: ``trl.SFTConfig``.
        trainer: the library's trainer: ``trl.SFTTrainer``.
        conversations: row of a conversations file → what is encoded of it, as many conversations for every row. The
            first is what the self-test asks.
        needs: key of a part of a mixture without which its rows cannot be taken; "" where every part will do.
        how: what to write there.
        ours: field of the configuration → why the machine decides it, beside ``OURS``.
        fixed: fields of the configuration as they always are.
        bounds: field under ``trainer`` → between which values it makes sense, beside those of ``pages.bounds.TRAINER``.
        choices: field under ``trainer`` → the words that it can be, where the library's class does not say it.
        objection: fields under ``trainer``, of right types and within their bounds → the first that the library would
            refuse once the model is loaded, and why; or None.
        unfit: (fields under ``trainer``, template of a part of the mixture) → why its rows cannot be taken, or "".
        looked: the trainer's configuration → what is encoded of a row before the training, where that follows from it;
            None in it is what the row lacks. None for ``conversations``.
        batch: encoded batch, the first conversation of every row before the second of any → what the trainer takes.
        collates: whether our collator makes the batches; else the trainer gets the rows, and the tokenizer.
        rewarded: whether the page says ``rewards``.
        taught: whether the page names a ``teacher``.
        packs: whether conversations may share a row.
        heads: what stands on the backbone in place of the head that writes: ``answers`` of the mixture's questions, or
            a ``reward``; "" for a model that writes. The page may then say ``head``, and take a plain encoder.
        validated: templates of the mixture → the metrics that a validation logs by itself, by which the best checkpoint
            may be chosen; None for a model that writes, which is asked and may be chosen by any metric of its answers.
        answers_as: the lm-eval model by which the result is scored; "" for none, which answers no task.
        overrides: class whose methods come before those of the library's trainer, or its dotted name.
        extra: further arguments of the trainer.
        curves: what a report draws; the first is that by which the best checkpoint is chosen.
    """

    title: str
    config: str
    trainer: str
    conversations: Conversations = own_conversation
    needs: str = ""
    how: str = ""
    ours: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objection: Callable[[Mapping[str, Any]], tuple[str, str] | None] = _no_objection
    unfit: Callable[[Mapping[str, Any], Template], str] = _no_words
    looked: Callable[[Any], Looked] | None = None
    batch: Batch = as_it_is
    collates: bool = True
    rewarded: bool = False
    taught: bool = False
    packs: bool = False
    heads: Literal["", "answers", "reward"] = ""
    validated: Validated | None = None
    answers_as: str = "affectllm"
    overrides: type | str = object
    extra: Callable[[Ready], Mapping[str, Any]] = _nothing
    curves: tuple[Curve, ...] = (LOSS,)

    def config_class(self) -> Any:
        """The configuration class, imported."""
        return _imported(self.config)

    def trainer_class(self) -> Any:
        """The library's trainer class, imported, without our additions."""
        return _imported(self.trainer)

    @property
    def best(self) -> Curve:
        """What the best checkpoint is chosen by."""
        return self.curves[0]

    def mixin(self) -> type:
        """The class whose methods come before the trainer's, imported."""
        return cast(type, _imported(self.overrides)) if isinstance(self.overrides, str) else self.overrides


def _imported(dotted: str) -> Any:
    module, _, name = dotted.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (AttributeError, ModuleNotFoundError) as error:
        if isinstance(error, ImportError) and (explained := explained_import(error)):
            raise explained from error
        message = f"a training method names {dotted}, and there is none: {error}"
        raise Malformed(message, do="mend the file of the method, or install the library that has it") from error


def method_names() -> list[str]:
    """Return the names of all methods, by their files; imports none."""
    return list(registry.names("methods"))


def find_method(name: str) -> Method:
    """Return the method called ``name``.

    Raises:
        NotFound: when there is none.
        Malformed: when its file cannot be imported or holds no ``METHOD``.
    """
    return cast(Method, member("methods", name, "METHOD", Method))
