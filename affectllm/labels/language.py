"""Languages: one page each in ``lexicon/`` (and in ``lexicon/`` of the folders of ``$AFFECTLLM_PATH``).

A page holds all that readers, names and questions know of a language. Readers know kinds of words only; which words
are of a kind, and what is peculiar to the grammar, the page says; ``labels.language_kinds`` lists the kinds. Everything
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
from affectllm.labels.language_kinds import PATTERNS, WORDS
from affectllm.labels.letters import normalised
from affectllm.page_schema import build, check_keys
from affectllm.yaml_page import Page, PageKind, Path_, read_page

LEXICON = PageKind("page of a language")
FIRST = "en"
"""Where two languages have the same word for different things, English is meant, then the first by tag."""


@dataclass(frozen=True)
class Asking:
    """The phrases that all questions in a language share.

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
        hints: frame of what small models found; empty where prompts in the language have no hints.
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
    hints: str = ""

    def listed(self, items: Iterable[str]) -> str:
        """Join the labels to choose from."""
        return self.comma.join(items)

    def joined(self, items: Sequence[str]) -> str:
        """Join several things that are all asked for, with the conjunction before the last one."""
        *first, last = items
        return f"{self.comma.join(first)}{self.conjunction}{last}" if first else last


@dataclass(frozen=True)
class Attached:
    """Particles that are written together with a name.

    Args:
        script: pattern of the whole words that take them.
        forms: the forms of a word, ``@`` in its place.
        unless: beginning of a word → the only forms that such a word takes.
    """

    script: str
    forms: tuple[str, ...]
    unless: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, word: str) -> tuple[str, ...]:
        """Return the forms of a word."""
        if not re.fullmatch(self.script, word):
            return ()
        forms = next((forms for start, forms in self.unless.items() if word.startswith(start)), self.forms)
        return tuple(form.replace("@", word) for form in forms)


@dataclass(frozen=True)
class Characters:
    """Simplified and traditional characters in the same order, as two strings of one length."""

    simplified: str
    traditional: str


@dataclass(frozen=True)
class Aside:
    """A context in which a label is a feeling of the answerer, a comment or a courtesy.

    Args:
        before, after: patterns of what ends before the label, and of what begins after it.
        words: only these; empty for every label.
    """

    before: str = ""
    after: str = ""
    words: str = ""


@dataclass(frozen=True)
class Examples:
    """Example answers with ``@`` and ``#`` in the place of labels, which the tests read to check a page.

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
        words, patterns: see ``labels.language_kinds``.
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
        """Return the words of a kind."""
        return split(self.words.get(key, ()))

    def forms_of(self, name: str) -> tuple[str, ...]:
        """Return further words of a label."""
        return split(self.forms.get(name, ()))

    def traditional(self, text: str) -> str:
        """Return ``text`` in the traditional characters of the page."""
        return text.translate(_table(self.characters)) if self.characters else text


def split(words: str | Iterable[str]) -> tuple[str, ...]:
    """Split words at commas, or take those of a list, and normalise each as readers see it."""
    parts = words.split(",") if isinstance(words, str) else words
    return tuple(word for part in parts if (word := " ".join(normalised(part).split())))


@cache
def _table(characters: Characters) -> dict[int, int]:
    return str.maketrans(characters.simplified, characters.traditional)


@cache
def language_pages() -> Mapping[str, Path]:
    """Map tags to the pages of all languages, English first; reads none."""
    pages = registry.names("lexicon")
    return {FIRST: pages[FIRST], **pages}


def spoken() -> tuple[str, ...]:
    """Return the tags of the languages in which questions can be asked."""
    return tuple(sorted(tag for tag, language in languages().items() if language.asking is not None))


@cache
def languages() -> Mapping[str, Language]:
    """Map tags to all languages, English first."""
    return {tag: find_language(tag) for tag in language_pages()}


@cache
def find_language(tag: str) -> Language:
    """Return the language of a BCP-47 tag.

    Raises:
        NotFound: when it has no page.
        Malformed: with file and line, for an unknown key, a wrong type or a pattern that is none.
    """
    if tag not in language_pages():
        choices = f"choose among {', '.join(language_pages())}, or add the page {tag}.yaml: see CONTRIBUTING.md"
        raise NotFound(f"the lexicon has no language {tag!r}", do=choices)
    page = read_page(language_pages()[tag], LEXICON)
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
    """Expand the fragments of a pattern."""

    def fragment(match: re.Match[str]) -> str:
        name = match[1]
        if name in BUILT_IN:
            return match[0]
        if name not in language.fragments:
            raise Malformed(f"there is no fragment {name!r}", where=page.where(path), do="add it to fragments")
        value = language.fragments[name]
        return _PLACE.sub(fragment, _joined(value if isinstance(value, str) else "|".join(value)))

    expanded = _PLACE.sub(fragment, _joined(text))
    if not _is_shipped(page):  # ours are compiled by the tests
        try:
            re.compile(_PLACE.sub("x", expanded))
        except re.error as error:
            raise Malformed(f"no regular expression: {error}", where=page.where(path), do="mend the pattern") from error
    return expanded


BUILT_IN = ("labels", "end")
_PLACE = re.compile(r"@\{(\w+)\}")


def _joined(text: str) -> str:
    return "".join(text.split("\n"))


def _is_shipped(page: Page) -> bool:
    return Path(page.file).parent == Path(__file__).parent / "lexicon"


def asking(tag: str) -> Asking:
    """Return the phrases that all questions in a language share.

    Raises:
        NotFound: when the language has no page, or nothing to ask with.
    """
    phrases = find_language(tag).asking
    if phrases is None:
        raise NotFound(f"no question is asked in {tag!r}", do=f"choose among {', '.join(spoken())}")
    return phrases
