"""Choosing the best checkpoint by what the model answers: validation rows are asked at every evaluation, and scored."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from affectllm.errors import BadRecipe
from affectllm.instruct.conversation import Conversation
from affectllm.labels import Annotation
from affectllm.metrics.core.metric import find_metric
from affectllm.model.clips.media import MediaError
from affectllm.model.encode import Encoded, Encoder
from affectllm.model.generate import generate
from affectllm.model.load import Model
from affectllm.train.pages.best_page import BestPage
from affectllm.train.pages.scored import value_of
from affectllm.voice import bar

if TYPE_CHECKING:
    from datasets import Dataset

UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Answered:
    """Validation rows that a model is asked, and the metric of its answers.

    Args:
        page: of the recipe.
        model: as it was loaded; its network is that of the trainer when it is asked.
        encoder: of the model.
        rows: of a conversations file.
        batch_size: prompts at once.
    """

    page: BestPage
    model: Model
    encoder: Encoder
    rows: Dataset
    batch_size: int

    def replies(self, network: Any, share: tuple[int, int] = (0, 1)) -> list[tuple[int, str | None]]:
        """Ask the rows of one process, ``(its number, how many there are)``: row number → reply."""
        step = max(1, len(self.rows) // self.page.rows)
        numbers = list(range(0, len(self.rows), step))[: self.page.rows][share[0] :: share[1]]
        prompts = sorted(((self._prompt(number), number) for number in numbers), key=lambda pair: pair[0].length)
        model, replies = replace(self.model, model=network), []
        starts = range(0, len(prompts), self.batch_size)
        place = {"leave": False, "position": 0}  # of the bar of the validation
        for start in bar(starts, desc="answering validation rows", unit=" batches", unwanted=share[0] > 0, **place):
            part = prompts[start : start + self.batch_size]
            texts = generate(model, self.encoder, [prompt for prompt, _ in part], self.page.max_new_tokens)
            replies += [(number, text) for (_, number), text in zip(part, texts, strict=True)]
        return replies

    def _prompt(self, number: int) -> Encoded:
        row = self.rows[number]
        encoded = self.encoder.encode(row["messages"][:-1], generation_prompt=True)
        if isinstance(encoded, MediaError):  # it was usable before the training
            raise BadRecipe(f"a clip of {row['id']} is {encoded.reason} now", where=encoded.path, do="restore the file")
        return encoded

    def metrics(self, replies: Sequence[tuple[int, str | None]]) -> dict[str, float]:
        """Score the replies of all processes: the metric, and the share of replies that cannot be read.

        Where a metric is undefined, as a correlation of equal answers is, it counts as 0, or as infinite where less
        is better: such a checkpoint tells nothing, and the next one that tells something is better.
        """
        asked: dict[str, list[tuple[Conversation, str]]] = defaultdict(list)
        for number, text in sorted(replies):
            row = self.rows[number]
            asked[f"{row['corpus']} {row['template']} {row['space']}"].append((Conversation.from_row(row), text or ""))
        values = [_value(self.page.metric, group) for group in asked.values()]
        unreadable = [not isinstance(one.read(text), Annotation) for group in asked.values() for one, text in group]
        return {self.page.metric: fmean(values), UNREADABLE: fmean(unreadable)}


def _value(name: str, group: Sequence[tuple[Conversation, str]]) -> float:
    metric, slot = find_metric(name), group[0][0].reader.slots[0]
    readings = [(one.gold, one.read(text)) for one, text in group]
    read = [(gold, reading.value if isinstance(reading, Annotation) else None) for gold, reading in readings]
    value = value_of(metric, slot, read)
    return value if math.isfinite(value) else (0.0 if metric.better != "lower" else math.inf)


class ByAnswers:
    """A part of a ``transformers.Trainer`` that adds the metric of generated answers to those of an evaluation."""

    answered: Answered | None = None

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        output = super().evaluation_loop(*args, **kwargs)  # type: ignore[misc]
        if self.answered is not None:
            prefix = kwargs.get("metric_key_prefix", "eval")
            output.metrics.update({f"{prefix}_{key}": value for key, value in self._asked(self.answered).items()})
        return output

    def _asked(self, answered: Answered) -> Mapping[str, float]:
        from accelerate.utils import gather_object

        accelerator: Any = self.accelerator  # type: ignore[attr-defined]
        network = accelerator.unwrap_model(self.model)  # type: ignore[attr-defined]
        training = network.training
        network.eval()
        try:
            own = answered.replies(network, (accelerator.process_index, accelerator.num_processes))
        finally:
            network.train(training)
        return answered.metrics(gather_object(own))


def check_shareable(accelerator: Any) -> None:
    """Raise ``BadRecipe`` where no process has the whole model, so that none can answer by itself."""
    plugin, kind = accelerator.state.deepspeed_plugin, str(accelerator.distributed_type)
    if kind.endswith("FSDP") or (plugin is not None and plugin.zero_stage == 3):
        raise BadRecipe("no process has the whole model under ZeRO-3 or FSDP", do="set best.metric: loss")
