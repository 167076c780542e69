"""Ask a judge for texts and for scores: every distinct question once, failures counted and never scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from affectllm.errors import Malformed
from affectllm.labels.reading import Unreadable, read_number
from affectllm.metrics.judge.judge import Failure, Judge
from affectllm.metrics.judge.wording import Prompt

Question = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Scores:
    """The scores of a judge, with its failures.

    Args:
        values: one score an item; None where it failed.
        failures: reason → items.
    """

    values: list[float | None]
    failures: Mapping[str, int]


def begin(judge: Judge | None, metric: str) -> Judge:
    """Return the judge with its record of used prompts cleared.

    Raises:
        Malformed: when there is none.
    """
    if judge is None:
        do = (
            "give judge=EndpointJudge(model, url=…), LocalJudge(path=…) or JudgeStore(file), of affectllm.metrics.judge"
        )
        raise Malformed(f"{metric} needs a judge", do=do)
    judge.used.clear()
    return judge


def answers(judge: Judge, prompt: Prompt, questions: Sequence[Mapping[str, str]]) -> list[str | Failure]:
    """Return the judge's replies, one per question; equal questions are asked once."""
    judge.used[prompt.name] = prompt.hash
    keys: list[Question] = [tuple(sorted(question.items())) for question in questions]
    different = list(dict.fromkeys(keys))
    texts = judge.complete([prompt.messages(dict(key)) for key in different], prompt)
    if len(texts) != len(different):
        raise Malformed(f"the judge gave {len(texts)} answers to {len(different)} questions", where=judge.model)
    replies = dict(zip(different, texts, strict=True))
    return [replies[key] for key in keys]


def score_of(answer: str | Failure, prompt: Prompt) -> float | Failure:
    """Read the score in an answer, within the range of the prompt."""
    if isinstance(answer, Failure):
        return answer
    number = read_number(answer, prompt.low, prompt.high)
    return Failure(number.reason, answer[:200]) if isinstance(number, Unreadable) else number


def collected(outcomes: Iterable[float | Failure]) -> Scores:
    """Collect scores, with failures counted by reason."""
    every = list(outcomes)
    failures = Counter(item.reason for item in every if isinstance(item, Failure))
    return Scores([None if isinstance(item, Failure) else item for item in every], dict(failures))
