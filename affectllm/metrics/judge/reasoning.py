"""Metrics of descriptions and explanations of emotion: by a judge, and counterparts that need none.

With a judge, controls are judged too (three more questions per item, unless ``controls=False``), and every answer can
be stored by ``judge.JudgeStore``. Items that the judge failed on are left out of the mean and counted in ``coverage``;
scores of different judges or prompts are not comparable, see ``judge.comparable``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from affectllm.errors import Malformed
from affectllm.labels.reading import Unreadable, mentioned_emotions, read_open_labels
from affectllm.metrics.core.counts import mean_of_items
from affectllm.metrics.core.metric import Sums, metric
from affectllm.metrics.judge.ask import Scores, answers, begin, collected, score_of
from affectllm.metrics.judge.judge import Failure, Judge
from affectllm.metrics.judge.wording import Prompt, load_prompt
from affectllm.metrics.texts.tokens import words_and_characters

if TYPE_CHECKING:
    from affectllm.metrics.wheels.tables import Tables

Golds = list[tuple[str, ...]]
Answers = list[str | None]
_EMER = "the first number of the answer is the score, whatever it counts; an answer without a number ends the run"
_FIRST_NUMBER = re.compile(r"[\d][.]*[\d]*")
# Words that carry no evidence: articles, pronouns, auxiliaries, prepositions, conjunctions.
_STOP = frozenset(
    re.findall(
        r"\w+",
        "a an the this that these those he she it they we you i him her them his hers its their my your our me us is "
        "are was were be been being am do does did has have had will would can could may might must shall should to of "
        "in on at by for from with as into about over after before and or but so if then than not no nor very also "
        "there here which who whom whose what when where how while because since person man woman video character "
        "speaker",
    )
)


@metric(
    "clue_overlap",
    form="text",
    range=(1.0, 10.0),
    source="Lian et al., Explainable Multimodal Emotion Recognition (EMER), 2023, AffectGPT/evaluation.py",
    compat={"emer": _EMER},
)
def clue_overlap(
    gold: Golds, predicted: Answers, *, judge: Judge | None = None, language: str = "en", compat: str | None = None
) -> Sums:
    """Mean score from 1 to 10 by which a judge finds the emotional evidence of a description in its reference.

    Formula: ``1/n Σ judge(reference_i, description_i)``, n the items that the judge scored.
    Edge cases: an unreadable description scores 1 and is not judged; several references are shown together; a question
    that the judge does not answer with a number from 1 to 10 is left out and counted under ``failed_<reason>``.
    """
    asked, prompt = begin(judge, "clue_overlap"), load_prompt("clue_overlap", language)
    return _mean(_judged(asked, prompt, gold, predicted, compat), prompt)


@metric(
    "label_overlap",
    form="text",
    range=(1.0, 10.0),
    source="Lian et al., Explainable Multimodal Emotion Recognition (EMER), 2023, AffectGPT/evaluation.py",
    compat={"emer": _EMER},
)
def label_overlap(
    gold: Golds, predicted: Answers, *, judge: Judge | None = None, language: str = "en", compat: str | None = None
) -> Sums:
    """Mean score from 1 to 10 by which a judge finds the emotions of a description in its reference, in two steps.

    Formula: ``1/n Σ judge(words(reference_i), words(description_i))``, where the judge first names the emotion words of
    each text.
    Edge cases: as ``clue_overlap``; an item with a text whose words the judge could not name is left out and counted.
    """
    asked, prompt = begin(judge, "label_overlap"), load_prompt("label_overlap", language)
    summary = load_prompt("summarise_emotions", language)
    answered = [row for row, text in enumerate(predicted) if text is not None]
    texts = [*("\n".join(gold[row]) for row in answered), *(str(predicted[row]) for row in answered)]
    words = answers(asked, summary, [{"text": text} for text in texts])
    sides = {row: (words[place], words[len(answered) + place]) for place, row in enumerate(answered)}
    lost = {row: side for row, pair in sides.items() for side in pair if isinstance(side, Failure)}
    if lost and compat == "emer":
        raise _crashed(next(iter(lost.values())).reason)
    named = {row: tuple(map(str, pair)) for row, pair in sides.items() if row not in lost}
    references = [(named[row][0],) if row in named else gold[row] for row in range(len(gold))]
    described = [named[row][1] if row in named else None for row in range(len(gold))]
    return _mean(_judged(asked, prompt, references, described, compat, lost), prompt)


@metric(
    "empathy_judge",
    form="text",
    range=(1.0, 5.0),
    source="Rashkin et al., EmpatheticDialogues, ACL 2019 (human ratings of empathy from 1 to 5)",
)
def empathy_judge(gold: Golds, predicted: Answers, *, judge: Judge | None = None, language: str = "en") -> Sums:
    """Mean score from 1 to 5 for how empathetic a judge finds a reply to what was said.

    Formula: ``1/n Σ judge(said_i, reply_i)``; gold is what the other person said, not a reference reply.
    Edge cases: as ``clue_overlap``; an unreadable reply scores 1. The control ``shuffled`` gives what others said.
    """
    asked, prompt = begin(judge, "empathy_judge"), load_prompt("empathy", language)
    return _mean(_judged(asked, prompt, gold, predicted, None), prompt)


@metric(
    "laughter_reasoning",
    form="text",
    range=(0.0, 10.0),
    source="Hu et al., EmoBench-M, 2025, LaughterReason_LLMScoring.py",
    compat={"emobench_m": "a question that the judge does not answer scores 0"},
)
def laughter_reasoning(
    gold: Golds, predicted: Answers, *, judge: Judge | None = None, compat: str | None = None
) -> Sums:
    """Mean of two scores from 0 to 5, added: whether an explanation of laughter is sound, and names what set it off.

    Formula: ``1/n Σ (logic_i + content_i)``.
    Edge cases: as ``clue_overlap``; an unreadable explanation scores 0; both scores are needed for an item to count.
    """
    asked = begin(judge, "laughter_reasoning")
    prompts = [load_prompt(f"laughter_{half}") for half in ("logic", "content")]
    halves = [_judged(asked, prompt, gold, predicted, None) for prompt in prompts]
    both = [_added(logic, content, compat) for logic, content in zip(*halves, strict=True)]
    return _mean(both, prompts[0])


def _added(logic: float | Failure, content: float | Failure, compat: str | None) -> float | Failure:
    scores = [0.0 if isinstance(half, Failure) else half for half in (logic, content)]
    failed = next((half for half in (logic, content) if isinstance(half, Failure)), None)
    return sum(scores) if failed is None or compat == "emobench_m" else failed


def _judged(
    judge: Judge,
    prompt: Prompt,
    gold: Sequence[tuple[str, ...]],
    predicted: Sequence[str | None],
    compat: str | None,
    lost: dict[int, Failure] | None = None,
) -> list[float | Failure]:
    """Return one score or failure per item; without an answer nothing is judged, and the score is the lowest."""
    scores: list[float | Failure] = [(lost or {}).get(row, prompt.low) for row in range(len(gold))]
    answered = [row for row, text in enumerate(predicted) if text is not None]
    questions = [{"gold": "\n".join(gold[row]), "predicted": str(predicted[row])} for row in answered]
    read = _first_number if compat == "emer" else score_of
    for row, answer in zip(answered, answers(judge, prompt, questions), strict=True):
        scores[row] = read(answer, prompt)
    return scores


def _first_number(answer: str | Failure, prompt: Prompt) -> float:
    """Read the first number as published, where a failed call is the empty string, in which there is none."""
    match = _FIRST_NUMBER.search("" if isinstance(answer, Failure) else answer)
    if match is None:
        raise _crashed(answer.reason if isinstance(answer, Failure) else "no number")
    try:
        return float(match.group())
    except ValueError as error:
        raise _crashed(f"{match.group()!r} is no number") from error


def _crashed(why: str) -> Malformed:
    return Malformed(f"the published evaluator ends here: {why}", do="leave out compat; failures are then counted")


def _mean(outcomes: list[float | Failure], prompt: Prompt) -> Sums:
    import numpy as np

    scores: Scores = collected(outcomes)
    scored = np.array([value is not None for value in scores.values])
    if not scored.any():
        reasons = ", ".join(f"{reason} {count}" for reason, count in scores.failures.items())
        do = "look at its answers in a JudgeStore"
        raise Malformed(f"the judge scored nothing: {reasons}", where=prompt.name, do=do)
    shares = {f"failed_{reason}": count / len(outcomes) for reason, count in scores.failures.items()}
    values = np.array([value or 0.0 for value in scores.values])
    return mean_of_items(values, scored, coverage={"judged": float(scored.mean()), **shares})


@metric(
    "clue_overlap_words",
    form="text",
    range=(0.0, 1.0),
    source="unigram F of ROUGE-1 (Lin, ROUGE, 2004) on stemmed content words; a twin of clue_overlap without a judge",
)
def clue_overlap_words(gold: Golds, predicted: Answers) -> Sums:
    """Mean F1 of the content words that a description shares with its reference, the best one of several references.

    Formula: ``1/N Σ_i max_r 2·|g_ir ∩ p_i| / (|g_ir| + |p_i|)`` over multisets of stemmed words without function words;
    scripts without blanks (Chinese, kana, Thai) are taken character by character.
    Edge cases: an unreadable description scores 0; where neither side has a content word the item scores 1.
    """
    import numpy as np

    stem = _stemmer()
    truths = [[Counter(_content(text, stem)) for text in texts] for texts in gold]
    described = [None if text is None else Counter(_content(text, stem)) for text in predicted]
    pairs = zip(truths, described, strict=True)
    return mean_of_items(np.array([0.0 if p is None else max(_overlap(g, p) for g in texts) for texts, p in pairs]))


def _stemmer() -> Callable[[str], str]:
    from functools import lru_cache

    from nltk.stem.porter import PorterStemmer

    return lru_cache(maxsize=None)(PorterStemmer().stem)


def _content(text: str, stem: Callable[[str], str]) -> list[str]:
    return [stem(word) for word in words_and_characters(text.lower()) if word not in _STOP]


def _overlap(gold: Counter[str], predicted: Counter[str]) -> float:
    size = gold.total() + predicted.total()
    return 2 * (gold & predicted).total() / size if size else 1.0


@metric(
    "label_overlap_set",
    form="text",
    range=(0.0, 1.0),
    source="set F1 per item, as emotion sets are scored in Lian et al., OV-MER, 2024; a twin of label_overlap",
)
def label_overlap_set(gold: Golds, predicted: Answers, *, tables: Tables | None = None, level: int = 1) -> Sums:
    """Mean F1 of the emotions that a description names and those of its reference, read without a judge.

    Formula: ``1/N Σ_i 2·|g_i ∩ p_i| / (|g_i| + |p_i|)``; the labels are those that a text lists, else the families of
    emotion words that it affirms. With ``tables``, words are compared by their clusters on five wheels instead.
    Edge cases: an unreadable description scores 0; where neither text names an emotion the item scores 1.
    """
    import numpy as np

    truths = [frozenset(name for text in texts for name in _emotions(text)) for texts in gold]
    described = [None if text is None else frozenset(_emotions(text)) for text in predicted]
    scores = [0.0 if p is None else _overlap(Counter(g), Counter(p)) for g, p in zip(truths, described, strict=True)]
    if tables is not None:
        scores = _on_wheels(truths, described, scores, tables, level)
    named = sum(map(bool, truths)) / len(truths)
    share = {"gold_with_emotions": named, "predicted_with_emotions": sum(map(bool, described)) / len(described)}
    return mean_of_items(np.array(scores), coverage=share)


def _emotions(text: str) -> Sequence[str]:
    listed = read_open_labels(text)
    return mentioned_emotions(text) if isinstance(listed, Unreadable) else _heads(listed)


def _heads(listed: Sequence[str]) -> list[str]:
    """Replace listed words by the heads of their families, so that a list agrees with prose; others stay unchanged."""
    return [next(iter(mentioned_emotions(word)), word) for word in listed]


def _on_wheels(
    gold: Sequence[frozenset[str]],
    predicted: Sequence[frozenset[str] | None],
    plain: list[float],
    tables: Tables,
    level: int,
) -> list[float]:
    from affectllm.metrics.wheels import item_f1

    both = item_f1(gold, [labels or frozenset() for labels in predicted], tables, level)
    named = [bool(g) and bool(p) for g, p in zip(gold, predicted, strict=True)]
    return [float(f) if has else value for f, has, value in zip(both, named, plain, strict=True)]
