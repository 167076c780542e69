"""How alike two texts are: words that are shared in order and dense count, and a part has to be more alike."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from affectllm.corpus.leaks.resemblance import Resemblance, Words

OTHERS = [" ".join(f"t{text}w{word}" for word in range(12)) for text in range(30)]


def found(held: Sequence[str], asked: Sequence[str], threshold: float) -> list[tuple[float, str]]:
    """Similarity and sameness of two texts beside thirty that share no word, so that all words weigh the same."""
    index = Resemblance([(text, "en") for text in (" ".join(held), *OTHERS)], threshold)
    matches = index.matches(Words.of([(" ".join(asked), "en")]))
    return [(round(one.similarity, 3), one.sameness) for one in matches if one.held == 0]


def words(name: str, count: int) -> list[str]:
    return [f"{name}{number}" for number in range(count)]


@pytest.mark.parametrize(
    ("behind", "similarity"),
    [(3, 1.0), (2, 10 / 12)],  # five words between take half a word each: three more than make up for them, two do not
)
def test_words_behind_a_gap_count_where_they_outweigh_it(behind: int, similarity: float) -> None:
    held = [*words("a", 10), *words("gap", 5), *words("b", behind)]
    asked = [*words("a", 10), *words("b", behind)]
    assert found(held, asked, 0.7) == [(round(similarity, 3), "near text")]


@pytest.mark.parametrize(("shared", "of"), [(21, []), (22, [(0.88, "part of")])])
def test_a_part_has_to_be_more_alike_than_a_whole(shared: int, of: list[tuple[float, str]]) -> None:
    """At a threshold of 0.7 a part needs 0.85: 21 of its 25 words are not enough, 22 are."""
    asked = [*words("a", shared), *words("own", 25 - shared)]
    assert found(words("a", 50), asked, 0.7) == of
    assert found(words("a", 27), asked, 0.7) == [(shared / 25, "near text")]  # what is hardly shorter is no part


@pytest.mark.parametrize("threshold", [0.5, 0.9, 1.0])
def test_a_part_that_is_copied_word_for_word_is_found_at_any_threshold(threshold: float) -> None:
    assert found(words("a", 50), words("a", 30), threshold) == [(1.0, "part of")]


@pytest.mark.parametrize(("length", "sameness"), [(14, "near text"), (13, "part of")])
def test_a_text_shorter_than_seven_tenths_of_the_other_is_a_part(length: int, sameness: str) -> None:
    assert found(words("a", 20), words("a", length), 0.7) == [(1.0, sameness)]


def test_a_few_words_in_common_are_chance() -> None:
    asked = [*words("a", 4), "own"]
    assert found([*words("a", 4), "other"], asked, 0.7) == [] == found(words("a", 9), words("a", 4), 0.7)
    assert found([*words("a", 3), *words("b", 3)], [*words("a", 3), *words("c", 3)], 0.5) == []
    four = found([*words("a", 4), *words("b", 2)], [*words("a", 4), *words("c", 2)], 0.5)
    assert four == [(round(4 / 6, 3), "near text")]
    assert found([*words("a", 6), "other"], [*words("a", 6), "own"], 0.7) == [(round(6 / 7, 3), "near text")]
