"""``rewards:`` of a recipe: named rewards with weights, metrics on single answers, and functions of one's own.

rewards:
  - {reward: reading, weight: 1.0}                     # read as the template asks, held against the gold answer
  - {reward: format, weight: 0.5}                      # <think>…</think><answer>…</answer>
  - {reward: wheel_f1, options: {tables: "2025", penalty: log}}
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
from affectllm.metrics.rewards import Reward, format_reward, r1_omni_reward, wheel_f1_reward
from affectllm.train import rewards


@dataclass(frozen=True)
class RewardPage:
    """One reward of a recipe.

    Args:
        reward: a name of ``NAMED``, a metric, or ``FILE.py:FUNCTION`` or ``MODULE:FUNCTION``.
        weight: with which it is added to the others.
        options: of the named reward.
    """

    reward: str
    weight: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)


def _wheel_f1(tables: str, level: int = 1, penalty: str | None = "log", tagged: bool = True) -> Reward:
    from affectllm.metrics.wheels import tables_of_environment

    return wheel_f1_reward(tables_of_environment(str(tables)), level, penalty, tagged=tagged)


NAMED: Mapping[str, Callable[..., Reward]] = {
    "reading": lambda: rewards.reading_reward,
    "ccc": lambda: rewards.ccc_reward,
    "consistency": lambda: rewards.consistency_reward,
    "format": lambda: format_reward,
    "r1_omni": lambda: r1_omni_reward,
    "wheel_f1": _wheel_f1,
}
"""Name → what builds the reward of its options."""


def reward_functions(pages: Sequence[RewardPage]) -> list[Reward]:
    """Return the rewards of a recipe, as ``reward_funcs`` of TRL.

    Raises:
        NotFound: when there is no reward or function of a name.
        Malformed: when a reward does not take the options, or a metric is no reward.
    """
    return [_reward(page) for page in pages]


def _reward(page: RewardPage) -> Reward:
    if not math.isfinite(page.weight):
        raise Malformed(f"the weight of {page.reward} is {page.weight}", do="give a finite weight")
    place, _, name = page.reward.rpartition(":")
    if page.options and page.reward not in NAMED:
        raise Malformed(f"the reward {page.reward} takes no options", do=f"these do: {', '.join(sorted(NAMED))}")
    if place:
        return _own(place, name)
    if page.reward not in NAMED:
        return _metric(page.reward)
    try:
        return NAMED[page.reward](**page.options)
    except TypeError as error:
        raise Malformed(f"the reward {page.reward} does not take these options: {error}", do="correct them") from error


def _metric(name: str) -> Reward:
    try:
        return rewards.metric_reward(name)
    except NotFound as error:
        message = f"there is no reward called {name!r}, and no metric"
        raise NotFound(message, do=f"choose among {', '.join(sorted(NAMED))}, or {error.do}") from error


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


def objection(pages: Sequence[RewardPage]) -> tuple[int, AffectError] | None:
    """Return the number of the first reward that cannot be had, and why; None where all can."""
    for number, page in enumerate(pages):
        try:
            _reward(page)
        except (AffectError, ImportError) as error:
            return number, error if isinstance(error, AffectError) else NotFound(str(error), do="install the module")
    if pages and not any(page.weight for page in pages):
        return 0, Malformed("all rewards have weight 0, so no reply is better", do="give one of them a weight")
    return None
