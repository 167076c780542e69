"""Texts as tokens, by name: what a metric of texts counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from affectllm.errors import Malformed

Tokenize = Callable[[str], list[str]]
_HAN = "\u3400-\u9fff"
_WORD = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+")
_CLASSES = {"13a": "Tokenizer13a", "zh": "TokenizerZh", "char": "TokenizerChar", "intl": "TokenizerV14International"}
NAMES = (*_CLASSES, "blanks", "nltk", "rouge")
"""``13a``, ``zh``, ``char`` and ``intl`` of sacrebleu, ``blanks`` cuts at blanks, ``nltk`` is word_tokenize, ``rouge``
that of rouge-score (ASCII letters and digits, so it is for English only)."""


def tokenizer(name: str) -> Tokenize:
    """The function that cuts a text into tokens; case is kept, except by ``rouge``.

    Raises:
        Malformed: when there is none of that name.
    """
    if name not in NAMES:
        raise Malformed(f"there is no tokenization called {name!r}", do=f"choose of {', '.join(NAMES)}")
    return _tokenizer(name)


@cache
def _tokenizer(name: str) -> Tokenize:
    if name == "blanks":
        return str.split
    if name == "nltk":
        return _nltk_words()
    if name == "rouge":
        from rouge_score.tokenize import tokenize

        return lambda text: list(tokenize(text, None))
    from importlib import import_module

    made = getattr(import_module(f"sacrebleu.tokenizers.tokenizer_{name}"), _CLASSES[name])()
    return lambda text: made(text).split()


def has_punkt() -> bool:
    """Whether nltk finds its trained sentence splitter, which knows abbreviations, among the user's data."""
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:
        return False
    return True


def _nltk_words() -> Tokenize:
    """nltk's word_tokenize; without its data, sentences end at every full stop, those of abbreviations too."""
    from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer, word_tokenize

    if has_punkt():
        return lambda text: list(word_tokenize(text))
    sentences, words = PunktSentenceTokenizer(), NLTKWordTokenizer()
    return lambda text: [word for sentence in sentences.tokenize(text) for word in words.tokenize(sentence)]


def chars_of_han(text: str) -> list[str]:
    """Words of letters and digits; Chinese character by character."""
    return _WORD.findall(text)


def ngrams(reply: str | None, order: int, tokenize: str = "13a") -> list[tuple[str, ...]]:
    """Runs of ``order`` tokens in lower case; none of an unreadable reply."""
    return runs(tokenizer(tokenize)((reply or "").lower()), order)


def runs(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Runs of ``order`` tokens."""
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))
