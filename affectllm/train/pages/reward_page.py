"""``rewards:`` of a recipe: named rewards with weights, metrics on single answers, and functions of one's own.

rewards:
  - {reward: reading, weight: 1.0}                     # read as the template asks, held against the gold answer
  - {reward: format, weight: 0.5}                      # <think>…</think><answer>…</answer>
  - {reward: wheel_f1, options: {tables: "2025", penalty: log}}
  - {reward: wheel_agreement, options: {tables: "2025"}}   # thought and answer name the same emotions
  - {reward: model, options: {path: DIR}, trust: {by: reading}, from_step: 500}   # a trained reward model
  - {reward: accuracy}                                 # any metric of single answers, by its name
  - {reward: my_rewards.py:kindness}                   # a function of one's own, as TRL takes it
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.imported import import_file
from affectllm.instruct import Template
from affectllm.instruct.slots import Slot
from affectllm.metrics.core.metric import find_metric
from affectllm.metrics.rewards import Reward
from affectllm.model.heads.folder import head_digest
from affectllm.train.pages.scored import why_unfit
from affectllm.train.rewards import by_reading
from affectllm.train.rewards.by_model import ModelReward
from affectllm.train.rewards.checked import Judging, checked, is_async
from affectllm.train.rewards.named import NAMED
from affectllm.train.rewards.of_groups import begun, trusted


@dataclass(frozen=True)
class TrustPage:
    """How far a reward is trusted in each group of replies: see ``rewards.of_groups.trust``.

    Args:
        by: the reward of the same list that says which replies are right.
        right: from which of its values on; 1 is a wholly right answer.
    """

    by: str
    right: float = 1.0


@dataclass(frozen=True)
class RewardPage:
    """One reward of a recipe.

    Args:
        reward: a name (``affectllm ls rewards``), a metric, or ``FILE.py:FUNCTION`` or ``MODULE:FUNCTION``.
        weight: with which it is added to the others.
        options: of the named reward.
        trust: weighs it in each group of replies; None for the same weight everywhere.
        from_step: optimisation steps before it begins; until then it gives 0 to every reply.
    """

    reward: str
    weight: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    trust: TrustPage | None = None
    from_step: int = 0


def reward_functions(pages: Sequence[RewardPage], roots: Mapping[str, Path] | None = None) -> list[Judging]:
    """Return the rewards of a recipe, as ``reward_funcs`` of TRL; reward models are loaded.

    Each has a name of its own, and what it raises is an ``AffectError`` with the row and the reply.

    Args:
        roots: corpus name → folder, for rewards that look at clips.

    Raises:
        NotFound: when there is no reward or function of a name.
        Malformed: when a reward does not take the options, or a metric is no reward.
    """
    functions = [_reward(page) for page in pages]
    for function in functions:
        if isinstance(function, ModelReward):
            function.load(roots or {})
    safe = {page.reward: checked(one, page.reward) for page, one in zip(pages, functions, strict=True)}
    rewards, names = [], []
    for page, function in zip(pages, functions, strict=True):
        reward = checked(function, page.reward)
        if page.trust is not None:
            reward = trusted(reward, safe[page.trust.by], page.trust.right)
        if page.from_step:
            reward = begun(reward, page.from_step)
        own = getattr(function, "__name__", page.reward)
        names.append(own)
        reward.__name__ = own if names.count(own) == 1 else f"{own}_{names.count(own)}"
        rewards.append(reward)
    return rewards


def check_reward_models(pages: Sequence[RewardPage]) -> None:
    """Look at the folders of the reward models before any work is done: see ``ModelReward.check``."""
    for page in pages:
        if page.reward == "model":
            ModelReward(**page.options).check()


def reward_model_digests(pages: Sequence[RewardPage]) -> list[str]:
    """Return the digests of the reward models, of everything that decides their rewards."""
    return [head_digest(str(page.options["path"])) for page in pages if page.reward == "model"]


def _reward(page: RewardPage) -> Judging | Reward:
    if not math.isfinite(page.weight):
        raise Malformed(f"the weight of {page.reward} is {page.weight}", do="give a finite weight")
    place, _, name = page.reward.rpartition(":")
    if page.options and page.reward not in NAMED:
        those = ", ".join(sorted(name for name, one in NAMED.items() if one.options))
        raise Malformed(f"the reward {page.reward} takes no options", do=f"these do: {those}")
    if place:
        return _own(place, name)
    if page.reward not in NAMED:
        return _metric(page.reward)
    try:
        return NAMED[page.reward].build(**page.options)
    except TypeError as error:
        raise Malformed(f"the reward {page.reward} does not take these options: {error}", do="correct them") from error


def _metric(name: str) -> Reward:
    try:
        return by_reading.metric_reward(name)
    except NotFound as error:
        message = f"there is no reward called {name!r}, and no metric"
        raise NotFound(message, do=f"choose among {', '.join(sorted(NAMED))}, or a metric: {error.do}") from error


def _own(place: str, name: str) -> Reward:
    if place.endswith(".py"):
        path = Path(place).expanduser().resolve()
        if not path.is_file():
            raise NotFound(f"there is no file {place}", do="give its path from where the command is started")
        module: Any = import_file(path, f"affectllm_rewards_{path.stem}", "file of rewards")
    else:
        module = importlib.import_module(place)
    if not callable(function := getattr(module, name, None)):
        raise NotFound(f"{place} has no function {name!r}", do="name a function that TRL takes as a reward")
    return function  # type: ignore[no-any-return]


def objection(pages: Sequence[RewardPage], templates: Sequence[Template] = ()) -> tuple[int, AffectError] | None:
    """Return the number of the first reward that cannot be had, and why; None where all can.

    Args:
        templates: of the parts of the mixture.
    """
    for number, page in enumerate(pages):
        try:
            _check_schedule(page, _reward(page), {one.reward: one for one in pages if one is not page})
            _check_form(page, templates)
        except (AffectError, ImportError) as error:
            return number, error if isinstance(error, AffectError) else NotFound(str(error), do="install the module")
    if pages and not any(page.weight for page in pages):
        return 0, Malformed("all rewards have weight 0, so no reply is better", do="give one of them a weight")
    return None


def _check_form(page: RewardPage, templates: Sequence[Template]) -> None:
    for template in templates:
        if page.reward in NAMED:
            why = _MISFITS.get(page.reward, lambda slots: "")(template.slots)
        else:
            why = "" if ":" in page.reward else _no_metric(page.reward, template.slots)
        if why:
            message = f"the reward {page.reward} does not go with the template {template.name}: {why}"
            raise Malformed(message, do="choose another reward, such as reading, or another template")


def _no_metric(name: str, slots: Sequence[Slot]) -> str:
    if len(slots) > 1:
        return f"it asks for {len(slots)} answers, of which a metric takes one"
    return why_unfit(find_metric(name), slots[0], items=1)


def _shapes(slots: Sequence[Slot]) -> list[str]:
    return [slot.how.shape(slot.space) for slot in slots]


_MISFITS: Mapping[str, Callable[[Sequence[Slot]], str]] = {
    "reading": lambda slots: "" if any(one.how.judged for one in slots) else "it asks for free words only",
    "ccc": lambda slots: "" if _shapes(slots) == ["number"] else "it does not ask for one number",
    "r1_omni": lambda slots: (
        "" if [one.space.kind for one in slots] in (["category"], ["open"]) else "it does not ask for one word or text"
    ),
    "wheel_f1": lambda slots: (
        "" if sum(shape in ("label", "set") for shape in _shapes(slots)) == 1 else "it does not ask for labels once"
    ),
}
"""Named reward → why it could never be given to answers of these slots, empty where it could."""


def _check_schedule(page: RewardPage, function: Judging | Reward, others: Mapping[str, RewardPage]) -> None:
    if page.from_step < 0:
        raise Malformed(f"from_step of {page.reward} is {page.from_step}", do="give 0 or more")
    called = [function] if page.trust is not None or page.from_step else []
    if page.trust is not None:
        if page.trust.by not in others or not math.isfinite(page.trust.right):
            message = f"{page.reward} is trusted by {page.trust.by}, from {page.trust.right:g} on"
            do = f"name another reward of the list ({', '.join(others) or 'there is none'}), and a finite number"
            raise Malformed(message, do=do)
        called.append(_reward(others[page.trust.by]))
    if any(is_async(one) for one in called):
        message = f"trust and from_step of {page.reward} call an asynchronous function"
        raise Malformed(message, do="make it a plain function")
