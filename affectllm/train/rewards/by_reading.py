"""Reward functions for TRL's ``reward_funcs`` that parse a completion with the template that asked for it.

The law of templates, ``read(answer(sample))`` is the sample's own annotation, makes the training target the best
answer here too: in every language, with the aliases of its label space and the sentence around its answer. A sample
says itself which template asked (``sample_of``), so one reward serves a mixture of many questions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from affectllm.errors import Malformed
from affectllm.instruct import Template
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.reader import Reading
from affectllm.instruct.slots import Slot
from affectllm.labels import Annotation
from affectllm.labels.reading import Unreadable
from affectllm.labels.reading.tags import reasoning_part
from affectllm.metrics.core.metric import find_metric
from affectllm.metrics.rewards import Completions, Reward, Samples, concordance_rewards, paired, text_of

__all__ = [
    "ccc_reward",
    "consistency_reward",
    "metric_reward",
    "on_labels",
    "reading_reward",
    "sample_of",
    "template_reward",
]

_FIELDS = ("id", "corpus", "language", "asked_by", "value")


def sample_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a conversation row that the rewards need: its gold value, and which template asked."""
    return {**{field: row[field] for field in _FIELDS}, "gold": row["value"]}


def reading_reward(
    completions: Completions, samples: Samples, log_metric: Callable[[str, float], None] | None = None, **_: Any
) -> list[float]:
    """Score each completion from 0 to 1 against gold, as read by the template that asked; unreadable is 0.

    Labels, judgements, preferences, options and sets: 1 when they are the gold ones. Numbers:
    ``1 - |x - g| / (high - low)``, the mean over the dimensions; one that is missing counts 0. Shares: what both
    distributions have in common. Turns, spans and open words: F1 and Jaccard with the gold ones. Of several answers the
    mean; free words among them do not count, since nothing here can judge them.

    Args:
        samples: a column with ``sample_of`` of each row.
        log_metric: TRL's, which gets the share of completions that could not be read, as ``unreadable``.

    Raises:
        Malformed: when a sample does not say which template asked, asks for free words only, or has no gold value.
    """
    asked = _asked(completions, samples)
    if log_metric is not None and asked:
        readings = [one.reader.read_slots(text, one.gold) for text, one in asked]
        lost = [any(isinstance(one, Unreadable) for one in reading.values()) for reading in readings]
        log_metric("unreadable", sum(lost) / len(lost))
    return [one.agreement(text) for text, one in asked]


def consistency_reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
    """Score 1 where the reasoning names what the answer says, else 0; whether that is right does not matter.

    The reasoning is what stands before the answer (``<think>…</think>``); both are read as the template asks. Without
    reasoning, or where either is unreadable, the score is 0: AffectGPT-R1's agreement of thought and answer.

    Raises:
        Malformed: as ``reading_reward``.
    """
    return [float(_is_consistent(text, one)) for text, one in _asked(completions, samples)]


def _is_consistent(text: str, one: Conversation) -> bool:
    thought = reasoning_part(text)
    readings = [one.read(thought), one.read(text)] if thought else []
    values = [reading.value for reading in readings if isinstance(reading, Annotation)]
    return len(values) == 2 and values[0] == values[1]


def metric_reward(name: str) -> Reward:
    """Make a reward of the metric called ``name``, on each completion alone, with its policy for unreadable answers.

    Higher must be better, and the metric must be defined on a single item: accuracy is, a correlation is not.

    Raises:
        NotFound: when there is no such metric.
        Malformed: when lower is better.
    """
    metric = find_metric(name)
    if metric.better != "higher":
        raise Malformed(f"a lower {name} is better, so it is no reward", do="choose one of which more is better")

    def reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
        return [_by_metric(one, text) for text, one in _asked(completions, samples)]

    def _by_metric(one: Conversation, text: str) -> float:
        slot = _only_slot(one)
        reading = one.read(text)
        value = reading.value if isinstance(reading, Annotation) else None
        truth, answer = slot.how.scored(one.gold, value, slot.space)
        options = {"labels": list(slot.space.names)} if slot.space.names else {}
        return metric.statistic([truth], [answer], **options, bounds=slot.space.bounds).value()

    reward.__name__ = f"{name}_reward"
    return reward


def ccc_reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
    """Score each number by its part in the concordance correlation of the batch: see ``concordance_rewards``.

    Raises:
        Malformed: when a sample asks for anything but one number.
    """
    read, gold = [], []
    for text, one in _asked(completions, samples):
        slot = _only_slot(one)
        if slot.how.shape(slot.space) != "number":
            raise Malformed(f"{one.id} does not ask {slot.space.name} for one number", do="use reading_reward")
        (name,) = slot.space.names
        read.append(_number(one.read(text), name))
        gold.append(one.gold[name])
    return concordance_rewards(read, gold)


def on_labels(reward: Reward) -> Reward:
    """Give a reward of labels the gold labels of each sample as its ``gold``, out of several answers where need be.

    Raises:
        Malformed: when a sample asks for no labels, or twice.
    """

    def labelled(completions: Completions, samples: Samples, **columns: Any) -> list[float]:
        asked = [one for _, one in _asked(completions, samples)]
        golds = [{**sample, "gold": _gold_labels(one)} for sample, one in zip(samples, asked, strict=True)]
        return reward(completions, golds, **columns)

    labelled.__name__ = reward.__name__
    return labelled


def _gold_labels(one: Conversation) -> list[str]:
    slots = [slot for slot in one.reader.slots if slot.how.shape(slot.space) in ("label", "set")]
    if len(slots) != 1:
        message = f"{one.id} asks {len(slots)} times for labels, which the words of a reply are held against"
        raise Malformed(message, do="use a template that asks for them once")
    (slot,) = slots
    gold = slot.how.truth(one.gold if len(one.reader.slots) == 1 else one.gold[slot.name], slot.space)
    return [gold] if isinstance(gold, str) else list(gold)


def template_reward(template: Template) -> Reward:
    """Make a ``reading_reward`` with a fixed template; samples need only ``gold``, as ``Template.gold`` has it.

    Raises:
        Malformed: when all that it asks for are free words.
    """
    if not any(slot.how.judged for slot in template.slots):
        message = f"the template {template.name} asks for free words, which a reward by reading cannot judge"
        raise Malformed(message, do="use a metric of texts or a judge")

    def reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
        rewards = []
        for number, (text, gold) in enumerate(paired(completions, samples), 1):
            one = Conversation(f"sample {number}", template.name, (), gold=gold, _reader=template.reader)
            rewards.append(one.agreement(text))
        return rewards

    reward.__name__ = "template_reward"
    return reward


def _asked(completions: Completions, samples: Samples) -> list[tuple[str, Conversation]]:
    """Return each completion as text, with the conversation that it answers."""
    if len(completions) != len(samples):
        raise Malformed(f"{len(completions)} completions for {len(samples)} samples", do="give one sample for each")
    for number, sample in enumerate(samples, 1):
        if lacking := [field for field in _FIELDS if sample.get(field) is None]:
            message = f"sample {number} has no {lacking[0]!r}"
            raise Malformed(message, do="give sample_of(row) of each row in the column samples")
    return [(text_of(text), Conversation.from_row(one)) for text, one in zip(completions, samples, strict=True)]


def _only_slot(one: Conversation) -> Slot:
    slots = one.reader.slots
    if len(slots) > 1:
        raise Malformed(f"{one.id} asks for {len(slots)} answers, of which a metric takes one", do="use reading_reward")
    return slots[0]


def _number(reading: Reading, name: str) -> float | Unreadable:
    if isinstance(reading, Annotation) and isinstance(reading.value, Mapping):
        return float(reading.value[name])
    return reading if isinstance(reading, Unreadable) else Unreadable("no_number", "")
