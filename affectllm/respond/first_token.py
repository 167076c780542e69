"""Score choices by the log-probabilities of the first token, all that an endpoint says about what it did not answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from affectllm.respond.responder import Unanswered


def choice_likelihoods(first: Mapping[str, float], choices: Sequence[str]) -> list[float] | Unanswered:
    """Return for each choice the log-probability of the tokens that begin it and no other.

    A choice that none of the tokens begins gets less than any of them: minus infinity would say that it is impossible,
    and it is only unlisted.

    Args:
        first: token → log-probability, of the most likely ones.
        choices: different texts.
    """
    masses: list[list[float]] = [[] for _ in choices]
    shared = -math.inf
    for token, value in first.items():
        word = token.strip().casefold()  # whether a model writes "Yes" or "yes" is no part of the answer
        begun = [index for index, choice in enumerate(choices) if word and choice.strip().casefold().startswith(word)]
        if len(begun) == 1:
            masses[begun[0]].append(value)
        elif begun:
            shared = max(shared, value)
    sums = [math.log(math.fsum(map(math.exp, values))) if values else -math.inf for values in masses]
    if shared > max(sums, default=-math.inf):
        return Unanswered("ambiguous_choice", "the likeliest first token begins several choices")
    if not any(masses):
        return Unanswered("no_choice_likely", f"none of the {len(first)} likeliest first tokens begins a choice")
    floor = min(first.values()) - 1.0
    return [floor if total == -math.inf else total for total in sums]
