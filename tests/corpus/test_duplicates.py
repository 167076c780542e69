"""Duplicates among texts: what counts as the same, what as nearly the same, and that no cut or process changes it."""

from __future__ import annotations

import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectllm.corpus.leaks import minhash
from affectllm.corpus.leaks.duplicates import Sketches, TextDuplicates
from affectllm.corpus.leaks.normalised import normalised
from affectllm.errors import AffectError

TWEET = "honestly i cannot believe how kind everybody was to my little brother at the station today thank you all"
WORDS = [f"word{number}" for number in range(400)]


def find(*texts: str | tuple[str, str | None], **options: object) -> dict[str, str]:
    pairs = [text if isinstance(text, tuple) else (text, None) for text in texts]
    return TextDuplicates(**options).find(  # type: ignore[arg-type]
        (str(number), text, language) for number, (text, language) in enumerate(pairs)
    )


# ── the same text ────────────────────────────────────────────────────────────────────────────────────────────────────

SAME = [
    (TWEET, TWEET.upper()),
    (TWEET, f"\n {TWEET.replace(' ', chr(9) + ' ')} "),
    (TWEET, f"«{TWEET}…!»"),
    ("I found your lost ring . You are wonderful !", "I found your lost ring. You are wonderful!"),
    ("ＩＴ　ＷＡＳ ａ ｓｔｒａｎｇｅ ｄａｙ ｆｏｒ ｕｓ", "it was a strange day for us"),
    ("die Straße war heute wirklich sehr leer", "DIE STRASSE WAR HEUTE WIRKLICH SEHR LEER"),
    ("今天的天气真的非常好，我们去公园吧。", "今天的天气真的非常好,我们去公园吧"),
    ("café au lait at the end of the day", "cafe\u0301 au lait at the end of the day"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_text_is_kept_once_however_it_is_typed(one: str, other: str) -> None:
    assert find(one, "something else of more than six words here", other, threshold=None) == {"2": "0"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TWEET, TWEET + " 😂"),
        ("it is what it is, my dear friend", "it is what it is my dear friends"),
        ("i do not know what you mean", "what i do not know you mean"),
    ],
)
def test_other_words_symbols_or_orders_are_other_texts(one: str, other: str) -> None:
    assert find(one, other, threshold=None) == {}


def test_of_many_copies_the_first_stays() -> None:
    assert find("another text of more than six words", *[TWEET] * 4) == dict.fromkeys("234", "1")


def test_short_texts_stay_unless_asked_for() -> None:
    assert find("Yeah.", "yeah", "好的。", "好的") == {}
    assert find("Yeah.", "yeah", "好的。", "好的", short=True) == {"1": "0", "3": "2"}


def test_of_scripts_without_spaces_nine_characters_are_short_and_ten_are_not() -> None:
    ten = "今天的天气真的非常好"
    assert find(ten, f"{ten}。") == {"1": "0"} and find(ten[1:], f"{ten[1:]}。") == {}


def test_a_threshold_below_what_any_bands_find_still_finds_what_is_alike() -> None:
    half = f"{TWEET[:60]} and then we left for the long way home again"
    assert find(TWEET, half, threshold=0.02) == {"1": "0"}


def test_texts_without_words_are_never_duplicates() -> None:
    assert find("", "", " ", "!!!", "…", "?!", short=True) == {}
    assert find() == {}


# ── nearly the same text ─────────────────────────────────────────────────────────────────────────────────────────────


def changed(text: str, place: int, word: str = "zebra") -> str:
    words = text.split()
    words[place] = word
    return " ".join(words)


def test_a_text_that_is_cut_at_its_end_is_nearly_the_same() -> None:
    assert find(TWEET, TWEET.rpartition(" ")[0]) == {"1": "0"}
    assert find(TWEET, TWEET.rpartition(" ")[0], threshold=None) == {}


@pytest.mark.parametrize("place", [0, 9, -1])
def test_shingles_of_two_words_see_one_changed_word_wherever_it_is(place: int) -> None:
    assert find(TWEET, changed(TWEET, place), threshold=0.7, shingle=2) == {"1": "0"}


def test_what_is_dropped_resembles_what_is_kept_for_it() -> None:
    """No chains: the third text resembles the second, which is dropped, but not the first."""
    words = TWEET.split()
    second, third = " ".join([*words[2:], "x1", "x2"]), " ".join([*words[4:], "x1", "x2", "x3", "x4"])
    assert find(TWEET, second, third, threshold=0.6) == {"1": "0"}
    assert find(second, third, threshold=0.6) == {"1": "0"}


def test_of_several_that_resemble_it_the_first_is_named() -> None:
    texts = [" ".join(WORDS[begin : begin + 30]) for begin in (0, 10, 5)]
    assert find(*texts, threshold=0.6, shingle=1) == {"2": "0"}


def test_copies_of_a_near_duplicate_follow_it() -> None:
    cut = TWEET.rpartition(" ")[0]
    assert find(TWEET, cut, cut.upper()) == {"1": "0", "2": "0"}


def test_a_crowded_bucket_hides_near_duplicates_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectllm.corpus.leaks.duplicates._CROWD", 0)
    assert find(TWEET, TWEET.rpartition(" ")[0], TWEET) == {"2": "0"}


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "我昨天在火车站看到了一个非常善良的老人他帮助了所有的人我真的很感动谢谢你们"
    near = text[:-1] + "呢"
    assert find((text, "zh"), (near, "zh-Hans")) == find(text, near) == {"1": "0"}
    assert find((text, "en"), (near, "en")) == {}  # one long word each
    # A shrug with a katakana in it does not make English unspaced.
    shrug = TWEET + " ¯\\_(ツ)_/¯"
    assert normalised(shrug).tokens[:3] == ["honestly", "i", "cannot"]
    assert normalised(f"{TWEET} 今天的天气真的非常好").tokens[:3] == ["honestly", "i", "cannot"]  # nor does a quotation


def true_jaccard(one: list[str], other: list[str], shingle: int) -> float:
    a, b = ({tuple(text[i : i + shingle]) for i in range(len(text) - shingle + 1)} for text in (one, other))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("shingle", [1, 2, 5, 6])
def test_the_estimate_is_near_the_truth(shingle: int) -> None:
    dice, errors = random.Random(3), []
    for share in np.linspace(0, 1, 200):
        one = dice.choices(WORDS, k=80)
        other = [*one[: int(80 * share)], *dice.choices(WORDS, k=80 - int(80 * share))]
        low = minhash.minima([one, other], shingle).astype(np.uint8)
        estimated = float(minhash.estimate(minhash.agreeing(low[:1], low[1])[0]))
        errors.append(estimated - true_jaccard(one, other, shingle))
    assert abs(np.mean(errors)) < 0.01  # unbiased
    assert np.abs(errors).max() < 4.5 * 0.5 / np.sqrt(minhash.PERMUTATIONS)


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.7, 0.8, 0.9, 0.99, 1.0])
def test_bands_are_the_longest_that_miss_at_most_one_in_a_hundred(threshold: float) -> None:
    bands, rows = minhash.banding(threshold)
    assert bands * rows <= minhash.PERMUTATIONS
    assert (1 - threshold**rows) ** bands <= 0.01
    assert rows == minhash.PERMUTATIONS or (1 - threshold ** (rows + 1)) ** (minhash.PERMUTATIONS // (rows + 1)) > 0.01


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.7, 0.8, 1.0])
def test_the_least_agreement_is_that_of_the_threshold(threshold: float) -> None:
    least = minhash.agreements(threshold)
    assert minhash.estimate(least) >= threshold - 1e-9 > minhash.estimate(least - 1) - 2e-9


def test_the_bands_find_what_every_pair_compared_finds() -> None:
    dice, texts = random.Random(5), []
    for _ in range(60):
        base = dice.choices(WORDS, k=30)
        for cut in range(dice.randint(1, 4)):
            texts.append(" ".join(base[cut:]))
    dice.shuffle(texts)
    low = minhash.minima([text.split() for text in texts], 5).astype(np.uint8)
    kept, expected = list[int](), {}
    for number in range(len(texts)):
        similarities = minhash.estimate(minhash.agreeing(low[kept], low[number]))
        if len(hits := np.flatnonzero(similarities >= 0.8)):
            expected[str(number)] = str(kept[hits[0]])
        else:
            kept.append(number)
    assert len(expected) > 40 and find(*texts) == expected


GOLDEN = [165640250, 215450598, 201329897]


def test_the_answer_is_the_same_on_every_machine() -> None:
    """Fixed numbers: whoever changes the hashing changes what published mixtures hold."""
    assert minhash.minima([TWEET.split()], 5)[0, :3].tolist() == GOLDEN
    code = f"from affectllm.corpus.leaks import minhash; print(minhash.minima([{TWEET.split()!r}], 5)[0, :3].tolist())"
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == str(GOLDEN)


# ── chunks, processes, sizes ─────────────────────────────────────────────────────────────────────────────────────────

vocabulary = st.sampled_from(["a", "b", "Nein!", "день", "好", "😂", "ﬁn", ".", "word"])
some_texts = st.lists(st.lists(vocabulary, max_size=14).map(" ".join), max_size=40)


@settings(max_examples=60)
@given(texts=some_texts, cuts=st.lists(st.integers(0, 40), max_size=5), seed=st.integers(0, 9), short=st.booleans())
def test_no_cut_into_chunks_and_no_order_of_working_them_changes_the_answer(
    texts: list[str], cuts: list[int], seed: int, short: bool
) -> None:
    finder = TextDuplicates(0.7, 2, short)
    named = [(f"k{number}", text, None) for number, text in enumerate(texts)]
    places = [0, *sorted(min(cut, len(named)) for cut in cuts), len(named)]
    chunks = [named[begin:end] for begin, end in pairwise(places)]
    done: dict[int, Sketches] = {}
    for number in random.Random(seed).sample(range(len(chunks)), len(chunks)):
        done[number] = finder.sketch(chunks[number])
    answer = finder.compare(done[number] for number in range(len(chunks)))
    assert answer == finder.find(iter(named))
    assert all(int(kept[1:]) < int(dropped[1:]) and kept not in answer for dropped, kept in answer.items())


def test_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affectllm.corpus.leaks.duplicates._CHUNK", 7)
    dice = random.Random(1)
    named = [(f"k{number}", " ".join(dice.choices(WORDS[:9], k=8)), "en") for number in range(300)]
    finder = TextDuplicates(0.5, 2)
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        answer = finder.compare(processes.map(finder.sketch, [named[i : i + 50] for i in range(0, 300, 50)]))
    assert answer and answer == finder.find(named)


def test_a_text_of_a_million_characters() -> None:
    dice = random.Random(2)
    long = " ".join(dice.choices(WORDS, k=150_000))
    chinese = "".join(chr(0x4E00 + dice.randrange(5000)) for _ in range(500_000))
    one_word = "x" * 1_000_000
    assert len(long) > 1_000_000
    texts = [long, chinese, one_word, TWEET, long + " and more", chinese + "终", one_word]
    assert find(*texts) == {"4": "0", "5": "1"}
    assert find(*texts, short=True) == {"4": "0", "5": "1", "6": "2"}


def test_strange_characters_are_text_like_any_other() -> None:
    strange = "\ud800 \x00 \u200b \U0010ffff שלום نعم नमस्ते \u202e abc"
    assert find(strange, TWEET, strange) == {"2": "0"}
    keys = TextDuplicates().find([("schlüssel\ud800", TWEET, None), ("ключ", TWEET, None)])
    assert keys == {"ключ": "schlüssel\ud800"}


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, 80, float("nan")])
def test_a_threshold_outside_its_bounds_is_refused(threshold: float) -> None:
    with pytest.raises(AffectError, match="above 0 and at most 1"):
        TextDuplicates(threshold)


@pytest.mark.parametrize("shingle", [0, -1, 7])
def test_a_shingle_outside_its_bounds_is_refused(shingle: int) -> None:
    with pytest.raises(AffectError, match="give 1 to 6"):
        TextDuplicates(shingle=shingle)
