"""The word forms of emotions that are aliases of labels; the lexicon page is read on the first call."""

from __future__ import annotations

from functools import cache

from affectllm.labels.language import FIRST, find_language


def aliases(*names: str) -> dict[str, str]:
    """Map word forms to names, for every family in which exactly one of ``names`` occurs.

    One family is one emotion in its word forms (noun, adjective, adverb) and in the names that corpora give it: the
    ``forms`` of the English page of the lexicon. Words of another strength (rage, terror) or of several meanings
    (upset, excited) are no aliases: reading them as the family's emotion would invent an answer.

    Where a space tells two members of a family apart (``joy`` from ``happiness``), the family gives no aliases.

    Example:
        >>> aliases("joy", "neutral")["happy"]
        'joy'
    """
    result: dict[str, str] = {}
    for family in _families():
        members = [name for name in names if name in family]
        if len(members) == 1:
            result |= {word: members[0] for word in family if word != members[0]}
    return result


@cache
def _families() -> tuple[tuple[str, ...], ...]:
    english = find_language(FIRST)
    return tuple((head, *english.forms_of(head)) for head in english.forms)
