"""Rewards that read a completion with the template that asked for it, as functions for TRL's ``reward_funcs``.

The law of templates, ``read(answer(sample))`` is the sample's own annotation, makes the training target the best
answer here too: in every language, with the aliases of its label space and the sentence around its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.instruct import Template
from affectllm.instruct.reader import Reading
from affectllm.labels import Annotation
from affectllm.labels.reading import Unreadable
from affectllm.metrics.rewards import Completions, Reward, Samples, concordance_rewards, paired

__all__ = ["sample_of", "template_ccc_reward", "template_reward"]

Key = tuple[str, str, str, str]
_FIELDS = ("template", "language", "space", "rater")


def sample_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the rewards need of a row of conversations: gold value, and which template asked."""
    return {"gold": row["value"], **{field: row[field] for field in _FIELDS}}


def template_reward(*templates: Template) -> Reward:
    """A reward from 0 to 1 for what the template that asked reads in a completion; unreadable is 0.

    Labels, judgements, preferences and sets: 1 when they are the gold ones. Numbers: ``1 - |x - g| / (high - low)``,
    the mean over the dimensions; one that is missing counts 0. Shares: what both distributions have in common. Of
    several answers, the mean; free words among them do not count, since nothing here can judge them.

    Args:
        templates: that ask in the training set. With several, a sample names its own by ``template``, ``language``,
            ``space`` and ``rater``, as rows of conversations do.

    Returns:
        A function of completions and samples, each with ``gold`` as ``Template.gold`` gives it.

    Raises:
        Malformed: when there is no template, two are the same, or all that one asks for are free words.
    """
    known = _known(templates)
    for template in templates:
        if not any(slot.how.judged for slot in template.slots):
            told = f"the template {template.name} asks for free words, which a reward by reading cannot judge"
            raise Malformed(told, do="use a metric of texts or a judge")

    def reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
        rows = zip(paired(completions, samples), samples, strict=True)
        return [_scored(_of(known, sample), text, gold) for (text, gold), sample in rows]

    reward.__name__ = "template_reward"
    return reward


def template_ccc_reward(template: Template) -> Reward:
    """``metrics.rewards.ccc_reward`` of the one number that a template asks for, read by it.

    Raises:
        Malformed: when the template asks for anything but one number.
    """
    if template.form not in ("scores", "classes") or len(template.space.names) != 1:
        told = f"the template {template.name} does not ask {template.space.name} for one number"
        raise Malformed(told, do="use template_reward")
    (name,) = template.space.names

    def reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
        pairs = paired(completions, samples)
        read = [_number(template.read(text), name) for text, _ in pairs]
        return concordance_rewards(read, [gold[name] if isinstance(gold, Mapping) else gold for _, gold in pairs])

    reward.__name__ = "template_ccc_reward"
    return reward


def _number(found: Reading, name: str) -> float | Unreadable:
    if isinstance(found, Annotation) and isinstance(found.value, Mapping):
        return float(found.value[name])
    return found if isinstance(found, Unreadable) else Unreadable("no_number", "")


def _known(templates: tuple[Template, ...]) -> dict[Key, Template]:
    found = {_key_of(template): template for template in templates}
    if not templates or len(found) < len(templates):
        told = "no template is given" if not templates else "two templates have one name, language, space and rater"
        raise Malformed(told, do="give each template that asks once")
    return found


def _key_of(template: Template) -> Key:
    return template.name, template.language, template.space.name, template.rater


def _of(known: Mapping[Key, Template], sample: Mapping[str, Any]) -> Template:
    if len(known) == 1:
        return next(iter(known.values()))
    key = tuple(str(sample.get(field)) for field in _FIELDS)
    if key not in known:
        raise NotFound(f"no template was given for {'/'.join(key)}", do=f"a sample has {', '.join(_FIELDS)}")
    return known[key]  # type: ignore[index]


def _scored(template: Template, text: str, gold: Any) -> float:
    found = template.read(text, gold)
    if isinstance(found, Unreadable):
        return 0.0
    if isinstance(found, Annotation):
        found, gold = (found,), {template.slots[0].name: gold}
    scores = [
        slot.how.agreement(slot.how.gold(answer.value, slot.space), gold[slot.name], slot.space)
        for slot, answer in zip(template.slots, found, strict=True)
        if slot.how.judged
    ]
    return sum(scores) / len(scores)
