"""Which labels a text mentions, and whether it denies, weakens or stresses each: one pass, in the order of the text."""

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
_STOPS = re.compile(r"((?:[;!?。；！？…\n؟؛।]|\.(?!\d))+)")
_QUESTION = re.compile("[?؟]")
_END = r"[.;!?。；！？…\n؟؛।]"
_REFUSAL = compiled(lambda: rf"(?:^|{_END})\s{{0,9}}(?:{alternatives(no())})\s{{0,9}}(?:$|{_END})")
_YES_FIRST = compiled(lambda: rf"\W{{0,9}}(?:{alternatives(yes())})(?![^\W{HAN_RANGE}])")
_DASH = re.compile(r"\s[-–—]\s|—")
_ONE = rf"[^\W\d_{HAN_RANGE}{HANGUL}]"
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
    """Every mention of a word of ``words`` (word → label) in the order of the text; equal sentences count once.

    ``feelings``: whether the words name what an answer may feel itself or be polite with, which is then no mention.
    What is asked is denied, unless the next sentence says yes; so is what the next sentence refuses with a mere no.
    """
    reader, found = _reader(words if isinstance(words, Words) else Words(words)), []
    # Nothing that is said of a label reaches into the next sentence, so only sentences with labels need a closer look.
    for sentence, refused in _sentences(normalised(without_articles(text, reader.letters))):
        if reader.label.search(sentence):
            said = _in_sentence(_DASH.sub(", ", sentence), words, reader, feelings)
            found += [replace(mention, denied=True) for mention in said] if refused else said
    return found


def _sentences(text: str) -> Iterable[tuple[str, bool]]:
    """The sentences of a text, each once, and whether what they name is asked or refused."""
    parts = _STOPS.split(text)
    if not _QUESTION.search(text) and not _REFUSAL().search(text):
        return dict.fromkeys((sentence, False) for sentence in parts[::2])
    kept = [number for number in range(0, len(parts), 2) if parts[number].strip()]
    following = [parts[number].strip(EDGES) for number in kept[1:]] + [""]
    stops = [parts[number + 1] if number + 1 < len(parts) else "" for number in kept]
    return dict.fromkeys(
        (parts[number], after in no() or (bool(_QUESTION.search(stop)) and not _YES_FIRST().match(after)))
        for number, stop, after in zip(kept, stops, following, strict=True)
    )


def _in_sentence(sentence: str, words: Mapping[str, str], reader: _Reader, feelings: bool) -> list[Mention]:
    scan, kinds, denied = _Scan(), reader.kinds, False
    for match in reader.token.finditer(sentence):
        word = match.group()
        kind = kinds.get(word)
        if kind is None:
            word, kind = reader.looked_up(word)
        if kind is Kind.LABEL:
            denied = scan.denies
            if not denied and not scan.knows(words[word]):
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
    """The labels that are mentioned and not denied, each once, in the order of the text."""
    found = mentions(text, words)
    return list(dict.fromkeys(said.name for said in found if not said.denied and said.mark != "listed"))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Cuts a text into words, phrases and signs.

    Args:
        label: finds where a label may stand.
        token: finds the next word, phrase or sign.
        after: matches what denies the label before it.
        kinds: what each known one is.
        letters: the labels of one letter.
    """

    label: re.Pattern[str]
    token: re.Pattern[str]
    after: re.Pattern[str]
    kinds: Mapping[str, Kind]
    letters: frozenset[str]

    def looked_up(self, word: str) -> tuple[str, Kind]:
        """A token that is not in ``kinds`` as it stands: without possessive, with single blanks."""
        word = " ".join(word.split()).removesuffix("'s")
        if word.endswith("n't"):
            return word, Kind.DENY
        first, _, rest = word.partition("'")
        word = rest if rest and first in elided() else word  # l'amour
        return word, self.kinds.get(word, Kind.WORD)


@lru_cache(maxsize=256)
def _reader(words: Words) -> _Reader:
    labels = set(in_prose(words))
    han = [word for word in labels if re.search(f"[{HAN_RANGE}]", word)]
    phrases = [word for word in labels.difference(han) if not _SINGLE.fullmatch(word)]
    spaced = [word for word in kinds(True) if not _SINGLE.fullmatch(word)]
    groups = (
        rf"(?<!{EDGE})(?:{alternatives([*phrases, *spaced])})(?!{EDGE})",
        _SINGLE.pattern,
        f"{alternatives([*han, *kinds(False)])}|[{HAN_RANGE}]",
        rf"[{re.escape(''.join(_SIGNS))}]",
    )
    known = {**_SIGNS, **kinds(True), **kinds(False), **dict.fromkeys(labels, Kind.LABEL)}
    after = denies_after(f"{alternatives(word for word in labels if not word.isascii())}|[a-z]+")
    label, token = re.compile(alternatives(labels)), re.compile("|".join(groups))
    letters = frozenset(word for word in labels if len(word) == 1 and word.isascii())
    return _Reader(label, token, re.compile(after), known, letters)


@dataclass(slots=True)
class _Scan:
    """What is known at one place of the text."""

    found: dict[tuple[str, str, bool], None] = field(default_factory=dict)  # name, mark, denied; each once, in order
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

    def knows(self, name: str) -> bool:
        """Whether the label was stated before in this way, so that to mention it once more changes nothing."""
        return (name, self.mark, False) in self.found

    def label(self, name: str, denied: bool) -> None:
        """A label is mentioned."""
        if not self.chain:
            self.members = []
        if self.released and not denied:
            self.pending.append((name, self.mark))
        else:
            if not denied and not self.knows(name):
                self.members.append((name, self.mark))
            self.found[name, self.mark, denied] = None
        self.chain, self.parted, self.comma, self.fresh, self.last = True, False, False, False, Kind.LABEL

    def deny_chain(self) -> None:
        """The label that comes next is denied by what follows, and so are those that lead to it: "A and B are absent".

        A mere comma leads to nothing: "joy, anger is absent" states joy.
        """
        if self.chain and not self.comma:
            self._settle(denied=True)
            for name, mark in self.members:
                self.found.pop((name, mark, False), None)
                self.found[name, mark, True] = None
            self.members = []

    def other(self, kind: Kind) -> None:
        """Anything but a label comes next."""
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
        """What was found, at the end of the sentence."""
        self._settle(denied=False)
        return [Mention(*key) for key in self.found]

    def _settle(self, denied: bool) -> None:
        """Whether the comma after "not A" began a contrast ("not A, B") or a list ("not A, B or C")."""
        for name, mark in self.pending:
            self.found[name, mark, denied] = None
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
