"""Tokenization for metrics of texts, by name or chosen by the language of the texts.

The rule: Chinese is cut into characters by sacrebleu's ``zh``; Japanese by ``ja-mecab`` where MeCab is installed and by
``char`` elsewhere; Thai, Lao, Khmer and Burmese, which know no blanks either, by ``char``. Latin letters keep the
metric's own default. Any other script with blanks (Arabic, Cyrillic, Hangul, Devanagari, Greek, Hebrew …) is cut by
``intl``, which knows its punctuation marks. Where no language is given, the letters of the references decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

from affectllm.errors import Malformed

Tokenize = Callable[[str], list[str]]
_HAN, _KANA = "\u3400-\u9fff\U00020000-\U0003134f", "\u3040-\u30ff\u31f0-\u31ff"
_NO_BLANKS = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_APART = _HAN + _KANA + _NO_BLANKS
_WORD = re.compile(rf"[{_APART}]|[^\W_{_APART}]+")
_LETTER = re.compile(f"[{_APART}]")
_SCRIPTS = {
    **{"han": re.compile(f"[{_HAN}]"), "kana": re.compile(f"[{_KANA}]"), "no_blanks": re.compile(f"[{_NO_BLANKS}]")},
    **{"latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"), "letters": re.compile(r"[^\W\d_]")},
    "accented": re.compile("[\u00c0-\u024f\u1e00-\u1eff]"),
}
_CLASSES = {"13a": "Tokenizer13a", "zh": "TokenizerZh", "char": "TokenizerChar", "intl": "TokenizerV14International"}
_MECAB = {"ja-mecab": ("TokenizerJaMecab", "MeCab"), "ko-mecab": ("TokenizerKoMecab", "mecab_ko")}
AUTO = "auto"
NAMES = (*_CLASSES, "blanks", "nltk", "rouge")
"""``13a``, ``zh``, ``char`` and ``intl`` of sacrebleu, ``blanks`` cuts at blanks, ``nltk`` is word_tokenize, ``rouge``
that of rouge-score (ASCII letters and digits, so it is for English only)."""
SACREBLEU = (*_CLASSES, *_MECAB)
"""Those of sacrebleu, with ``ja-mecab`` and ``ko-mecab``, which need a package each."""
_KNOWN = (*NAMES, *_MECAB)
_ONE_IN = 100  # letters: with fewer accents than that a text is taken for English


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokenization of one metric, and the reason for it.

    Args:
        name: of the tokenization.
        why: ``asked``, ``language`` or ``script`` of the references.
    """

    name: str
    why: str

    @property
    def cut(self) -> Tokenize:
        """The tokenizing function."""
        return tokenizer(self.name)

    @property
    def details(self) -> dict[str, str]:
        """The tokenization as details of a result."""
        return {"tokens": self.name, "tokens_by": self.why}


def choose(
    asked: str, language: str | None, texts: Iterable[str | None], default: str = "13a", known: Sequence[str] = _KNOWN
) -> Tokens:
    """Choose the tokenization: by name, or by the rule of this module from the language or the texts' letters.

    Args:
        asked: a name, or ``auto``.
        language: BCP-47 tag, or None to go by the letters.
        texts: references, or replies where there are none.
        default: for Latin letters; ``rouge`` for English alone.
        known: the names that the metric takes.

    Raises:
        Malformed: when there is no tokenization of that name.
    """
    if asked != AUTO:
        if asked not in known:
            do = f"choose of {', '.join((AUTO, *known))}"
            raise Malformed(f"there is no tokenization called {asked!r} here", do=do)
        return Tokens(asked, "asked")
    if language:
        return Tokens(_of_language(language.lower().replace("_", "-").partition("-")[0], default), "language")
    return Tokens(_of_letters("\n".join(filter(None, texts)), default), "script")


def _of_language(tag: str, default: str) -> str:
    if tag in ("zh", "yue", "wuu", "cmn"):
        return "zh"
    if tag == "ja":
        return _japanese()
    if tag in ("th", "lo", "km", "my"):
        return "char"
    if tag == "en":
        return default
    return _further(default) if tag in _LATIN else "intl"


_LATIN = frozenset(
    ("af", "az", "bs", "ca", "cs", "cy", "da", "de", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id", "is")
) | frozenset(
    ("it", "lt", "lv", "ms", "mt", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw", "tl", "tr", "vi", "zu")
)


def _of_letters(text: str, default: str) -> str:
    count = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS.items()}
    apart = count["han"] + count["kana"] + count["no_blanks"]
    # A Chinese character is about a word, a Latin letter a fifth of one.
    if 5 * apart > count["letters"] - count["han"] - count["kana"]:
        if count["no_blanks"] > count["han"] + count["kana"]:
            return "char"
        return _japanese() if 10 * count["kana"] > apart else "zh"
    if 2 * count["latin"] >= count["letters"]:
        return _further(default) if _ONE_IN * count["accented"] > count["letters"] else default
    return "intl"


def _japanese() -> str:
    return "ja-mecab" if find_spec(_MECAB["ja-mecab"][1]) else "char"


def _further(default: str) -> str:
    """Return the default for Latin letters with accents, which rouge-score does not know."""
    return "intl" if default == "rouge" else default


def tokenizer(name: str) -> Tokenize:
    """Return the function that cuts a text into tokens; case is kept, except by ``rouge``.

    Raises:
        Malformed: when there is none of that name.
    """
    if name not in _KNOWN:
        raise Malformed(f"there is no tokenization called {name!r}", do=f"choose of {', '.join(_KNOWN)}")
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

    if name in _MECAB:
        return _with_mecab(name)
    cut = getattr(import_module(f"sacrebleu.tokenizers.tokenizer_{name}"), _CLASSES[name])()
    return lambda text: cut(text).split()


def _with_mecab(name: str) -> Tokenize:
    from importlib import import_module

    kind, package = _MECAB[name]
    if find_spec(package) is None:
        raise Malformed(f"{name} needs the package {package}", do=f"pip install sacrebleu[{name[:2]}], or take char")
    cut = getattr(import_module(f"sacrebleu.tokenizers.tokenizer_{name.replace('-', '_')}"), kind)()
    return lambda text: cut(text).split()


def has_punkt() -> bool:
    """Whether nltk finds its trained sentence splitter, which knows abbreviations, among the user's data."""
    import nltk

    try:
        nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:
        return False
    return True


def _nltk_words() -> Tokenize:
    """Return nltk's word_tokenize; without its data, sentences end at every full stop, those of abbreviations too."""
    from nltk.tokenize import NLTKWordTokenizer, PunktSentenceTokenizer, word_tokenize

    if has_punkt():
        return lambda text: list(word_tokenize(text))
    sentences, words = PunktSentenceTokenizer(), NLTKWordTokenizer()
    return lambda text: [word for sentence in sentences.tokenize(text) for word in words.tokenize(sentence)]


def words_and_characters(text: str) -> list[str]:
    """Split into words of letters and digits; scripts without blanks (Chinese, kana, Thai …) character by character."""
    return _WORD.findall(text)


def apart(text: str) -> str:
    """Return ``text`` with blanks around every letter of a script that knows none; other texts stay as they are."""
    return _LETTER.sub(r" \g<0> ", text)


def ngrams(reply: str | None, order: int, tokenize: str = "13a") -> list[tuple[str, ...]]:
    """Return the n-grams of ``order`` tokens in lower case; none for an unreadable reply."""
    return runs(tokenizer(tokenize)((reply or "").lower()), order)


def runs(tokens: Sequence[str], order: int) -> list[tuple[str, ...]]:
    """Return the n-grams of ``order`` tokens."""
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))
