"""How a task is asked beyond what its page says: examples, a system prompt, all wordings, votes."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from affectllm.corpus import Sample
from affectllm.errors import AffectError, Malformed
from affectllm.hints.attach import SHOWN, Shown
from affectllm.instruct import Template
from affectllm.instruct.conversation import Conversation


@dataclass(frozen=True)
class Protocol:
    """The settings of an evaluation that change what a task asks, and so what its scores mean.

    Args:
        shots: examples of each class of the first slot (of a form without classes, in all), from the training split.
        seed: draws the examples, their order, and the votes.
        system: the system prompt; empty for the template's own.
        paraphrases: whether every item is asked in every wording.
        votes: replies that are drawn for each item; the commonest reading counts.
        temperature: at which they are drawn.
        hints: whose hints stand in the prompts of tasks that have some: the item's ``own``, those of an ``other`` item,
            or ``none``.
    """

    shots: int = 0
    seed: int = 0
    system: str = ""
    paraphrases: bool = False
    votes: int = 1
    temperature: float = 0.7
    hints: Shown = "own"

    def __post_init__(self) -> None:
        if self.shots < 0 or self.votes < 1 or self.temperature <= 0:
            message = f"{self.shots} shots, {self.votes} votes at temperature {self.temperature:g}"
            raise AffectError(message, do="shots are at least 0, votes at least 1, and the temperature is above 0")
        if self.hints not in SHOWN:
            raise AffectError(f"{self.hints!r} says not whose hints are shown", do=f"choose among {', '.join(SHOWN)}")

    def to_json(self) -> dict[str, Any]:
        """Return the settings that are not the usual ones; empty where all are."""
        usual = asdict(Protocol())
        changed = {key: value for key, value in asdict(self).items() if value != usual[key]}
        changed |= {"seed": self.seed} if self.shots or self.votes > 1 else {}
        return changed | ({"temperature": self.temperature} if self.votes > 1 else {})

    @classmethod
    def from_json(cls, text: str) -> Protocol:
        """Inverse of ``to_json``, of a text.

        Raises:
            Malformed: when it is none.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise Malformed(f"the protocol {text!r} cannot be read: {error}", do="use the options of eval") from error

    def wordings(self, template: Template) -> tuple[int | None, ...]:
        """Return the paraphrases in which every item is asked; None stands for the one that belongs to the item."""
        return tuple(range(len(template.questions))) if self.paraphrases else (None,)

    def check(self, template: Template, chosen: bool, where: str) -> None:
        """Raise ``Malformed`` when the answers of a task cannot be voted on, or not be shown as examples.

        Args:
            chosen: whether the task scores likelihoods instead of replies.
        """
        if self.shots and template.by_each:
            message = "an example has one answer, and here every label is asked about by itself"
            raise Malformed(message, where=where, do="drop --shots, or choose the task that is answered by a reply")
        if self.votes == 1:
            return
        if chosen or any(slot.how.free or slot.space.kind not in ("category", "set") for slot in template.slots):
            what = "likelihoods" if chosen else f"answers of the form {template.form}"
            raise Malformed(f"there is no vote on {what}", where=where, do="drop --votes, or choose a task of labels")


def examples(training: Iterable[Sample], template: Template, protocol: Protocol) -> list[Conversation]:
    """Draw the examples of the protocol from the training samples: the same for every item, in a drawn order.

    Args:
        training: samples that the template can ask.

    Raises:
        AffectError: when there is none.
    """
    by_class: dict[str, list[tuple[int, str, Sample]]] = {}
    for sample in training:
        drawn = by_class.setdefault(_class(sample, template), [])
        heapq.heappush(drawn, (-_number(protocol.seed, "draw", sample.id), sample.id, sample))
        if len(drawn) > protocol.shots:
            heapq.heappop(drawn)
    chosen = [sample for drawn in by_class.values() for _, _, sample in drawn]
    if not chosen:
        message = "there are no training samples to take examples from"
        raise AffectError(message, where=template.name, do="drop --shots: examples never come from what is scored")
    chosen.sort(key=lambda sample: _number(protocol.seed, "order", sample.id))
    return [Conversation.of(sample, template) for sample in chosen]


def _class(sample: Sample, template: Template) -> str:
    slot = template.slots[0]
    return json.dumps(slot.gold(sample), sort_keys=True) if slot.how.classes else ""


def _number(seed: int, what: str, name: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{what}/{name}".encode(), digest_size=8).digest(), "big")


def voted(readings: list[tuple[Any, str | None]]) -> tuple[Any, str | None]:
    """Return the commonest of several readings, of equals the first; where none could be read, why the first was not.

    Args:
        readings: of each reply what it states, None where it is unreadable, and the reason.
    """
    keys = [json.dumps(value, sort_keys=True) for value, _ in readings if value is not None]
    if not keys:
        return readings[0]
    best = max(dict.fromkeys(keys), key=keys.count)
    return next(one for one in readings if one[0] is not None and json.dumps(one[0], sort_keys=True) == best)


def over_wordings(values: Mapping[int, float], better: str) -> dict[str, Any]:
    """Return mean, spread (standard deviation over the wordings), the best and the worst wording of one metric."""
    import statistics

    first, last = (max, min) if better == "higher" else (min, max)
    best, worst = (choose(values, key=lambda wording: values[wording]) for choose in (first, last))
    spread = statistics.stdev(values.values()) if len(values) > 1 else 0.0
    mean = statistics.fmean(values.values())
    ends = {"worst": values[worst], "worst_wording": worst, "best": values[best], "best_wording": best}
    return {"mean": mean, "spread": spread, **ends, "values": dict(values)}
