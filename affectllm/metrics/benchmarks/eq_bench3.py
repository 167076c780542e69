"""EQ-Bench 3: what a judge gave to role plays and analyses, from the logs of its runner, and a measure without a judge.

An item is one role play of a log, ``{"run", "model", "judge", "scores", "turns"}``: scores are criterion → 0 to 20,
turns are section → text. ``score.role_plays`` takes them out of a runs file. The judge's scores are stored there, so
that nobody is asked again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from statistics import fmean
from typing import Any

from affectllm.errors import Malformed, NotFound
from affectllm.metrics.core.counts import mean_of_items, per_part
from affectllm.metrics.core.metric import Sums, metric

CRITERIA = (
    "demonstrated_empathy",
    "pragmatic_ei",
    "depth_of_insight",
    "social_dexterity",
    "emotional_reasoning",
    "message_tailoring",
    "theory_of_mind",
    "subtext_identification",
    "intellectual_grounding",
    "correctness",
)
"""What counts: the first six of role plays; of analyses insight, emotional reasoning and the last four."""
SECTIONS = (
    ("thinking_feeling", "their_thinking_feeling", "response"),
    ("perspective_taking", "draft_brainstorming", "draft"),
)
"""The parts that replies are asked to have: of role plays, and of messages that are to be drafted."""
_TOP, _SCALE = 20.0, 5.0
_SOURCE = "Paech, EQ-Bench 3, 2025 (EQ-bench/eqbench3, core/benchmark.py and core/conversation.py)"


@metric(
    "eq_bench3_rubric",
    title="EQ-Bench 3 rubric",
    form="raw",
    range=(0.0, 100.0),
    source=_SOURCE,
    takes="predicted",
)
def eq_bench3_rubric(predicted: list[Any], *, judged_by: str = "", run: str = "") -> Sums:
    """Mean of what a judge gave to a run's role plays and analyses, 0 to 100; it holds for that judge.

    Formula: ``5/N Σ_i mean_c s_ic`` over the criteria ``c`` that count, each 0 to 20: empathy, pragmatic EI, insight,
    social dexterity, emotional reasoning, message tailoring; of analyses insight, reasoning, theory of mind, subtext,
    grounding and correctness. Twelve further ones (warmth, compliance …) are style and do not count. ``per_class`` has
    the mean of each criterion. A run of several rounds counts each of its role plays.
    Edge cases: a role play without such a score counts for nothing (``coverage.role_plays``), and a score outside 0 to
    20 is none (``details.out_of_range``). The judge has to be named, and it has to be that of the log. The rating by
    pairs of models (Elo) is no part of it.
    """
    import numpy as np

    if not judged_by:
        raise Malformed("the score is one of a judge", do="name it: --option judged_by=claude-3.7-sonnet")
    plays = list(_of_run(predicted, run))
    for judge in sorted({str(play.get("judge")) for play in plays if play and play.get("judge")} - {judged_by}):
        raise Malformed(f"the log was judged by {judge}, not by {judged_by}", do=f"--option judged_by={judge}")
    scores = [_scores(play) for play in plays]
    means = np.array([_SCALE * fmean(own.values()) if own else nan for own in scores])
    counted = np.array([bool(own) for own in scores])
    if not counted.any():
        raise Malformed("no role play was scored by the judge", do="give the runs file of a run with rubric scores")
    given = sum(play is not None for play in plays)
    beyond = sum(not 0 <= value <= _TOP for play in plays for value in _numbers(play).values())
    coverage = {"role_plays": float(counted.sum() / given)}
    return mean_of_items(
        means, counted, per_class=lambda: _per_criterion(scores), coverage=coverage, details={"out_of_range": beyond}
    )


@metric(
    "eq_bench3_sections",
    title="EQ-Bench 3 sections kept",
    form="raw",
    range=(0.0, 1.0),
    source=_SOURCE,
    takes="predicted",
)
def eq_bench3_sections(predicted: list[Any], *, run: str = "") -> Sums:
    """Share of a role play's turns whose reply has all three sections that were asked for; no judge is needed.

    Formula: mean over role plays of the share of their turns in which own feelings, the other's feelings and the
    response (of drafts: perspective, ideas and the draft) are there and not empty. It measures whether the form is
    kept, which the reading of the transcripts rests on, and nothing of emotional intelligence.
    Edge cases: scenarios that ask for no sections (plain conversations, analyses) count for nothing.
    """
    import numpy as np

    shares = [_kept(play) for play in _of_run(predicted, run)]
    counted = np.array([share is not None for share in shares])
    if not counted.any():
        raise Malformed("no role play has sections", do="give the runs file of a run with role plays")
    return mean_of_items(np.array([nan if share is None else share for share in shares]), counted)


def _of_run(predicted: Sequence[Any], run: str) -> Iterator[Mapping[str, Any] | None]:
    """Yield the role plays of the one run that is scored, None for those of others.

    Raises:
        Malformed: when items are none, or of several runs and none is named.
        NotFound: when the named run is not there.
    """
    if any(not isinstance(play, Mapping) or "scores" not in play for play in predicted):
        raise Malformed("this is no role play of a log", do="give the column role_play of a runs file of EQ-Bench 3")
    runs = list(dict.fromkeys(str(play.get("run", "")) for play in predicted))
    if not run and len(runs) > 1:
        raise Malformed(f"the log has {len(runs)} runs", do=f"name one: --option run={runs[0]}")
    if run and run not in runs:
        raise NotFound(f"the log has no run {run!r}", do=f"it has {', '.join(runs[:8])}")
    yield from (play if not run or play.get("run") == run else None for play in predicted)


def _numbers(play: Mapping[str, Any] | None) -> dict[str, float]:
    """Return the numbers given to the criteria that count."""
    given = (play or {}).get("scores")
    every = given if isinstance(given, Mapping) else {}
    numbers = {name: every[name] for name in CRITERIA if type(every.get(name)) in (int, float)}
    return {name: float(value) for name, value in numbers.items() if abs(value) <= sys.float_info.max}


def _scores(play: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: value for name, value in _numbers(play).items() if 0 <= value <= _TOP}


def _per_criterion(scores: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    import numpy as np

    given = {name: [own[name] for own in scores if name in own] for name in CRITERIA}
    names = [name for name in CRITERIA if given[name]]
    means, counts = ([f(given[name]) for name in names] for f in (fmean, len))
    return per_part(names, mean=np.array(means), n=np.array(counts, float))


def _kept(play: Mapping[str, Any] | None) -> float | None:
    """Return the share of turns that keep their sections; None where none are asked for."""
    turns = [turn for turn in (play or {}).get("turns") or () if isinstance(turn, Mapping)]
    asked = [next((names for names in SECTIONS if set(names) & set(turn)), None) for turn in turns]
    if not turns or None in asked:
        return None
    kept = [
        all(str(turn.get(name) or "").strip() for name in names or ()) for turn, names in zip(turns, asked, strict=True)
    ]
    return fmean(kept)
