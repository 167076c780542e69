"""Names of labels in languages other than English, as questions show them and answers use them.

The lexicon has one name per label and language, the usual one in the affective literature of that language, and further
words of it that readers understand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache

from affectllm.errors import Malformed
from affectllm.labels.language import FIRST, find_language, languages
from affectllm.labels.space import LabelSpace
from affectllm.labels.word_forms import aliases


@lru_cache(maxsize=512)
def named(names: tuple[str, ...], language: str) -> Mapping[str, str]:
    """Map canonical names to those to show in ``language``; English shows the canonical one, blanks for underscores.

    Raises:
        NotFound: when the lexicon does not have the language.
        Malformed: when a name has no word there, or two names have the same.
    """
    if language == FIRST:
        return {name: name.replace("_", " ") for name in names}
    translations = find_language(language).names
    if missing := [name for name in names if name not in translations]:
        message = f"there is no word in {language!r} for {', '.join(missing[:5])}"
        do = f"ask in English, or add the words to names in affectllm/labels/lexicon/{language}.yaml"
        raise Malformed(message, do=do)
    result = {name: translations[name] for name in names}
    if len(set(result.values())) < len(result):
        raise Malformed(f"two labels of {', '.join(names)} have one word in {language!r}")
    return result


def understood(space: LabelSpace, language: str) -> LabelSpace:
    """Return ``space`` with its names in ``language`` and further words for them as aliases, for reading answers.

    Raises:
        NotFound, Malformed: as ``named``.
    """
    if language == FIRST or not space.names:
        return space
    own = {word.lower(): name for name, word in named(space.names, language).items()}
    return replace(space, aliases={**_forms(space.names, language), **space.aliases, **own})


@lru_cache(maxsize=512)
def _forms(names: tuple[str, ...], language: str) -> Mapping[str, str]:
    """Map further words of names to the names."""
    return _only_ones((word, name) for name in names for word in find_language(language).forms_of(name))


def understood_everywhere(space: LabelSpace) -> LabelSpace:
    """Return ``space`` with its names in every language as aliases, as far as a word names one label only.

    For texts whose language is unknown, such as the completions of a trainer. Where the language is known,
    ``understood`` is stricter: it demands a word for every name.
    """
    pairs = (
        (word.lower(), name)
        for language in languages().values()
        for name in space.names
        if (word := language.names.get(name.lower()) or language.names.get(_head(name)))
    )
    further = {word: name for word, name in _only_ones(pairs).items() if space.resolve(word) is None}
    return replace(space, aliases={**further, **space.aliases})


def _only_ones(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Map words to names, for the words that name one label only."""
    owners: dict[str, set[str]] = {}
    for word, name in pairs:
        owners.setdefault(word, set()).add(name)
    return {word: names.pop() for word, names in owners.items() if len(names) == 1}


def _head(name: str) -> str:
    """Return the name under which the languages list a label: ``anger`` for ``angry``."""
    return next((head for head in _heads() if name.lower() in aliases(head)), name.lower())


@cache
def _heads() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for language in languages().values() for name in language.names))
