"""A judge of replies, asked several times and in both orders, so that its whims and its liking of a place are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from affectllm.empathy.replies_page import JudgeOfReplies, Row
from affectllm.metrics import METRICS
from affectllm.metrics.judge import EndpointJudge, Failure, Judge, JudgeStore, LocalJudge, load_prompt
from affectllm.metrics.judge.ask import answers, score_of
from affectllm.metrics.judge.judge import GREEDY

_TIE = 0.5


def judges(page: JudgeOfReplies, store: Path) -> list[Judge]:
    """Return the judge of each run, all on one store: the first greedy, the others drawn with a seed each."""
    asked: Judge = (
        LocalJudge(path=page.path)
        if page.path
        else EndpointJudge(page.model, url=page.url, api_key_env=page.key_env or None)
    )
    first = _on(store, asked)
    drawn = [{**GREEDY, "temperature": page.temperature, "seed": run} for run in range(1, page.runs)]
    return [first, *(_on(store, asked.decoding_as(decoding)) for decoding in drawn)]


def _on(store: Path, judge: Judge) -> Judge:
    return JudgeStore(store, judge, patient=True)


def rubric(rows: Sequence[Row], system: str, page: JudgeOfReplies, runs: Sequence[Judge]) -> dict[str, Any]:
    """Score how empathetic a system's replies are, 1 to 5: the mean over runs, and how far runs differ."""
    said, replies = [[row.context] for row in rows], [row.replies[system] for row in rows]
    clusters = [row.cluster for row in rows]
    metric = METRICS["empathy_judge"]
    results = [
        metric(said, replies, judge=judge, language=page.language, clusters=clusters, controls=False) for judge in runs
    ]
    values = [one.value for one in results]
    return {**results[0].to_json(), "value": fmean(values), "runs": values, "spread_of_runs": pstdev(values)}


def pairs(rows: Sequence[Row], systems: Sequence[str], page: JudgeOfReplies, runs: Sequence[Judge]) -> dict[str, Any]:
    """Return "first over second" → the share of replies of the first that the judge prefers, in both orders alike.

    A reply wins in a run when it is preferred in either place; a verdict that turns with the place is a tie.
    ``same_in_both_orders`` is the share of verdicts that do not turn, ``first_place`` the share of choices that fall on
    the reply named first: 0.5 of a judge that does not care for places.
    """
    return {f"{one} over {other}": _pair(rows, one, other, page, runs) for one, other in combinations(systems, 2)}


def _pair(rows: Sequence[Row], one: str, other: str, page: JudgeOfReplies, runs: Sequence[Judge]) -> dict[str, Any]:
    both = [row for row in rows if row.replies[one] and row.replies[other]]
    shares: list[dict[str, float]] = [{} for _ in both]
    failures, turned, places = Counter[str](), 0, Counter[int]()
    for number, judge in enumerate(runs):
        forth, back = (_verdicts(both, *names, page, judge) for names in ((one, other), (other, one)))
        for share, first, second in zip(shares, forth, back, strict=True):
            if isinstance(first, Failure) or isinstance(second, Failure):
                failures.update(side.reason for side in (first, second) if isinstance(side, Failure))
                continue
            places.update([first, second])
            swapped = {0: 0, 1: 2, 2: 1}[second]
            turned += first != swapped
            share[f"run {number}"] = _TIE if first != swapped or first == 0 else float(first == 1)
    judged = sum(map(len, shares))
    result = _mean(shares, [row.cluster for row in both]) if judged else {"undefined": "no pair was judged"}
    chosen = places[1] + places[2]
    return {
        **result,
        "same_in_both_orders": 1 - turned / judged if judged else None,
        "first_place": places[1] / chosen if chosen else None,
        "failures": dict(failures),
        "left_out": len(rows) - len(both),
    }


def _mean(shares: Sequence[dict[str, float]], clusters: Sequence[str]) -> dict[str, Any]:
    """Return the mean over items of the mean over runs, runs being the raters."""
    return METRICS["mos"](list(shares), clusters=list(clusters)).to_json()


def _verdicts(rows: Sequence[Row], one: str, other: str, page: JudgeOfReplies, judge: Judge) -> list[int | Failure]:
    prompt = load_prompt("reply_preference", page.language)
    questions = [
        {"context": row.context, "first": str(row.replies[one]), "second": str(row.replies[other])} for row in rows
    ]
    return [_verdict(score_of(answer, prompt), answer) for answer in answers(judge, prompt, questions)]


def _verdict(score: float | Failure, answer: Any) -> int | Failure:
    if isinstance(score, Failure):
        return score
    return int(score) if score == int(score) else Failure("no_choice", str(answer)[:200])
