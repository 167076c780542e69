"""Copies of texts that were changed, cut, quoted or typed otherwise, and texts that only sound alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from kindred import TWEET, kindred

from affectllm.corpus import Sample
from affectllm.corpus.leaks.leakage import refuse_leakage
from affectllm.corpus.leaks.normalised import normalised
from affectllm.corpus.leaks.overlap import Shared, find_shared
from affectllm.corpus.leaks.resemblance import Resemblance, Words
from affectllm.errors import Leakage

SENTENCE = "I can't believe how kind everybody was to my little brother at the café today"
OTHERS = [
    "we went to the lake in the morning and nobody had thought of the sandwiches",
    "she told me that the results of the exam would be there on monday at the latest",
    "what do you think of the new teacher who came from the other school last week",
]


def letters(text: str) -> str:
    return normalised(text).form.replace(" ", "")


def sample(corpus: str, number: str, text: str) -> Sample:
    return replace(Sample(number, corpus, "train", (), f"list.csv:{number}"), text=text)


def shared_with(train: str, *scored: str) -> list[Shared]:
    test_samples = [sample("base", str(number), text) for number, text in enumerate(scored)]
    asked = {"stranger": partial(iter, [sample("stranger", "7", train)])}
    return find_shared(asked, {"task": partial(iter, test_samples)}, threshold=0.5)["task"]


TYPED = {
    "Cyrillic a": SENTENCE.replace("a", "а"),
    "every lookalike": SENTENCE.translate(str.maketrans("aeocpxyijsI", "аеосрхуіјѕІ")),
    "capital lookalikes": SENTENCE.upper().translate(str.maketrans("AIK", "АІК")),
    "Greek": SENTENCE.replace("o", "ο").replace("v", "ν"),
    "bars": SENTENCE.replace("l", "∣").replace("I", "Ӏ"),  # a sign and a capital
    "mathematical": SENTENCE.replace("kind", "𝐤𝐢𝐧𝐝"),
    "full width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in SENTENCE),
    "zero width": "\u200b".join(SENTENCE),
    "soft hyphens": SENTENCE.replace("believe", "be\u00adlieve\u2060"),
    "direction marks": f"\u202a{SENTENCE}\u202c\ufeff",
    "tags": f"<p class='x'>{SENTENCE.replace('kind', '<b>k</b>ind').replace('to', '<i>to</i>')}</p><br/>",
    "entities": SENTENCE.replace("'", "&#39;").replace("é", "&eacute;"),
    "escaped twice": SENTENCE.replace("'", "&amp;#39;"),
    "escaped tags": f"&lt;br&gt;{SENTENCE}",
    "comment": f"<!-- saved --> {SENTENCE} <script>go()</script>",
    "masks": f"@somebody [USER] {SENTENCE} https://t.co/Ab1 <url> http",
    **{mask: f"{SENTENCE} {mask}" for mask in ("@somebody", "<url>", "[USER]", "{mention}", "https://t.co/Ab1")},
    **{mask: f"{SENTENCE} {mask}" for mask in ("HTTPURL", "WWW.a.org")},
    "capitals": SENTENCE.upper(),
    "no accents": SENTENCE.replace("é", "e"),
    "decomposed": SENTENCE.replace("é", "e\u0301"),
    "typographic": SENTENCE.replace("'", "’"),
    "tokenised": SENTENCE.replace("can't", "ca n't") + " .",
    "no punctuation": SENTENCE.replace("'", ""),
    "blanks": SENTENCE.replace(" ", "\u00a0\u3000\n"),
    "variation selectors": SENTENCE.replace("i", "i\ufe00\ufe0f\u180b\u180f").replace("o", "o\U000e0100\U000e01ef"),
    "fillers": SENTENCE.replace("t", "t\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"),
    "hidden": f"<STYLE>\nb {{}}\n</STYLE><P>{SENTENCE}</P><!-- saved\nhere --><Script>\ngo()\n</SCRIPT>",
    "control": SENTENCE.replace(" ", " \x00\x07"),
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_a_text_is_the_same_however_it_is_typed(typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kindred(tmp_path, monkeypatch)
    assert letters(typed) == letters(SENTENCE)
    (one,) = shared_with(typed, *OTHERS, SENTENCE)
    assert one.examples[0].sameness == "same text" and one.examples[0].similarity == 1
    with pytest.raises(Leakage):  # between relatives a run is refused
        train, scored = {"child": [sample("child", "1", typed)]}, {"base": [sample("base", "2", SENTENCE)]}
        refuse_leakage(train, scored, recipe="r", task="t")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Это очень хороший день, я рада", "Этo oчeнь xopoший день, я paдa"),
        ("Нет, СОН", "нет, сон"),
        ("مُحَمَّد سَعيد", "محمد سعيد"),
    ],
)
def test_other_scripts_have_lookalikes_and_points_too(one: str, other: str) -> None:
    assert letters(one) == letters(other)


@pytest.mark.parametrize(
    ("one", "other"), [("हूँ", "हँ"), ("i <3 you", "i you"), ("5 < 6 and 7 > 2", "5 2"), ("がく", "かく"), ("кот", "кит")]
)
def test_what_means_something_stays(one: str, other: str) -> None:
    assert letters(one) != letters(other)


def changed(text: str, count: int, seed: int) -> str:
    words = text.split()
    for place in random.Random(seed).sample(range(len(words)), count):
        words[place] = f"zebra{place}"
    return " ".join(words)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_one_to_four_changed_words_are_seen(
    count: int, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kindred(tmp_path, monkeypatch)
    (one,) = shared_with(changed(SENTENCE, count, seed), *OTHERS, SENTENCE)
    (example,) = one.examples
    assert (one.kind, example.sameness, example.scored.id) == ("near-duplicate text", "near text", "3")
    assert example.similarity == pytest.approx(1 - count / 15, abs=0.12)


@pytest.mark.parametrize(
    "part",
    [
        " ".join(TWEET.split()[:9]),
        " ".join(TWEET.split()[9:]),
        " ".join(TWEET.split()[4:13]),
        f"my sister wrote to me last night: {TWEET} and then she went to bed and slept until noon, as one does",
    ],
)
def test_a_half_a_middle_and_a_quotation_are_parts(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kindred(tmp_path, monkeypatch)
    (one,) = shared_with(part, *OTHERS, TWEET)
    assert (one.examples[0].sameness, one.examples[0].scored.id) == ("part of", "3")
    assert one.examples[0].similarity == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(random.Random(3).sample(TWEET.split(), 19)),  # the same words in another order
        "honestly i cannot say what it was that they wanted of all the people in that little town near the sea",
        "thank you all",
    ],
)
def test_the_same_words_elsewhere_are_no_copy(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kindred(tmp_path, monkeypatch)
    assert shared_with(text, *OTHERS, TWEET) == []


def test_chinese_changed_by_some_characters_is_seen() -> None:
    text = "我昨天在火车站看到了一个非常善良的老人他帮助了所有的人我真的很感动谢谢你们"
    index = Resemblance([(text, "zh"), ("今天的天气真的非常好我们一起去公园散步吧", "zh")], 0.5)
    (match,) = index.matches(Words.of([(text.replace("老人", "女孩").replace("感动", "高兴"), "zh")]))
    assert (match.held, match.sameness) == (0, "near text")


def test_every_planted_copy_is_found_among_thousands() -> None:
    dice = random.Random(4)
    vocabulary = [f"w{number}" for number in range(2000)]
    texts = [" ".join(dice.choices(vocabulary, k=14)) for _ in range(3000)]
    index = Resemblance(((text, None) for text in texts), 0.5)
    asked = [changed(text, 4, place) for place, text in enumerate(texts[:200])]
    assert {(m.asked, m.held) for m in index.matches(Words.of((text, None) for text in asked))} == {
        (place, place) for place in range(200)
    }


def test_common_words_in_common_are_not_enough() -> None:
    """In a corpus where everybody says it, "what do you want me to do" is no sign of a copy."""
    texts = [f"what do you want me to do with {word} now" for word in ("it", "him", "her", "them")] * 1
    texts += [f"{text} number{n}" for n, text in enumerate(OTHERS * 60)]
    index = Resemblance([(f"{text} x{n}", "en") for n, text in enumerate(texts * 3)], 0.5)
    assert list(index.matches(Words.of([("well then what do you want me to do", "en")]))) == []


def sayings(count: int, words: int, seed: int) -> list[str]:
    """Sentences of frequent and rare words, as rare as Zipf's law has them."""
    dice = random.Random(seed)
    vocabulary = [f"w{number}" for number in range(4000)]
    frequent = [1 / (number + 5) for number in range(4000)]
    return [" ".join(dice.choices(vocabulary, frequent, k=words)) for _ in range(count)]


def halved(text: str) -> str:
    return " ".join(text.split()[: len(text.split()) // 2])


@pytest.mark.parametrize(
    ("words", "least", "copy"),
    [
        (7, 0.9, lambda text, seed: changed(text, 1, seed)),
        (6, 0.7, lambda text, seed: changed(text, 2, seed)),
        (11, 0.9, lambda text, _: halved(text)),  # five words
        (13, 0.9, lambda text, _: halved(text)),
    ],
    ids=["one of seven words", "two of six words", "half of eleven words", "half of thirteen words"],
)
def test_copies_of_short_texts_are_found_and_hardly_anything_else(
    words: int, least: float, copy: Callable[[str, int], str]
) -> None:
    texts = sayings(3000, words, 1)
    index = Resemblance(((text, "en") for text in texts), 0.5)
    asked = [copy(text, place) for place, text in enumerate(texts[:300])]
    named = [(match.asked, match.held) for match in index.matches(Words.of((text, "en") for text in asked))]
    own = sum(asked == texts for asked, texts in named)
    assert own >= least * 300 and len(named) - own <= 3
    others = Words.of((copy(text, place), "en") for place, text in enumerate(sayings(3000, words, 2)))
    assert len(list(index.matches(others))) <= 30
