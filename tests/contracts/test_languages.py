"""What every language of the lexicon promises: answers are read, denials believed, and no word means two things.

``examples`` on each page are answers with ``@`` and ``#`` in place of labels; they are tried with the language's own
names, and with English ones, which models keep when they answer in the language of the question.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import unicodedata
from collections import defaultdict
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from affectllm.corpus import Sample
from affectllm.instruct import load_template, template_names
from affectllm.instruct.wording import load_wording
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels import language as language_page
from affectllm.labels.language import asking, find_language, language_pages, languages, split, spoken
from affectllm.labels.language_kinds import PATTERNS, WORDS
from affectllm.labels.names import named, understood
from affectllm.labels.reading import Unreadable, read_judgement, read_label, read_labels, read_number
from affectllm.labels.reading.negation import _KEYS
from affectllm.labels.reading.spoken import pattern

ENGLISH = ("anger", "sadness", "fear", "disgust", "surprise", "happiness")
NAMED = [tag for tag, language in languages().items() if language.names]
EXEMPLARY = [tag for tag, language in languages().items() if language.asking]
PARTIAL = [tag for tag in languages() if tag not in EXEMPLARY]
NO_EMOTIONS = frozenset(("valence", "arousal", "dominance", "sentiment", "intensity", "correct", "incorrect", "other"))
NO_EMOTIONS |= {"weak", "medium", "strong"}
PLAIN = LabelSpace("plain", "category", ENGLISH, source="test")


@cache
def space(tag: str, kind: str = "category") -> LabelSpace:
    """All names of a language that may stand beside each other."""
    own = {} if tag == "en" else find_language(tag).names
    names = tuple(name for name in own or ENGLISH if name not in NO_EMOTIONS)
    return LabelSpace(f"all_{tag}", kind, names, source="test")  # type: ignore[arg-type]


@cache
def known(tag: str, kind: str = "category") -> LabelSpace:
    return understood(space(tag, kind), tag)


def value(text: str, asked: LabelSpace) -> str:
    reading = read_label(text, asked)
    return reading.reason if isinstance(reading, Unreadable) else reading


@pytest.mark.parametrize("tag", list(languages()))
def test_a_page_has_known_keys_and_its_patterns_are_patterns(tag: str) -> None:
    language = find_language(tag)
    assert set(language.words) <= set(WORDS) and set(language.patterns) <= set(PATTERNS)
    patterns = [one for several in language.patterns.values() for one in several]
    for one in (*patterns, *(side for aside in language.asides for side in (aside.before, aside.after))):
        re.compile(re.sub(r"@\{(?:labels|end)\}", "x", one))


def test_no_word_does_two_things() -> None:
    kinds: dict[str, dict[str, str]] = {}
    for tag, language in languages().items():
        own = {word: kind.name for key, kind in _KEYS.items() for word in language.listed(key)}
        for word, kind in own.items():
            kinds.setdefault(word, {})[tag] = kind
    assert {word: tags for word, tags in kinds.items() if len(set(tags.values())) > 1} == {}


@pytest.mark.parametrize("room", ["labels", "instruct"])
def test_no_word_of_another_script_lies_in_the_code(room: str) -> None:
    offending = []
    for path in sorted((Path(language_page.__file__).parents[1] / room).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                # Ranges of characters are structure, and <用户> is a mark of a chat template.
                code = re.sub(r"(?s).-.|用户", "", node.value)
                offending += [(path.name, letter) for letter in code if letter > "\u036f" and letter.isalpha()]
    assert offending == []


def test_what_no_language_says_matches_nothing() -> None:
    assert not re.search(pattern("no such key"), "anything")


@pytest.mark.parametrize("tag", NAMED)
def test_a_name_alone_or_behind_a_heading_is_the_answer(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    heads = [f"{word}: " for key in ("answer", "heading") for word in language.listed(key)]
    for name, word in named(asked.names, tag).items():
        for text in (word, f" {word.upper()}. ", f"{word}。", f"**{word}**", *(head + word for head in heads)):
            assert value(text, asked) == name, text


@pytest.mark.parametrize("tag", NAMED)
def test_a_further_word_of_a_name_is_read_as_it(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    owners: dict[str, set[str]] = {}
    for name in asked.names:
        for word in (*language.forms_of(name), language.names[name].lower()):
            owners.setdefault(word, set()).add(name)
    for word, names in owners.items():
        if len(names) == 1:
            assert value(word, asked) in names, word


@pytest.mark.parametrize("tag", [tag for tag in NAMED if find_language(tag).attached or find_language(tag).elided])
def test_what_is_written_together_with_a_name_does_not_hide_it(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    own: dict[str, set[str]] = defaultdict(set)
    for name, word in named(asked.names, tag).items():
        own[word].add(name)  # a name may be another one with a particle
    for name, word in named(asked.names, tag).items():
        together = language.attached.of(word.lower()) if language.attached else ()
        vowel = unicodedata.normalize("NFD", word)[0] in "aeiouh"
        for text in (*together, *(f"{before}'{word}" for before in split(language.elided) if vowel)):
            assert value(text, asked) in own[text] | {name}, text


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_examples_in_the_languages_own_names(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    shown = {name: word for name, word in named(asked.names, tag).items() if len(word) > 1}
    pairs = list(zip(shown, [*list(shown)[1:], next(iter(shown))], strict=True))
    assert language.examples.stated and language.examples.denied and language.examples.chosen
    wrong = [*_wrong(language.examples.stated, pairs, shown, asked, 0)]
    wrong += _wrong(language.examples.denied, pairs, shown, asked, None)
    wrong += _wrong(language.examples.chosen, pairs, shown, asked, 1)
    assert wrong == []


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_examples_with_english_labels(tag: str) -> None:
    pairs, shown = list(zip(ENGLISH, [*ENGLISH[1:], ENGLISH[0]], strict=True)), {name: name for name in ENGLISH}
    examples = find_language(tag).examples
    wrong = [*_wrong(examples.denied, pairs, shown, PLAIN, None), *_wrong(examples.chosen, pairs, shown, PLAIN, 1)]
    assert wrong == []


def _wrong(
    texts: tuple[str, ...],
    pairs: list[tuple[str, str]],
    shown: dict[str, str],
    asked: LabelSpace,
    meant: int | None,
) -> list[tuple[str, str]]:
    """The examples that are not read as they are meant, and what is read instead."""
    misread = []
    for text, pair in product(texts, pairs):
        reply = text.replace("@", shown[pair[0]]).replace("#", shown[pair[1]])
        read = value(reply, asked)
        if read != ("no_label" if meant is None else pair[meant]):
            misread.append((reply, read))
    return misread


@pytest.mark.parametrize("tag", PARTIAL)
def test_the_denials_of_any_language_hold_for_english_labels(tag: str) -> None:
    language = find_language(tag)
    denials = [*language.listed("deny"), *language.listed("deny_list")]
    assert denials
    for word in denials:
        assert value(f"{word} anger", PLAIN) == "no_label", word


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_verdicts_label_by_label(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    (one, first), (other, second) = list(named(asked.names, tag).items())[:2]
    for yes, no in product(language.listed("yes"), language.listed("no")):
        assert value(f"{first}: {yes}\n{second}: {no}", asked) == one, (yes, no)
        assert value(f"{first}: {no}, {second}: {yes}", asked) == other, (yes, no)


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_words_for_nothing_are_the_empty_set(tag: str) -> None:
    language = find_language(tag)
    plain = LabelSpace("few", "set", ENGLISH, source="test")
    assert asking(tag).nothing.lower() in language.listed("nothing")
    for word in (*language.listed("nothing"), *language.listed("no_emotion")):
        assert read_labels(word, plain if tag == "en" else understood(plain, tag)) == (), word


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_judgements(tag: str) -> None:
    language = find_language(tag)
    for keys, holds in ((("correct", "agree"), True), (("incorrect", "disagree"), False)):
        for word in (word for key in keys for word in language.listed(key)):
            assert read_judgement(word) is holds, word


@pytest.mark.parametrize("tag", EXEMPLARY)
def test_numerals(tag: str) -> None:
    for number, words in enumerate(find_language(tag).listed("numerals")):
        for word in words.split("/"):
            assert read_number(word, 0, 10) == number, word


@pytest.mark.parametrize("tag", NAMED)
def test_no_name_is_taken_for_a_name_within_it(tag: str) -> None:
    asked, language = known(tag), find_language(tag)
    shown = named(asked.names, tag)
    for name, other in product(shown, shown):
        if name != other and shown[name].lower() in shown[other].lower() and len(shown[name]) > 1:
            for text in language.examples.stated:
                assert value(text.replace("@", shown[other]), asked) == other, (shown[other], shown[name])


def sample(annotation: Annotation) -> Sample:
    fields = {"id": "a", "corpus": "toy", "split": "train", "source": "t:1", "text": "Hm.", "language": "en"}
    return Sample(annotations=(annotation,), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", spoken())
def test_what_a_template_words_in_the_language_it_reads_back(tag: str) -> None:
    asked: dict[str, list[tuple[LabelSpace, Any]]] = {
        "choice": [(space(tag), name) for name in space(tag).names],
        "description": [(space(tag), name) for name in space(tag).names],
        "set": [(space(tag, "set"), held) for held in ((), space(tag).names[:1], space(tag).names[:3])],
        "scores": [
            (LabelSpace("d", "dimension", names, source="test", bounds=(-5.0, 5.0)), dict.fromkeys(names, number))
            for names in (("valence", "arousal"), ("sentiment",))
            for number in (-2.5, 0.0, 4.0)
        ],
    }
    asked["classes"] = [(bound, gold) for bound, gold in asked["scores"] if -2.5 not in gold.values()]
    forms = set()
    for page in template_names():
        wording = load_wording(page)
        form = next(iter(wording.slots.values()))
        if tag not in wording.speeches or len(wording.slots) > 1 or wording.given or wording.facts or form not in asked:
            continue
        forms.add(form)
        for bound, gold in asked[form]:
            template = load_template(page, space=bound, rater="r", modalities=("text",), language=tag)
            one = sample(Annotation(bound.name, "r", gold))
            assert template.read(template.answer(one)) == Annotation(bound.name, "r", gold), page
    shipped = language_pages()[tag].parent == Path(language_page.__file__).parent / "lexicon"
    assert forms or not shipped


ESPERANTO = """
asking:
  stimulus: {video: filmo, audio: sono, image: bildo, text: teksto}
  context: "Antaŭe:\\n{turns}"
  words: "Dirite:\\n{words}"
  text: "Teksto:\\n{words}"
  speaker: "Parolanto {letter}"
  nothing: neniu
  comma: ", "
  conjunction: " kaj "
  joiner: " kaj "
  shape: {one: "Nur nombro.", several: "nomo: nombro"}
names: {anger: kolero, joy: ĝojo}
forms: {anger: kolera}
words: {deny: "ne, neniel", turn: sed, nothing: neniu, answer: respondo, is: estas}
patterns: {denied_after: '\\s(?:tute\\s)?mankas'}
"""
ASKED = """:
  questions: ["1 {labels}", "2 {labels}", "3 {labels}", "4 {labels}", "5 {labels}"]
  held_out: ["6 {labels}", "7 {labels}"]
"""
PAGE = f"version: 1\nform: choice\nen{ASKED}eo{ASKED}"
SCRIPT = """
from affectllm.instruct import load_template
from affectllm.labels import LabelSpace
from affectllm.labels.reading import read_label
two = LabelSpace("two", "category", ("anger", "joy"), source="test")
template = load_template("page.yaml", space=two, rater="r", modalities=("text",), language="eo")
for said in ("Kolero.", "Respondo: ĝojo", "ne kolero, sed ĝojo", "kolera", "ne kolero", "kolero tute mankas"):
    reading = template.read(said)
    print(getattr(reading, "value", None) or reading.reason)
print(read_label("ne anger", two).reason)
"""


def test_a_page_in_a_folder_of_ones_own_is_a_language(tmp_path: Path) -> None:
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon" / "eo.yaml").write_text(ESPERANTO, encoding="utf-8")
    (tmp_path / "page.yaml").write_text(PAGE, encoding="utf-8")
    done = _run(tmp_path, SCRIPT)
    assert done.returncode == 0, done.stderr
    expected = ["anger", "joy", "joy", "anger", "no_label", "no_label", "no_label"]
    assert done.stdout.split() == expected


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("wrds: {deny: ne}", "eo.yaml:1"),
        ("blanks: true\nwords: {denies: ne}", "eo.yaml:2"),
        ("words: {deny: ne}\nwords: {weak: eble}", "eo.yaml:2"),
        ("blanks: maybe", "eo.yaml:1"),
        ("words: {deny: ne}\npatterns:\n  denied_after: '(ne'", "eo.yaml:3"),
        ("words: {deny: ne}\npatterns:\n  denied_after: '@{naught}'", "eo.yaml:3"),
        ("words: {no: no}", "eo.yaml:1"),
    ],
)
def test_a_broken_page_is_told_with_its_line(tmp_path: Path, page: str, message: str) -> None:
    (tmp_path / "lexicon").mkdir()
    (tmp_path / "lexicon" / "eo.yaml").write_text(page, encoding="utf-8")
    done = _run(tmp_path, "from affectllm.labels.language import find_language; find_language('eo')")
    assert done.returncode != 0 and message in done.stderr


def _run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AFFECTLLM_PATH": str(folder), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
