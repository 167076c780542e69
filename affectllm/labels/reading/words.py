"""The words that name an emotion: families of word forms, in English and Chinese, and the vocabulary of a label space.

A form is listed, never made by cutting endings: a stemmer would read ``contention`` as ``content``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from affectllm.labels.reading import chinese
from affectllm.labels.reading.languages import arabic_forms
from affectllm.labels.reading.nothing import NEUTRAL_WORDS
from affectllm.labels.reading.spellings import spellings
from affectllm.labels.reading.text import bare
from affectllm.labels.space import LabelSpace
from affectllm.labels.taxonomies import aliases

# The head of a family, then forms that ``labels.taxonomies`` does not list; those that it lists are added.
_FORMS: tuple[tuple[str, ...], ...] = (
    ("anger", "angrier", "angriest"),
    ("fear", "fearfully", "fears"),
    ("happiness", "happier", "happiest", "joyous"),
    ("sadness", "sadder", "saddest", "saddened"),
    ("disgust", "disgustedly"),
    ("surprise", "surprisedly"),
    ("neutral", "neutrally", "emotionless"),
    ("calm", "calmer"),
    ("boredom",),
    ("contempt", "contemptuously"),
    ("anticipation",),
    ("trust",),
    ("admiration", "admiringly"),
    ("amusement",),
    ("annoyance",),
    ("approval", "approvingly"),
    ("confusion", "confusedly"),
    ("curiosity", "curiously"),
    ("desire",),
    ("disappointment", "disappointedly"),
    ("disapproval", "disapprovingly"),
    ("embarrassment",),
    ("excitement", "excitedly"),
    ("gratitude", "gratefully", "gratefulness"),
    ("grief",),
    ("love", "lovingly"),
    ("nervousness", "nervously"),
    ("optimism", "optimistically"),
    ("pessimism", "pessimistic"),
    ("pride", "proudly"),
    ("relief",),
    ("remorse", "remorsefully"),
    ("anxiety", "anxiously", "anxiousness"),
    ("apprehension", "apprehensively"),
    ("worry", "worried", "worriedly"),
    ("shame",),
    ("confidence", "confidently"),
    ("contentment", "contented"),
    ("devastation",),
    ("fury", "furiously"),
    ("guilt", "guiltily"),
    ("hope", "hopefulness"),
    ("jealousy", "jealously"),
    ("loneliness",),
    ("nostalgia",),
    ("frustration", "frustrated"),
    ("helplessness", "helpless", "helplessly"),
    ("doubt", "doubtful"),
    ("terror",),
    ("positive",),
    ("negative",),
)
# Heads whose words mean other things as often as a feeling; free prose is not searched for them.
_NOT_IN_PROSE = frozenset(
    ("positive", "negative", "approval", "trust", "desire", "hope", "doubt", "contentment", "anticipation", "caring")
)


@lru_cache(maxsize=1)
def families() -> Mapping[str, frozenset[str]]:
    """Head → every word of its family, English and Chinese."""
    told = {head: (head, *aliases(head), *forms, *chinese.NAMES.get(head, ())) for head, *forms in _FORMS}
    told["neutral"] += NEUTRAL_WORDS
    return {head: frozenset((*words, *map(chinese.traditional, words))) for head, words in told.items()}


def vocabulary(space: LabelSpace) -> Mapping[str, str]:
    """Word → name of the space: its names, its aliases, and the families in which exactly one name occurs."""
    return _vocabulary(space.names, tuple(space.aliases.items()))


def space_of(labels: Sequence[str]) -> LabelSpace:
    """A closed space of these labels, with the word forms that belong to them."""
    names = tuple(dict.fromkeys(labels))
    return LabelSpace("labels", "category", names, source="the labels that were given", aliases=aliases(*names))


@lru_cache(maxsize=1)
def emotion_words() -> Mapping[str, str]:
    """Word → head of its family, for the words that name a feeling wherever they stand."""
    return {word: head for head, words in families().items() if head not in _NOT_IN_PROSE for word in words}


@lru_cache(maxsize=256)
def _vocabulary(names: tuple[str, ...], pairs: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    given = dict(pairs)
    own = {bare(word): name for word, name in (*given.items(), *((name, name) for name in names))}
    found = {bare(word): name for word, name in aliases(*names).items()}
    for family in families().values():
        owners = {own[word] for word in family if word in own}
        if len(owners) == 1:
            found |= dict.fromkeys(family, owners.pop())
    named = {word: name for word, name in (found | own).items() if word}
    spelt = {form: name for word, name in named.items() for form in spellings(word)} | named
    return {form: name for word, name in spelt.items() for form in arabic_forms(word)} | spelt


def in_prose(words: Mapping[str, str]) -> Iterator[str]:
    """The words that are looked for within a text: all but single Chinese characters."""
    return (word for word in words if len(word) > 1 or word.isascii())
