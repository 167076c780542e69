"""Languages: one page each in ``lexicon/`` (and in ``lexicon/`` of the folders of ``$AFFECTLLM_PATH``).

A page holds all that readers, names and questions know of a language. Readers know kinds of words only; which words
are of a kind, and what is peculiar to the grammar, the page says. ``WORDS`` and ``PATTERNS`` list the kinds. Everything
but ``words`` may be left out: a page with the words that deny alone helps to read answers in that language about
English labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from affectllm import registry
from affectllm.errors import Malformed, NotFound
from affectllm.labels.letters import normalised
from affectllm.page import Page, Path_, build, check_keys, read_page

FIRST = "en"
"""Where two languages have the same word for different things, English is meant, then the first by tag."""
WORDS: Mapping[str, str] = {
    "deny": "deny what comes next, up to a comma: not, never, instead of",
    "deny_list": "deny a whole list: neither, without, no sign of",
    "deny_long": "deny to the end of the statement: no evidence that, I do not know if",
    "free": "end a denial: not only, hide, no doubt",
    "weak": "make what comes next a possibility: perhaps, a hint of",
    "strong": "stress what comes next: mainly, most likely",
    "listed": "begin a list of what could be answered: options",
    "turn": "begin a new statement: but, because",
    "join": "and",
    "or": "or",
    "filler": "may stand anywhere and change nothing: a, the, very",
    "courtesy": "look like a label or a denial and are none: happy to help",
    "yes": "said of a label, that it holds",
    "no": "said of a label, that it does not hold",
    "nothing": "whole answers: no label holds",
    "no_emotion": "whole answers: no emotion; where a space has neutral, that label",
    "no_span": "whole answers: there is no such passage",
    "correct": "judge a statement, wherever they stand",
    "incorrect": "the same, that it does not hold",
    "agree": "judge a statement only where they are or begin the answer: yes",
    "disagree": "the same: no",
    "correct_alone": "judge a statement only as the whole answer: right",
    "answer": "lead to the answer, before a colon",
    "is": "may stand between those, or a name, and what is said of it",
    "heading": "lead to labels, before a colon: emotion, label",
    "listing": "part the items of a list: and, or",
    "field_label": "fields of JSON that hold labels",
    "field_number": "fields of JSON that hold a number",
    "field_span": "fields of JSON that hold a passage",
    "field_judgement": "fields of JSON that hold a judgement",
    "field_order": "fields of JSON that hold an order",
    "field_answer": "fields of JSON that hold any answer",
    "field_reason": "fields of JSON that only speak of the answer",
    "answers": "who answers, in a transcript: assistant",
    "asks": "who asks, in a transcript: user, system",
    "numerals": "0 to 10 in words, in order; spellings of one with a slash",
    "score": "lead to a number: score, rating",
    "score_is": "may stand between those and the number",
    "points": "units after a number",
    "out_of": "between a number and the highest one: out of",
    "of": "between a share and what it is a share of",
    "range": "between the ends of a range: to, or",
    "sentence": "show that an item of a list is a sentence: he, is, not",
    "degree": "say how much, before a label: very, a bit",
    "turn_words": "may stand beside the numbers of turns: turn, and",
    "option_words": "lead to the letter of an option: option, choice",
    "option_is": "may stand between those and the letter",
    "option_nouns": "those that are nouns, after which a small letter is meant too",
    "option_joins": "between the letters of several options: and",
    "letter_words": "letters that are words, after a slash another word for them",
    "first_alone": "the first of two descriptions, as a whole answer",
    "second_alone": "the second of two descriptions, as a whole answer",
    "equal_alone": "both descriptions, as a whole answer",
    "not_in_prose": "names that are not looked for in free prose, because they mean other things as often",
}
"""Kind of words → what they do. A list between commas; as a YAML list where a word has a comma itself."""
PATTERNS: Mapping[str, str] = {
    "denied_before": "ends right before a label that it denies: the opposite of",
    "denied_after": "follows a label and denies it: is absent; @{labels} stands for any label of the space",
    "asks_after": "makes a question of the label before it",
    "refuses": "what an item of a list has that refuses or thanks, and a word for a feeling has not",
    "item_refused": "what a short item of a list begins with that names no feeling, in a language without blanks",
    "says_nothing": "whole answers: no label holds",
    "undecided": "what an undecided answer begins with",
    "corrects": "announces a correction",
    "introduces": "stands before the emotions of a sentence",
    "leads": "may stand before an answer",
    "doubts": "doubts a label, after it and a colon",
    "amount": "an amount of a label, after it and a colon",
    "verdict": "a verdict of one character",
    "first": "names of the first of two descriptions",
    "second": "names of the second of two descriptions",
    "equal": "finds two descriptions equally good",
    "chooses_none": "after the name of a description and a pause: it is not chosen by that",
    "chosen_before": "right before the description that is chosen",
    "beaten_before": "right before the description that is not chosen",
    "not_preferred": "after a description: it is not preferred",
    "wins": "after a description: it is the better one",
    "faults": "finds fault with a description",
    "prefers_unsure": "a sentence that prefers nothing for sure",
    "elsewhere": "judges something else than the statement",
    "partly": "before a judgement: it holds in part, or perhaps",
    "hedges": "a sentence that judges in part",
    "hedge_joint": "between a judgement and what limits it: but",
    "judges_unsure": "a sentence that does not judge for sure",
    "judgement_leads": "may stand before a judgement",
    "scale": "names a scale, whose numbers are no answer; @{end} stands for an end of it",
    "minus": "right before a number, a sign in words; but not: at least",
    "number_denied": "a number that is denied",
    "bound": "a bound, which is no number that is stated",
    "below_zero": "says that a number is below zero",
    "not_below_zero": "says that it is not",
    "counted": "things whose numbers come after them: clip 3",
    "counts_nothing": "after a number, what is not counted by it",
    "quote_denied": "denies a quotation",
    "preamble": "what prompts begin with",
    "lettered": "persons and things that are told apart by letters",
    "option_goes_on": "after the letter of an option, how a sentence goes on",
}
"""Kind of patterns → what they match: regular expressions over lower case, for what a list of words cannot say.

``@{name}`` stands for an entry of the page's ``fragments``; line breaks are left out, so that long ones can be broken.
"""


@dataclass(frozen=True)
class Asking:
    """What questions in a language share.

    Args:
        stimulus: modality → what questions call it.
        context: frame of the dialogue so far.
        words: frame of words that are heard or stand beside a clip.
        text: frame of words that are all there is.
        speaker: how a speaker is called.
        nothing: the answer where no label of a set holds.
        comma, conjunction: between the items of a list in a question, and before its last one.
        joiner: between several labels in a sentence.
        shape: how numbers are to be written, ``one`` alone or ``several`` by their names.
    """

    stimulus: dict[str, str]
    context: str
    words: str
    text: str
    speaker: str
    nothing: str
    comma: str
    conjunction: str
    joiner: str
    shape: dict[str, str]

    def listed(self, items: Iterable[str]) -> str:
        """Labels to choose from."""
        return self.comma.join(items)

    def joined(self, items: Sequence[str]) -> str:
        """Several things that are all asked for."""
        *first, last = items
        return f"{self.comma.join(first)}{self.conjunction}{last}" if first else last


@dataclass(frozen=True)
class Attached:
    """Small words that are written together with a name.

    Args:
        script: pattern of the whole words that take them.
        forms: the forms of a word, ``@`` in its place.
        unless: beginning of a word → the only forms that such a word takes.
    """

    script: str
    forms: tuple[str, ...]
    unless: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, word: str) -> tuple[str, ...]:
        """The forms of a word."""
        if not re.fullmatch(self.script, word):
            return ()
        forms = next((forms for start, forms in self.unless.items() if word.startswith(start)), self.forms)
        return tuple(form.replace("@", word) for form in forms)


@dataclass(frozen=True)
class Characters:
    """Two sets of characters for the same words, one after the other."""

    simplified: str
    traditional: str


@dataclass(frozen=True)
class Aside:
    """Where a label is a feeling of the one who answers, a comment or a courtesy.

    Args:
        before, after: patterns of what ends before the label, and of what begins after it.
        words: only these; empty for every label.
    """

    before: str = ""
    after: str = ""
    words: str = ""


@dataclass(frozen=True)
class Examples:
    """Answers with ``@`` and ``#`` in the place of labels, by which the tests hold a language to its page.

    Args:
        stated: ``@`` is the answer.
        denied: no label is.
        chosen: ``#`` is, and ``@`` is not: denied, merely possible or corrected.
    """

    stated: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Language:
    """A page of the lexicon.

    Args:
        asking: what questions share; None where no question is asked in the language.
        blanks: whether words are parted by blanks; otherwise the longest one that fits is found.
        everywhere: whether its names are understood in answers to questions in any language.
        names: canonical English name of a label → its name; English has none.
        forms: the same → further words of it; in English, those that corpora use too.
        further: the same → words that only readers know.
        words, patterns: see ``WORDS`` and ``PATTERNS``.
        fragments: parts of patterns.
        asides: where a label states nothing.
        examples: answers and how they are read.
        attached: small words that are written together with names.
        elided: what is written before a word with an apostrophe: l, d.
        letters: letter → another that people write in its place.
        characters: traditional characters beside the simplified ones of the page.
        endings: endings of words that are spelt in two ways.
        respelt: first word of a name → another form of it.
    """

    asking: Asking | None = None
    blanks: bool = True
    everywhere: bool = False
    names: dict[str, str] = field(default_factory=dict)
    forms: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    further: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    words: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    patterns: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    fragments: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    asides: tuple[Aside, ...] = ()
    examples: Examples = field(default_factory=Examples)
    attached: Attached | None = None
    elided: str = ""
    letters: dict[str, str] = field(default_factory=dict)
    characters: Characters | None = None
    endings: str = ""
    respelt: dict[str, str] = field(default_factory=dict)

    def listed(self, key: str) -> tuple[str, ...]:
        """The words of a kind."""
        return split(self.words.get(key, ()))

    def forms_of(self, name: str) -> tuple[str, ...]:
        """Further words of a label."""
        return split(self.forms.get(name, ()))

    def traditional(self, text: str) -> str:
        """``text`` in the traditional characters of the page."""
        return text.translate(_table(self.characters)) if self.characters else text


def split(words: str | Iterable[str]) -> tuple[str, ...]:
    """Words between commas, or those of a list, as readers see them."""
    parts = words.split(",") if isinstance(words, str) else words
    return tuple(word for part in parts if (word := " ".join(normalised(part).split())))


@cache
def _table(characters: Characters) -> dict[int, int]:
    return str.maketrans(characters.simplified, characters.traditional)


@cache
def language_pages() -> Mapping[str, Path]:
    """Tag → page of every language, English first; reads none."""
    found = registry.names("lexicon")
    return {FIRST: found[FIRST], **found}


def spoken() -> tuple[str, ...]:
    """The languages in which questions can be asked."""
    return tuple(sorted(tag for tag, language in languages().items() if language.asking is not None))


@cache
def languages() -> Mapping[str, Language]:
    """Every language, English first."""
    return {tag: find_language(tag) for tag in language_pages()}


@cache
def find_language(tag: str) -> Language:
    """The language of a BCP-47 tag.

    Raises:
        NotFound: when it has no page.
        Malformed: with file and line, for an unknown key, a wrong type or a pattern that is none.
    """
    if tag not in language_pages():
        told = f"choose among {', '.join(language_pages())}, or add the page {tag}.yaml: see CONTRIBUTING.md"
        raise NotFound(f"the lexicon has no language {tag!r}", do=told)
    page = read_page(language_pages()[tag])
    language: Language = build(Language, page)
    check_keys(language.words, WORDS, page, ("words",))
    check_keys(language.patterns, PATTERNS, page, ("patterns",))
    language.patterns.update({key: _filled(language, page, ("patterns", key)) for key in language.patterns})
    asides = [_aside(language, page, number) for number in range(len(language.asides))]
    object.__setattr__(language, "asides", tuple(asides))
    if language.characters and len(language.characters.simplified) != len(language.characters.traditional):
        raise Malformed("characters: both texts are of one length", where=page.where(("characters",)))
    return language


def _filled(language: Language, page: Page, path: Path_) -> tuple[str, ...]:
    value = page.value[path[0]][path[1]]
    return tuple(_pattern(one, language, page, path) for one in ([value] if isinstance(value, str) else value))


def _aside(language: Language, page: Page, number: int) -> Aside:
    aside, path = language.asides[number], ("asides", number)
    before, after = (_pattern(one, language, page, path) for one in (aside.before, aside.after))
    return Aside(before, after, aside.words)


def _pattern(text: str, language: Language, page: Page, path: Path_) -> str:
    """A pattern with its fragments in place."""

    def fragment(match: re.Match[str]) -> str:
        name = match[1]
        if name in BUILT_IN:
            return match[0]
        if name not in language.fragments:
            raise Malformed(f"there is no fragment {name!r}", where=page.where(path), do="add it to fragments")
        value = language.fragments[name]
        return _PLACE.sub(fragment, _joined(value if isinstance(value, str) else "|".join(value)))

    found = _PLACE.sub(fragment, _joined(text))
    if not _is_shipped(page):  # ours are compiled by the tests
        try:
            re.compile(_PLACE.sub("x", found))
        except re.error as error:
            raise Malformed(f"no regular expression: {error}", where=page.where(path), do="mend the pattern") from error
    return found


BUILT_IN = ("labels", "end")
_PLACE = re.compile(r"@\{(\w+)\}")


def _joined(text: str) -> str:
    return "".join(text.split("\n"))


def _is_shipped(page: Page) -> bool:
    return Path(page.file).parent == Path(__file__).parent / "lexicon"


def clear() -> None:
    """Forget what was read, after folders have changed."""
    for cached in (language_pages, languages, find_language):
        cached.cache_clear()


def asking(tag: str) -> Asking:
    """What questions in a language share.

    Raises:
        NotFound: when the language has no page, or nothing to ask with.
    """
    found = find_language(tag).asking
    if found is None:
        raise NotFound(f"no question is asked in {tag!r}", do=f"choose among {', '.join(spoken())}")
    return found
