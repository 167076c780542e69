"""The rewards that have a name, for ``rewards:`` of a recipe; metrics and functions of one's own are rewards, too."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from affectllm.metrics.rewards import (
    Reward,
    format_reward,
    r1_omni_reward,
    wheel_agreement_reward,
    wheel_f1_reward,
)
from affectllm.train.rewards import by_reading
from affectllm.train.rewards.by_model import ModelReward
from affectllm.train.rewards.checked import Judging


def _wheel_f1(tables: str, level: int = 1, penalty: str | None = "log", tagged: bool = True) -> Reward:
    from affectllm.metrics.wheels import tables_of_environment

    return by_reading.on_labels(wheel_f1_reward(tables_of_environment(str(tables)), level, penalty, tagged=tagged))


def _wheel_agreement(tables: str, level: int = 1) -> Reward:
    from affectllm.metrics.wheels import tables_of_environment

    return wheel_agreement_reward(tables_of_environment(str(tables)), level)


@dataclass(frozen=True)
class NamedReward:
    """A reward that has a name.

    Args:
        build: makes it of the options on the page.
        told_by: the function or class whose docstring says what it is.
        needs: what it finds its answer in, in words.
    """

    build: Callable[..., Judging | Reward]
    told_by: Callable[..., Any]
    needs: str

    @property
    def definition(self) -> str:
        """What it is, in a sentence: the first line of its docstring."""
        return self.told.partition("\n")[0].replace("``", "")

    @property
    def told(self) -> str:
        """Its whole docstring."""
        return inspect.getdoc(self.told_by) or ""

    @property
    def options(self) -> dict[str, Any]:
        """Option → its default; ``inspect.Parameter.empty`` where it must be given."""
        return {one.name: one.default for one in inspect.signature(self.build).parameters.values()}


def _of(function: Reward, needs: str) -> NamedReward:
    return NamedReward(lambda: function, function, needs)


_WHEELS = "the emotion wheels in $AFFECTLLM_WHEELS"
_THOUGHT = "replies that think before they answer, as templates with tags ask"
NAMED: Mapping[str, NamedReward] = {
    "reading": _of(by_reading.reading_reward, "a template whose answer is not free words alone"),
    "ccc": _of(by_reading.ccc_reward, "templates that ask for one number; large batches"),
    "consistency": _of(by_reading.consistency_reward, _THOUGHT),
    "format": _of(format_reward, _THOUGHT),
    "r1_omni": _of(r1_omni_reward, "one label; compared letter by letter"),
    "wheel_f1": NamedReward(_wheel_f1, wheel_f1_reward, f"labels, asked for once; {_WHEELS}"),
    "wheel_agreement": NamedReward(_wheel_agreement, wheel_agreement_reward, f"{_THOUGHT}; {_WHEELS}"),
    "model": NamedReward(ModelReward, ModelReward, "the final/ folder of a training with method: reward"),
}
"""Name → the reward."""
