"""Rewards that see the group, and rewards that begin later.

EmotionThinker (Wang et al., ICLR 2026) adds a learned reward of the reasoning once the outcome is learned, weighted by
how far it can be trusted: within a group of replies to one prompt, the right ones should have the better reasoning. The
weight is that of SophiaVL-R1's Trust-GRPO (Fan et al., 2025).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from affectllm.metrics.rewards import Completions, Samples
from affectllm.train.rewards.checked import Judging

Marked = tuple[float | None, bool | None]
"""The reward of a reply, and whether the reply is right; None where nobody judges it."""


def trust(group: Sequence[Marked]) -> float:
    """Return the weight in (0, 1] of a reward in one group.

    Formula: ``1`` where right replies have at least the mean reward of wrong ones, else ``exp(m_right - m_wrong)``.
    Without a right or a wrong reply nothing speaks against the reward, and the weight is 1.
    """
    right = [reward for reward, is_right in group if reward is not None and is_right is True]
    wrong = [reward for reward, is_right in group if reward is not None and is_right is False]
    if not right or not wrong:
        return 1.0
    return math.exp(min(0.0, fmean(right) - fmean(wrong)))


def trusted(reward: Judging, judge: Judging, right: float) -> Judging:
    """Weight a reward in each group by the trust in it.

    Replies to one prompt are a group, also where several processes have them.

    Args:
        judge: the reward that says which replies are right.
        right: from which of its values on.
    """

    def weighted(
        completions: Completions,
        samples: Samples,
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        from accelerate.utils import gather_object

        values = reward(completions=completions, samples=samples, log_metric=log_metric, **columns)
        judged = judge(completions=completions, samples=samples, **columns)
        names = [sample["id"] for sample in samples]
        marks = [(value, None if said is None else said >= right) for value, said in zip(values, judged, strict=True)]
        groups: dict[str, list[Marked]] = defaultdict(list)
        for name, mark in gather_object(list(zip(names, marks, strict=True))):
            groups[name].append(mark)
        weights = {name: trust(group) for name, group in groups.items()}
        if log_metric is not None and names:
            log_metric("trust", fmean(weights[name] for name in names))
        return [None if value is None else weights[name] * value for name, value in zip(names, values, strict=True)]

    return weighted


def begun(reward: Judging, step: int) -> Judging:
    """Let a reward begin once ``step`` optimisation steps are done; before, every reply gets 0, and it is not asked."""

    def later(completions: Completions, trainer_state: Any = None, **columns: Any) -> list[float | None]:
        if trainer_state is not None and trainer_state.global_step < step:
            return [0.0] * len(completions)
        return reward(completions=completions, trainer_state=trainer_state, **columns)

    return later
