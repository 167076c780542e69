"""A trained reward model as a reward: it reads the question with its clips and the sampled reply.

The folder is what a training with ``method: reward`` saves. Every process has the whole reward model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.instruct.conversation import Messages, answered
from affectllm.metrics.rewards import Completions, text_of
from affectllm.model.heads.folder import HeadFolder, check_saved_head, load_head
from affectllm.model.weights.checkpoint import folder_named

if TYPE_CHECKING:
    from affectllm.respond.heads import HeadResponder


class ModelReward:
    """Score each reply with the number that a trained reward model gives it, which sees the question and its clips.

    ``load`` comes before the first call.

    Args:
        path: folder of a head with ``method: reward``.
        squashed: whether the reward is the logistic function of the model's number, from 0 to 1 as other rewards are:
            by Bradley and Terry how likely the reply is better than one that the model gives 0.
        batch_size: conversations that it reads at once, or ``auto``.
    """

    def __init__(self, path: str, squashed: bool = True, batch_size: int | str = 8) -> None:
        self.__name__ = "model_reward"
        self.path, self.squashed, self._batch_size = str(path), squashed, batch_size
        self._responder: HeadResponder | None = None
        self._roots: Mapping[str, Path] = {}

    def check(self) -> None:
        """Look at the folder, without its base model.

        Raises:
            NotFound, WrongCheckpoint: when it is no whole head.
            Malformed: when it is a head that answers questions.
        """
        folder = folder_named(self.path)
        kind = HeadFolder.read(folder).answers.kind
        if kind != "reward":
            message = f"the head gives {kind}, which say nothing of a reply"
            raise Malformed(message, where=str(folder), do="name the final/ folder of a training with method: reward")
        check_saved_head(folder)

    def load(self, roots: Mapping[str, Path]) -> None:
        """Load the model onto the device of this process.

        Args:
            roots: corpus name → folder.
        """
        from accelerate import PartialState

        from affectllm.respond.heads import HeadResponder

        self.check()
        head = load_head(self.path, str(PartialState().device))
        self._roots, self._responder = roots, HeadResponder(head, batch_size=self._batch_size)

    def __call__(
        self,
        prompts: Sequence[Messages],
        completions: Completions,
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float | None]:
        """Return the reward of each reply; None where the model cannot read it, for example since it is too long.

        Args:
            prompts: conversations up to the reply.
            log_metric: TRL's, which gets the share of replies without a reward, as ``unjudged``.
        """
        if self._responder is None:
            raise Malformed("the reward model is not loaded", where=self.path, do="call load(roots) first")
        from affectllm.respond.responder import Unanswered

        pairs = zip(prompts, completions, strict=True)
        conversations = [[*prompt, answered(text_of(completion))] for prompt, completion in pairs]
        rewards: list[float | None] = [None] * len(conversations)
        for number, row in self._responder.outputs(conversations, self._roots):
            if not isinstance(row, Unanswered):
                rewards[number] = _logistic(float(row[0])) if self.squashed else float(row[0])
        if log_metric is not None and rewards:
            log_metric("unjudged", rewards.count(None) / len(rewards))
        return rewards


def _logistic(number: float) -> float:
    return (1 + math.tanh(number / 2)) / 2
