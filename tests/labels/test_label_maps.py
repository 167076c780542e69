"""Maps between label spaces: what they say they lose is what they lose, and their names are those of the corpora."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed, NotFound
from affectllm.labels.cited_maps import GOEMOTIONS_28, MAPS, MELD_7, RAVDESS_WORDS, find_map
from affectllm.labels.maps import LabelMap
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL, SENTIMENT_3

# Spaces of maps that are those of a corpus, by the builder that declares them.
BUILDERS = {"goemotions_28": "goemotions", "meld_7": "meld", "crema_d_6": "crema_d", "ravdess_8": "ravdess"}
BUILDERS["emodb_7"] = "emodb"
each_map = pytest.mark.parametrize("label_map", MAPS, ids=lambda label_map: label_map.name)


@each_map
def test_every_map_is_cited_and_accounts_for_every_label_of_both_spaces(label_map: LabelMap) -> None:
    assert label_map.source_citation and label_map.source.source and label_map.target.source
    losses = label_map.loses
    single = [label for label in label_map.pairs if label_map.pairs[label] not in losses.merged]
    merged = [label for labels in losses.merged.values() for label in labels]
    assert sorted([*losses.dropped, *single, *merged]) == sorted(label_map.source.names)
    assert sorted({*label_map.pairs.values(), *losses.unreached}) == sorted(label_map.target.names)
    assert all(len(labels) > 1 for labels in losses.merged.values())
    assert len(str(losses)) > 5


@each_map
def test_applying_a_map_loses_exactly_what_it_says(label_map: LabelMap) -> None:
    mapped, lost = label_map.apply_all(label_map.source.names)
    assert lost == dict.fromkeys(label_map.loses.dropped, 1)
    assert {label for label in mapped if label is not None} == set(label_map.target.names) - set(
        label_map.loses.unreached
    )


def test_there_is_one_map_for_each_pair_of_spaces() -> None:
    assert max(Counter(label_map.name for label_map in MAPS).values()) == 1
    assert find_map("meld_7", "sentiment_3").target is SENTIMENT_3
    with pytest.raises(NotFound, match="meld_7→sentiment_3"):
        find_map("meld_7", "goemotions_28")
    with pytest.raises(NotFound, match="goemotions_28→goemotions_ekman_7"):
        find_map("nothing", "sentiment_3")


def test_spaces_that_a_corpus_has_are_those_of_its_builder() -> None:
    seen = set()
    for label_map in MAPS:
        for space in (label_map.source, label_map.target):
            if space.name in BUILDERS:
                builder = load_builder(BUILDERS[space.name]).CARD.space(space.name)
                assert (space.names, space.kind) == (builder.names, builder.kind)
                seen.add(space.name)
    assert seen == set(BUILDERS)


def test_goemotions_groups_are_those_of_the_paper() -> None:
    ekman = find_map("goemotions_28", "goemotions_ekman_7")
    assert ekman.apply("annoyance") == "anger" and ekman.apply("curiosity") == "surprise"
    assert len(ekman.loses.merged["joy"]) == 12 and ekman.loses.dropped == ()
    sentiment = find_map("goemotions_28", "goemotions_sentiment_4")
    counts = Counter(sentiment.pairs.values())
    assert counts == {"positive": 12, "negative": 11, "ambiguous": 4, "neutral": 1}
    assert len(GOEMOTIONS_28.names) == 28


def test_surprise_has_no_sentiment() -> None:
    label_map = find_map("meld_7", "sentiment_3")
    mapped, lost = label_map.apply_all(["joy", "surprise", "Surprised", "angry"])
    assert mapped == ["positive", None, None, "negative"] and lost == {"surprise": 2}
    assert label_map.loses.dropped == ("surprise",)


def test_ravdess_in_the_words_of_the_published_evaluator() -> None:
    label_map = find_map("ravdess_words", "r1_omni_ravdess")
    assert [label_map.apply(word) for word in ("fearful", "surprised", "calm")] == ["fear", "surprise", "calm"]
    assert str(label_map.loses) == "loses nothing"
    chained = find_map("ravdess_words", "ravdess_8").then(find_map("ravdess_8", "ekman_6_neutral"))
    assert chained.apply("happy") == "happiness" and chained.apply("calm") is None
    assert chained.source is RAVDESS_WORDS and chained.target is EKMAN_6_NEUTRAL


def test_four_classes_of_iemocap_merge_excitement() -> None:
    label_map = find_map("iemocap_10", "iemocap_4")
    assert label_map.loses.merged == {"happiness": ("happiness", "excitement")}
    assert label_map.loses.dropped == ("frustration", "fear", "surprise", "disgust", "other")
    assert "drops frustration" in str(label_map.loses) and "merges happiness, excitement" in str(label_map.loses)


@given(st.lists(st.sets(st.sampled_from(MELD_7.names))))
def test_sets_keep_what_has_a_counterpart(sets) -> None:
    label_map = find_map("meld_7", "sentiment_3")
    mapped, lost = label_map.apply_sets(sets)
    assert mapped == [
        frozenset(label_map.pairs[label] for label in labels if label in label_map.pairs) for labels in sets
    ]
    assert lost.get("surprise", 0) == sum("surprise" in labels for labels in sets)


def test_a_label_that_is_not_in_the_space_is_an_error_and_not_a_loss() -> None:
    with pytest.raises(Malformed, match="'suprise' is not in meld_7"):
        find_map("meld_7", "sentiment_3").apply_all(["joy", "suprise"])


def test_contradictory_maps_are_refused() -> None:
    for pairs in ({"happy": "positive"}, {"joy": "good"}):
        with pytest.raises(Malformed, match="is not in"):
            LabelMap(MELD_7, SENTIMENT_3, pairs, "here")
    with pytest.raises(Malformed, match="does not end where"):
        find_map("meld_7", "sentiment_3").then(find_map("meld_7", "iemocap_4"))
