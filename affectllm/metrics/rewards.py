"""Published rewards as functions for ``reward_funcs`` of TRL's ``GRPOTrainer``, and building blocks of ours.

A reward is called with ``completions`` (texts, or conversations of which the last message counts) and ``samples``, a
column of the training set with one mapping an item that holds ``gold``. Everything else that TRL passes is ignored.
Rewards that read answers by the template of the question are in ``affectllm.train.rewards``.

"Say everything" must lose: a wheel F counts every further word against its precision, and its length penalties count it
again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from math import log
from typing import TYPE_CHECKING, Any

from affectllm.errors import Malformed
from affectllm.labels.reading import (
    COMPAT,
    Unreadable,
    read_open_labels,
)
from affectllm.labels.reading.mentions import affirmed
from affectllm.labels.reading.tags import has_answer_tag, reasoning_part
from affectllm.labels.reading.words import Words, emotion_words

if TYPE_CHECKING:
    import numpy as np

    from affectllm.metrics.wheels.tables import Tables

    Array = np.ndarray[Any, Any]

Completions = Sequence[str | Sequence[Mapping[str, Any]]]
Samples = Sequence[Mapping[str, Any]]
Reward = Callable[..., list[float]]
_COMMA = re.compile("[,;，；、]")
_FORMAT = re.compile(r"<think>.*?</think>\s*<answer>.*?</answer>", re.DOTALL)


def text_of(completion: str | Sequence[Mapping[str, Any]]) -> str:
    """Return a completion as text: itself, or the joined text parts of the last message of a conversation."""
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else ""
    if isinstance(content, str) or content is None:
        return content or ""
    return "".join(part.get("text", "") for part in content if part.get("type", "text") == "text")


def _required(samples: Samples, row: int, field: str, what: str) -> Any:
    value = samples[row].get(field)
    if value is None:
        raise Malformed(f"sample {row + 1} has no {field!r}", do=f"give {what} in the column samples")
    return value


def paired(completions: Completions, samples: Samples) -> list[tuple[str, Any]]:
    """Return text and gold value of every item.

    Raises:
        Malformed: when there is not one sample for each completion, or one has no gold value.
    """
    if len(completions) != len(samples):
        raise Malformed(f"{len(completions)} completions for {len(samples)} samples", do="give one sample for each")
    golds = [_required(samples, row, "gold", "the right answer") for row in range(len(samples))]
    return list(zip(map(text_of, completions), golds, strict=True))


def format_reward(completions: Completions, **_: Any) -> list[float]:
    """Return 1 when the whole completion is ``<think>…</think>``, blanks and ``<answer>…</answer>``, else 0."""
    return [float(_FORMAT.fullmatch(text_of(completion)) is not None) for completion in completions]


def r1_omni_reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
    """Return R1-Omni's accuracy reward, with its faults: whether the text in ``<answer>`` equals gold, with case (D11).

    Without the tag the whole completion is compared. Its first attempt, math-verify on both texts, is not imitated: it
    finds no expression in a word, so it never decides between labels; where gold is a formula, the two differ.
    """
    read = COMPAT["r1_omni_reward"]
    return [float(read(text, ()) == read(str(gold), ())) for text, gold in paired(completions, samples)]


def concordance_rewards(read: Sequence[float | Unreadable], gold: Sequence[float]) -> list[float]:
    """Return each number's part of the concordance correlation of the batch; the mean of the rewards is that CCC.

    Formula: ``r_i = 1 - (x_i - y_i)² / D`` with ``D = s_x² + s_y² + (m_x - m_y)²`` of the numbers that could be read,
    so ``1/n Σ r_i = 2·s_xy / D``. A number that cannot be read gets the lowest reward of the batch, and -1 at most.
    Where D is 0 all answers are right, and get 1. A batch of one item gets 1 when right and 0 when wrong, and rewards
    of different batches have different D: give large batches.

    Raises:
        Malformed: when a gold number is not finite.
    """
    import numpy as np

    rows = [row for row, number in enumerate(read) if not isinstance(number, Unreadable)]
    truth = np.array(gold, float)
    if not np.isfinite(truth).all():
        raise Malformed("a gold number is not finite", do="leave such samples out of the training set")
    values = _concordance(np.array([read[row] for row in rows], float), truth[rows])
    lowest = min([-1.0, *values])
    by_row = dict(zip(rows, values, strict=True))
    return [by_row.get(row, lowest) for row in range(len(read))]


def _concordance(predicted: Array, gold: Array) -> list[float]:
    if not len(predicted):
        return []
    spread = predicted.var() + gold.var() + (predicted.mean() - gold.mean()) ** 2
    return [float(value) for value in (1 - (predicted - gold) ** 2 / spread if spread > 0 else 0 * predicted + 1)]


def _inverse(said: int, gold: int) -> float:
    return 1 / (said - gold + 1)


def _share(said: int, gold: int) -> float:
    return gold / said


def _log(said: int, gold: int) -> float:
    # log 1 = 0 would give nothing to an item with one gold label, so there one is added within both logarithms.
    return log(gold) / log(said) if gold > 1 else log(gold + 1) / log(said + 1)


PENALTIES: Mapping[str, Callable[[int, int], float]] = {"inverse": _inverse, "ratio": _share, "log": _log}
"""Length penalties of a third party's GRPO for AffectGPT: ``1/(|p|-|g|+1)``, ``|g|/|p|`` and ``log|g| / log|p|``."""


def length_penalty(said: int, gold: int, penalty: str | None) -> float:
    """Return the factor for ``said`` answered labels where ``gold`` are right: 1 unless there are more.

    Raises:
        Malformed: when there is no such penalty, or ``gold`` is 0.
    """
    if penalty is None:
        return 1.0
    if penalty not in PENALTIES:
        raise Malformed(f"there is no length penalty {penalty!r}", do=f"choose of {', '.join(PENALTIES)} or None")
    if gold < 1:
        raise Malformed("an item without gold labels has no length to hold an answer against", do="leave it out")
    return 1.0 if said <= gold else PENALTIES[penalty](said, gold)


def wheel_f1_reward(tables: Tables, level: int = 1, penalty: str | None = "log", *, tagged: bool = True) -> Reward:
    """Reward the wheel F of each completion, the mean over five wheels, times a length penalty.

    Args:
        tables: the emotion wheels, of ``metrics.wheels.read_tables``.
        level: of the wheels, 1 or 2.
        penalty: ``log``, ``ratio``, ``inverse`` or None.
        tagged: whether a completion without ``<answer>`` gets 0, as published.

    Returns:
        A function of completions and samples; gold is a list of labels, or a text that lists them. An unreadable or
        empty answer gets 0.
    """
    length_penalty(2, 1, penalty)  # an unknown penalty is an error now, not after the first generation

    def wheel_reward(completions: Completions, samples: Samples, **_: Any) -> list[float]:
        from affectllm.metrics.wheels import item_f1

        pairs = paired(completions, samples)
        golds = [_gold_labels(gold, row) for row, (_, gold) in enumerate(pairs, 1)]
        predicted = [_listed(text, tagged) for text, _ in pairs]
        values = item_f1(golds, predicted, tables, level)
        sizes = zip(predicted, golds, strict=True)
        return [float(f) * length_penalty(len(p), len(g), penalty) for f, (p, g) in zip(values, sizes, strict=True)]

    wheel_reward.__name__ = f"wheel_f1_level{level}_{penalty or 'plain'}"
    return wheel_reward


def wheel_agreement_reward(tables: Tables, level: int = 1) -> Reward:
    """Reward that thought and answer name the same emotions, right or wrong, on five emotion wheels.

    It is the Jaccard similarity, mean over the wheels, of the labels in ``<answer>`` and those that the reasoning
    before it affirms; 0 where either has none. Alone it pays for naming everything twice, so it goes beside a reward of
    the answer: AffectGPT-R1's agreement of thought and answer.

    Args:
        tables: the emotion wheels. In the reasoning their words are found, and the emotion words of the lexicon.
        level: of the wheels, 1 or 2.

    Returns:
        A function of completions.
    """
    mapped = {word for wheel in tables.wheels for word in wheel[level]} | {*tables.forms, *tables.bases}
    words = Words((word, word) for word in mapped | {*emotion_words()})

    def agreement(completions: Completions, **_: Any) -> list[float]:
        from affectllm.metrics.wheels import item_jaccard

        texts = [text_of(completion) for completion in completions]
        thought = [_normal(affirmed(reasoning_part(text), words)) for text in texts]
        return [float(value) for value in item_jaccard([_listed(text, True) for text in texts], thought, tables, level)]

    agreement.__name__ = f"wheel_agreement_level{level}"
    return agreement


def _gold_labels(gold: Any, row: int) -> list[str]:
    labels = _COMMA.split(gold) if isinstance(gold, str) else gold
    if isinstance(labels, Mapping) or not (listed := _normal(labels)):
        message = f"sample {row} has no gold labels, but {gold!r}"
        raise Malformed(message, do="leave such samples out of the training set, or ask for labels")
    return listed


def _listed(text: str, tagged: bool) -> list[str]:
    labels = read_open_labels(text) if has_answer_tag(text) or not tagged else ()
    return [] if isinstance(labels, Unreadable) else _normal(labels)


def _normal(labels: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(label.strip().lower() for label in labels if label.strip()))
