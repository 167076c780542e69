"""Find the labels that a text mentions, and whether it denies, weakens or stresses each, in one pass over its tokens.

A regular expression cuts each sentence into tokens, each of a ``Kind`` (``negation``); ``_Scan`` is the state machine
that follows denials, marks and enumerations from token to token.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from affectllm.labels.reading.alternatives import alternatives
from affectllm.labels.reading.asides import is_aside, is_denied_before, surroundings
from affectllm.labels.reading.negation import Kind, denies_after, elided, kinds, no, yes
from affectllm.labels.reading.options import without_articles
from affectllm.labels.reading.spoken import compiled
from affectllm.labels.reading.text import EDGE, EDGES, HANGUL, MARKS, normalised
from affectllm.labels.reading.text import HAN as HAN_RANGE
from affectllm.labels.reading.words import Words, in_prose

SCOPE, LONG_SCOPE = 12, 40  # words (Chinese: characters) that a denial reaches
# A dot before a digit is a decimal point and ends no sentence.
_STOPS = re.compile(r"((?:[;!?。；！？…\n؟؛।]|\.(?!\d))+)")
_QUESTION = re.compile("[?؟]")
_END = r"[.;!?。；！？…\n؟؛।]"
# A whole sentence that is a mere no: "Anger. No." refuses what the sentence before it names.
_REFUSAL = compiled(lambda: rf"(?:^|{_END})\s{{0,9}}(?:{alternatives(no())})\s{{0,9}}(?:$|{_END})")
_YES_FIRST = compiled(lambda: rf"\W{{0,9}}(?:{alternatives(yes())})(?![^\W{HAN_RANGE}])")
_DASH = re.compile(r"\s[-–—]\s|—")
_ONE = rf"[^\W\d_{HAN_RANGE}{HANGUL}]"
# One word: letters with the marks of Indic scripts and an apostrophe ("l'amour", "he's"), or a run of Hangul, whose
# particles follow words of other scripts without a blank.
_SINGLE = re.compile(rf"{_ONE}+(?:[{MARKS}]+{_ONE}*)*(?:'{_ONE}+)?|[{HANGUL}]+")
_QUOTES = "'\"“”‘’«»「」『』《》"  # "the label 'joy' does not apply"
_SIGNS = {
    **dict.fromkeys(",，،|()[]", Kind.COMMA),
    **dict.fromkeys("、/&+", Kind.OR),  # never "not this, but that", so a denial holds for all that they join
    **dict.fromkeys("≠¬", Kind.DENY),
    ":": Kind.COLON,
}


@dataclass(slots=True)
class Mention:
    """A label that a text names.

    Args:
        name: the label.
        mark: ``weak``, ``strong``, ``listed`` (among what could be answered) or nothing.
        denied: whether the text says that it is not the case.
    """

    name: str
    mark: str = ""
    denied: bool = False


def mentions(text: str, words: Mapping[str, str], *, feelings: bool = True) -> list[Mention]:
    """Return every mention of ``words`` (word → label) in the order of the text; equal sentences count once.

    A label in a question is denied, unless the next sentence says yes; so is one that the next sentence refuses with a
    mere no.

    Args:
        feelings: whether the words are feelings, which an answer may also use of itself or as a courtesy ("happy to
            help"); such uses are no mentions.
    """
    reader, result = _reader(words if isinstance(words, Words) else Words(words)), []
    # No denial or mark reaches into the next sentence, so only sentences with labels are scanned.
    for sentence, refused in _sentences(normalised(without_articles(text, reader.letters))):
        if reader.label.search(sentence):
            named = _in_sentence(_DASH.sub(", ", sentence), words, reader, feelings)
            result += [replace(mention, denied=True) for mention in named] if refused else named
    return result


def _sentences(text: str) -> Iterable[tuple[str, bool]]:
    """Return the sentences of a text, each once, and whether the labels in them are asked about or refused."""
    parts = _STOPS.split(text)
    if not _QUESTION.search(text) and not _REFUSAL().search(text):
        return dict.fromkeys((sentence, False) for sentence in parts[::2])
    filled = [number for number in range(0, len(parts), 2) if parts[number].strip()]
    following = [parts[number].strip(EDGES) for number in filled[1:]] + [""]
    stops = [parts[number + 1] if number + 1 < len(parts) else "" for number in filled]
    return dict.fromkeys(
        (parts[number], after in no() or (bool(_QUESTION.search(stop)) and not _YES_FIRST().match(after)))
        for number, stop, after in zip(filled, stops, following, strict=True)
    )


def _in_sentence(sentence: str, words: Mapping[str, str], reader: _Reader, feelings: bool) -> list[Mention]:
    scan, kinds, denied = _Scan(), reader.kinds, False
    for match in reader.token.finditer(sentence):
        word = match.group()
        kind = kinds.get(word)
        if kind is None:
            word, kind = reader.looked_up(word)
        if kind is Kind.LABEL:
            # The costly look around a label is left out where it could change nothing.
            denied = scan.denies
            if not denied and not scan.has_stated(words[word]):
                before, after = surroundings(sentence, match.start(), match.end())
                kind = Kind.WORD if feelings and is_aside(word, before, after) else kind
                denied = is_denied_before(before.rstrip(_QUOTES))
                if reader.after.match(after.lstrip(_QUOTES)):
                    denied = True
                    scan.deny_chain()
        if kind is Kind.LABEL:
            scan.label(words[word], denied)
        elif kind is not scan.last or (kind is Kind.WORD and scan.scope):
            scan.other(kind)  # the same kind once more changes nothing, but that words use up a denial
    return scan.mentions()


def affirmed(text: str, words: Mapping[str, str]) -> list[str]:
    """Return the labels that are mentioned and not denied, each once, in the order of the text."""
    mentioned = mentions(text, words)
    return list(dict.fromkeys(mention.name for mention in mentioned if not mention.denied and mention.mark != "listed"))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Cuts a text into words, phrases and signs.

    Args:
        label: finds where a label may stand.
        token: finds the next word, phrase or sign.
        after: matches what denies the label before it.
        kinds: token → its kind; other tokens are plain words.
        letters: the labels of one letter.
    """

    label: re.Pattern[str]
    token: re.Pattern[str]
    after: re.Pattern[str]
    kinds: Mapping[str, Kind]
    letters: frozenset[str]

    def looked_up(self, word: str) -> tuple[str, Kind]:
        """Return a token that is not in ``kinds`` without possessive, elision and double blanks, and its kind."""
        word = " ".join(word.split()).removesuffix("'s")
        if word.endswith("n't"):
            return word, Kind.DENY
        first, _, rest = word.partition("'")
        word = rest if rest and first in elided() else word  # l'amour
        return word, self.kinds.get(word, Kind.WORD)


@lru_cache(maxsize=2_048)  # of all tasks in all languages at once
def _reader(words: Words) -> _Reader:
    labels = set(in_prose(words))
    han = [word for word in labels if re.search(f"[{HAN_RANGE}]", word)]
    phrases = [word for word in labels.difference(han) if not _SINGLE.fullmatch(word)]
    spaced = [word for word in kinds(True) if not _SINGLE.fullmatch(word)]
    # The first alternative that fits is read, so phrases come before the single words that they begin with.
    groups = (
        rf"(?<!{EDGE})(?:{alternatives([*phrases, *spaced])})(?!{EDGE})",
        _SINGLE.pattern,
        f"{alternatives([*han, *kinds(False)])}|[{HAN_RANGE}]",
        rf"[{re.escape(''.join(_SIGNS))}]",
    )
    token_kinds = {**_SIGNS, **kinds(True), **kinds(False), **dict.fromkeys(labels, Kind.LABEL)}
    after = denies_after(f"{alternatives(word for word in labels if not word.isascii())}|[a-z]+")
    label, token = re.compile(alternatives(labels)), re.compile("|".join(groups))
    letters = frozenset(word for word in labels if len(word) == 1 and word.isascii())
    return _Reader(label, token, re.compile(after), token_kinds, letters)


@dataclass(slots=True)
class _Scan:
    """The state of the scan of one sentence: the denial and the mark in force, the enumeration, the labels so far.

    A denial reaches ``scope`` more words. It ends at a comma ("not A, B" states B) unless it denies a whole list
    (``listing``) or an "or" shows that the comma was part of one ("not A, B or C" denies all); until that is settled,
    the labels after the comma are ``pending``.
    """

    stated: dict[tuple[str, str, bool], None] = field(default_factory=dict)  # name, mark, denied; each once, in order
    scope: int = 0  # words that the denial still reaches
    listing: bool = False  # the denial goes on beyond commas
    long: bool = False  # and beyond "and" before any label
    mark: str = ""
    fresh: bool = False  # the mark was the last thing said
    chain: bool = False  # within "A, B and C"
    parted: bool = False  # a comma or "and" since the last label of the chain
    comma: bool = False  # the last of them was a comma
    members: list[tuple[str, str]] = field(default_factory=list)  # labels that the chain stated first
    last: Kind = Kind.TURN
    released: bool = False  # a comma ended a denial, unless an "or" follows
    pending: list[tuple[str, str]] = field(default_factory=list)  # labels since then

    @property
    def denies(self) -> bool:
        """Whether a label that comes next is denied, whatever follows it."""
        return self.scope > 0 and not self.released

    def has_stated(self, name: str) -> bool:
        """Whether the label was stated before in this way, so that to mention it once more changes nothing."""
        return (name, self.mark, False) in self.stated

    def label(self, name: str, denied: bool) -> None:
        """Take a label as the next token."""
        if not self.chain:
            self.members = []
        if self.released and not denied:
            self.pending.append((name, self.mark))
        else:
            if not denied and not self.has_stated(name):
                self.members.append((name, self.mark))
            self.stated[name, self.mark, denied] = None
        self.chain, self.parted, self.comma, self.fresh, self.last = True, False, False, False, Kind.LABEL

    def deny_chain(self) -> None:
        """Deny the labels that lead to the next one, because what follows that denies it: "A and B are absent".

        A comma alone makes no chain: "joy, anger is absent" states joy.
        """
        if self.chain and not self.comma:
            self._settle(denied=True)
            for name, mark in self.members:
                self.stated.pop((name, mark, False), None)
                self.stated[name, mark, True] = None
            self.members = []

    def other(self, kind: Kind) -> None:
        """Take anything but a label as the next token."""
        if kind is Kind.FILLER:
            return
        self.last = kind
        if kind in _ACTIONS:
            _ACTIONS[kind](self)
        else:
            self._word()
            if kind in (Kind.WEAK, Kind.STRONG, Kind.LISTED):
                self.mark, self.fresh = kind.name.lower(), True
            elif kind is Kind.FREE:
                self.scope = 0

    def mentions(self) -> list[Mention]:
        """Return the mentions, at the end of the sentence."""
        self._settle(denied=False)
        return [Mention(*key) for key in self.stated]

    def _settle(self, denied: bool) -> None:
        """Settle pending labels: a comma after "not A" begins a contrast ("not A, B") or a list ("not A, B or C")."""
        for name, mark in self.pending:
            self.stated[name, mark, denied] = None
        self.pending, self.released = [], False

    def _word(self) -> None:
        if self.chain:
            if self.parted:
                self.scope, self.mark = 0, ""
            if self.released:
                self._settle(denied=False)
            self.chain = self.parted = False
        self.fresh = False
        if self.scope:
            self.scope -= 1

    def _deny(self) -> None:
        self._word()
        # "I do not know if he is": the shorter denial within a long one does not end it
        self.scope, self.long = (self.scope, True) if self.scope > SCOPE else (SCOPE, False)
        self.listing = self.long

    def _deny_list(self) -> None:
        self._word()
        self.scope, self.listing, self.long = max(SCOPE, self.scope), True, self.scope > SCOPE

    def _deny_long(self) -> None:
        self._word()
        self.scope, self.listing, self.long = LONG_SCOPE, True, True

    def _comma(self) -> None:
        if self.chain:
            self.parted, self.comma = True, True
            self.released = self.released or (self.scope > 0 and not self.listing)
        else:
            self.scope, self.mark = 0, self.mark if self.fresh and self.mark != "listed" else ""

    def _join(self) -> None:
        if self.chain:
            self.parted, self.comma = True, False
        elif not (self.long and self.scope):
            self.scope, self.mark = 0, self.mark if self.fresh else ""

    def _or(self) -> None:
        if self.chain:
            self._settle(denied=True)
            self.parted, self.comma = True, False

    def _colon(self) -> None:
        self._settle(denied=False)
        self.scope, self.chain, self.parted = 0, False, False

    def _turn(self) -> None:
        self._colon()
        self.mark, self.fresh = "", False


_ACTIONS = {
    Kind.DENY: _Scan._deny,
    Kind.DENY_LIST: _Scan._deny_list,
    Kind.DENY_LONG: _Scan._deny_long,
    Kind.COMMA: _Scan._comma,
    Kind.JOIN: _Scan._join,
    Kind.OR: _Scan._or,
    Kind.COLON: _Scan._colon,
    Kind.TURN: _Scan._turn,
}
