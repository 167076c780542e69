"""The words that name an emotion: families of word forms, and the vocabulary of a label space.

A form is listed, never made by cutting endings: a stemmer would read ``contention`` as ``content``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from affectllm.labels.language import FIRST, find_language, languages, split
from affectllm.labels.reading import spoken
from affectllm.labels.reading.spellings import spellings
from affectllm.labels.reading.text import bare
from affectllm.labels.space import LabelSpace
from affectllm.labels.word_forms import aliases


@cache
def families() -> Mapping[str, frozenset[str]]:
    """Map each head to the words of its family: English, and those that are understood everywhere."""
    english = find_language(FIRST)
    members = {head: (head, *english.forms_of(head), *split(english.further.get(head, ()))) for head in english.forms}
    members["neutral"] += spoken.words("no_emotion")
    for language in languages().values():
        if language.everywhere:
            for head in members:
                own = (*split(language.names.get(head, ())), *language.forms_of(head))
                members[head] += (*own, *map(language.traditional, own))
    return {head: frozenset(words) for head, words in members.items()}


def vocabulary(space: LabelSpace) -> Words:
    """Map words to names of the space: its names, its aliases, and the families in which exactly one name occurs."""
    return _vocabulary(space.names, tuple(space.aliases.items()))


def space_of(labels: Sequence[str]) -> LabelSpace:
    """Return a closed space of these labels, with their word forms as aliases."""
    names = tuple(dict.fromkeys(labels))
    return LabelSpace("labels", "category", names, source="the labels that were given", aliases=aliases(*names))


class Words(dict[str, str]):
    """A word → label mapping that is hashed and compared by identity, so that caches need not compare all its words."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


@cache
def emotion_words() -> Words:
    """Map words that name a feeling wherever they stand to the head of their family."""
    searchable = {head: words for head, words in families().items() if head not in spoken.words("not_in_prose")}
    return Words((word, head) for head, words in searchable.items() for word in words)


@lru_cache(maxsize=2_048)  # of all tasks in all languages at once
def _vocabulary(names: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> Words:
    alias_names = dict(pairs)
    own = {bare(word): name for word, name in (*alias_names.items(), *((name, name) for name in names))}
    inherited = {bare(word): name for word, name in aliases(*names).items()}
    for family in families().values():
        owners = {own[word] for word in family if word in own}
        if len(owners) == 1:
            inherited |= dict.fromkeys(family, owners.pop())
    named = {word: name for word, name in (inherited | own).items() if word}
    spelt = {form: name for word, name in named.items() for form in spellings(word)} | named
    return Words({form: name for word, name in spelt.items() for form in _attached(word)} | spelt)


def _attached(word: str) -> Iterator[str]:
    """Yield the word with the particles that some language attaches to it."""
    for language in languages().values():
        if language.attached:
            yield from language.attached.of(word)


def in_prose(words: Mapping[str, str]) -> Iterator[str]:
    """Yield the words that are searched within a text: all but single Chinese characters."""
    return (word for word in words if len(word) > 1 or word.isascii())
