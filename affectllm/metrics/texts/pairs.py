"""Metrics of emotion-cause pairs: which turn feels what, because of which turn, and of which of its words.

A pair is (turn, emotion, turn of the cause, words of the cause); the words are empty where only turns were marked. The
definitions are those of SemEval-2024 Task 3. Its evaluator counts tokens by their places in the utterance; here, where
only the words are at hand, two passages of one utterance overlap by their longest common run of tokens.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from affectllm.metrics.core.counts import blocks, class_rows, f1, label_names, pooled_f1, ratio
from affectllm.metrics.core.metric import Sums, metric

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

Pair = tuple[int, str, int, str]
Pairs = list[frozenset[Pair]]
Claims = list[frozenset[Pair] | None]
Spoken = dict[tuple[int, str, int], list[tuple[str, ...]]]
_SOURCE = "Wang et al., SemEval-2024 Task 3, SemEval 2024; NUSTM/SemEval-2024_ECAC, CodaLab/evaluation/evaluate.py"
_MICRO = "Luo et al., HitEmotion, ICLR 2026; Eurekaleo/Emotional-Intelligence, evaluation_MECPE.py"


@metric("pair_f1", form="pairs", range=(0.0, 1.0), source=_SOURCE, title="Weighted pair F1")
def pair_f1(gold: Pairs, predicted: Claims, *, labels: Sequence[str] = ()) -> Sums:
    """Mean over emotions of the F1 of emotion-cause pairs, weighted by how many gold pairs have the emotion.

    Formula: ``Σ_e n_e/N · F1_e`` with ``F1_e = 2·tp_e / (2·tp_e + fp_e + fn_e)`` over the pairs of all dialogues; a
    pair is right when both turns, the emotion and the words are those of a gold pair. Words are compared by token,
    without the punctuation at both ends. Details: ``micro_f1``, the F1 of all pairs together. It is the strict F1 of
    subtask 1 where gold has words, and the F1 of subtask 2 where it has none.
    Edge cases: a pair that is given twice counts once; an unreadable answer gives no pair; without any gold pair 0 if
    an answer has one, else 1 less the share of unreadable answers.
    """
    sides = _Sides(gold, predicted, labels)
    rows, counts = [], []
    for truth, answer in sides.rows(_tokens_of):
        hits = [len(right & claimed) for right, claimed in zip(truth, answer, strict=True)]
        counts.append([len(right) for right in truth])
        rows.append([*hits, *counts[-1], *(len(claimed) for claimed in answer)])
    return sides.sums(rows, counts)


@metric("pair_micro_f1", form="pairs", range=(0.0, 1.0), source=_MICRO, title="Pair micro F1")
def pair_micro_f1(gold: Pairs, predicted: Claims, *, labels: Sequence[str] = ()) -> Sums:
    """F1 of all emotion-cause pairs together, whatever their emotion.

    Formula: ``2·tp / (2·tp + fp + fn)`` over the pairs of all dialogues; a pair is right as in ``pair_f1``.
    Edge cases: as of ``pair_f1``.
    """
    import numpy as np

    sides = _Sides(gold, predicted, labels)
    counts = []
    for truth, answer in sides.rows(_tokens_of):
        right, claimed = (frozenset[Any]().union(*side) for side in (truth, answer))
        counts.append([len(right & claimed), len(right), len(claimed)])
    table = np.array(counts, float)

    def value(totals: Array) -> Array:
        return f1(totals[..., 0], totals[..., 1], totals[..., 2], sides.read)

    return Sums(table, value, coverage={"pairs": float(table[:, 1].sum())})


@metric("pair_proportional_f1", form="pairs", range=(0.0, 1.0), source=_SOURCE, title="Weighted proportional pair F1")
def pair_proportional_f1(gold: Pairs, predicted: Claims, *, labels: Sequence[str] = ()) -> Sums:
    """Mean over emotions of the F1 of emotion-cause pairs whose words count by the tokens that they share with gold.

    Formula: per emotion ``2·Σ overlap / (Σ |predicted| + Σ |matched or missed gold|)``, lengths in tokens; each
    predicted passage of the right turns and emotion matches the gold one of which it covers the largest share.
    Weighted by the number of gold pairs.
    Edge cases: as of ``pair_f1``; several passages that match one gold passage count its length once each.
    """
    sides = _Sides(gold, predicted, labels)
    rows, counts = [], []
    for truth, answer in sides.rows(_tokens_of):
        own = [_overlap(right, claimed) for right, claimed in zip(truth, answer, strict=True)]
        rows.append([value for part in zip(*own, strict=True) for value in part] if own else [])
        counts.append([len(right) for right in truth])
    return sides.sums(rows, counts)


def _overlap(right: frozenset[Any], claimed: frozenset[Any]) -> tuple[int, int, int]:
    """Return the shared tokens, those of gold passages and those of predicted ones, all of one emotion."""
    truth, shared, matched, given = _by_turns(right), 0, 0, 0
    met: set[Any] = set()
    for turns, passages in _by_turns(claimed).items():
        for passage in passages:
            given += len(passage)
            best = max(
                ((_run(one, passage) / len(one), _run(one, passage), one) for one in truth.get(turns, ())),
                default=(0.0, 0, ()),
            )
            if best[1]:
                shared, matched = shared + best[1], matched + len(best[2])
                met.add((turns, best[2]))
    missed = sum(len(one) for turns, passages in truth.items() for one in passages if (turns, one) not in met)
    return shared, matched + missed, given


def _by_turns(pairs: frozenset[Any]) -> Spoken:
    by_turns: Spoken = {}
    for *turns, words in sorted(pairs):
        # Where only turns were marked, a turn counts as one token.
        by_turns.setdefault(tuple(turns), []).append(words or ("",))  # type: ignore[arg-type]
    return by_turns


def _run(one: Sequence[str], other: Sequence[str]) -> int:
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size


def _tokens_of(pair: Pair) -> tuple[Any, ...]:
    turn, emotion, cause, words = pair
    return turn, emotion, cause, tuple(words.strip(string.punctuation + string.whitespace).split())


class _Sides:
    """Gold and predicted pairs by emotion."""

    def __init__(self, gold: Pairs, predicted: Claims, labels: Sequence[str]) -> None:
        self._gold, self._answers = gold, [answer or frozenset() for answer in predicted]
        self.names = label_names(labels, *({pair[1] for pair in side} for side in (*gold, *self._answers)))
        self.read = sum(answer is not None for answer in predicted) / len(predicted)

    def rows(self, value: Any) -> list[tuple[list[frozenset[Any]], list[frozenset[Any]]]]:
        """Return for each dialogue the gold and the predicted pairs of each emotion."""

        def by_emotion(pairs: frozenset[Pair]) -> list[frozenset[Any]]:
            return [frozenset(value(pair) for pair in pairs if pair[1] == name) for name in self.names]

        return [(by_emotion(one), by_emotion(other)) for one, other in zip(self._gold, self._answers, strict=True)]

    def sums(self, rows: list[list[int]], counts: list[list[int]]) -> Sums:
        """Build the metric from hits, gold and claims of each emotion, and from the number of gold pairs."""
        import numpy as np

        width = 3 * len(self.names)
        table = np.concatenate([np.array(rows, float).reshape(len(rows), width), np.array(counts, float)], axis=1)
        sums = table[:, :width].sum(0)
        return Sums(
            table,
            lambda totals: self._value(totals[..., :width], totals[..., width:]),
            per_class=lambda: class_rows(self.names, sums),
            coverage={"pairs": float(table[:, width:].sum())},
            details={"micro_f1": float(pooled_f1(*blocks(sums), empty=self.read))},
        )

    def _value(self, totals: Array, weights: Array) -> Array:
        import numpy as np

        parts = blocks(totals)
        nothing = np.where(parts[2].any(-1), 0.0, self.read)
        mean = ratio((f1(*parts) * weights).sum(-1), weights.sum(-1))
        return np.where(weights.any(-1), mean, nothing)
