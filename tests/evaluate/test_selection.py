"""Which samples a task scores and learns from: splits, attributes, folds; and what is said of a value that is not."""

from __future__ import annotations

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.selection import ALL, Selection, scored
from affectllm.errors import NotFound

FOLDS = [
    Sample(f"clip{n}", "films", split, (), "a:1", language=language, attributes={"fold": str(n % 3)})
    for n, (split, language) in enumerate([("test", "en"), ("train", "en"), ("train", "de"), ("test", "de")] * 3)
]


def names(selection: Selection) -> tuple[list[str], list[str]]:
    """The samples that are scored, and those that may be learned from."""
    kept = [one.id for one in scored(FOLDS, selection) if isinstance(one, Sample)]
    return kept, [one.id for one in FOLDS if selection.trains(one)]


def test_a_split_scores_its_samples_and_learns_from_train() -> None:
    kept, learned = names(Selection("films", "test"))
    assert kept == ["clip0", "clip3", "clip4", "clip7", "clip8", "clip11"]
    assert learned == ["clip1", "clip2", "clip5", "clip6", "clip9", "clip10"]


def test_an_attribute_bounds_both_sides() -> None:
    kept, learned = names(Selection("films", "test", (("language", ("de",)),)))
    assert kept == ["clip3", "clip7", "clip11"]
    assert learned == ["clip2", "clip6", "clip10"]


def test_a_fold_scores_its_samples_whatever_their_split_and_learns_from_the_others() -> None:
    kept, learned = names(Selection("films", "fold", fold=("fold", "1")))
    assert kept == ["clip1", "clip4", "clip7", "clip10"]
    assert {one.split for one in FOLDS if one.id in kept} == {"train", "test"}
    assert not set(kept) & set(learned) and len(kept) + len(learned) == len(FOLDS)


def test_a_sample_of_no_fold_is_neither_scored_nor_learned_from() -> None:
    stray = Sample("stray", "films", "train", (), "a:1")
    selection = Selection("films", "fold", fold=("fold", "1"))
    assert not selection.scores(stray) and not selection.trains(stray)


def test_of_a_whole_corpus_nothing_is_learned() -> None:
    kept, learned = names(Selection("films", ALL))
    assert len(kept) == len(FOLDS) and not learned


@pytest.mark.parametrize(
    ("selection", "named"),
    [
        (Selection("films", "test", (("part", ("a",)),)), "no sample of films has the attribute 'part'"),
        (Selection("films", "test", (("language", ("de", "fr")),)), "no sample of films has language 'fr'"),
        (Selection("films", "fold", fold=("fold", "3")), "no sample of films has fold '3'"),
    ],
)
def test_a_value_that_the_corpus_does_not_have_is_named(selection: Selection, named: str) -> None:
    with pytest.raises(NotFound, match=named):
        list(scored(FOLDS, selection))


def test_rejections_pass_whatever_is_selected() -> None:
    lost = Rejection("x", "no_clip", "a:2", "")
    assert lost in list(scored([lost, *FOLDS], Selection("films", "fold", fold=("fold", "1"))))


def test_each_selection_has_a_name_of_its_own() -> None:
    several = [
        Selection("films", "test"),
        Selection("films", ALL),
        Selection("films", "test", (("language", ("de",)),)),
        Selection("films", "test", (("language", ("de", "en")),)),
        Selection("films", "fold", fold=("fold", "1")),
        Selection("films", "fold", fold=("fold", "2")),
    ]
    assert len(set(map(str, several))) == len(several)
    assert str(several[3]) == "films:test,language=de|en"
