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
each_map = pytest.mark.parametrize("found", MAPS, ids=lambda found: found.name)


@each_map
def test_every_map_is_cited_and_accounts_for_every_label_of_both_spaces(found: LabelMap) -> None:
    assert found.source_citation and found.source.source and found.target.source
    losses = found.loses
    single = [label for label in found.pairs if found.pairs[label] not in losses.merged]
    merged = [label for labels in losses.merged.values() for label in labels]
    assert sorted([*losses.dropped, *single, *merged]) == sorted(found.source.names)
    assert sorted({*found.pairs.values(), *losses.unreached}) == sorted(found.target.names)
    assert all(len(labels) > 1 for labels in losses.merged.values())
    assert len(str(losses)) > 5


@each_map
def test_applying_a_map_loses_exactly_what_it_says(found: LabelMap) -> None:
    mapped, lost = found.apply_all(found.source.names)
    assert lost == dict.fromkeys(found.loses.dropped, 1)
    assert {label for label in mapped if label is not None} == set(found.target.names) - set(found.loses.unreached)


def test_there_is_one_map_for_each_pair_of_spaces() -> None:
    assert max(Counter(found.name for found in MAPS).values()) == 1
    assert find_map("meld_7", "sentiment_3").target is SENTIMENT_3
    with pytest.raises(NotFound, match="meld_7→sentiment_3"):
        find_map("meld_7", "goemotions_28")
    with pytest.raises(NotFound, match="goemotions_28→goemotions_ekman_7"):
        find_map("nothing", "sentiment_3")


def test_spaces_that_a_corpus_has_are_those_of_its_builder() -> None:
    seen = set()
    for found in MAPS:
        for space in (found.source, found.target):
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
    found = find_map("meld_7", "sentiment_3")
    mapped, lost = found.apply_all(["joy", "surprise", "Surprised", "angry"])
    assert mapped == ["positive", None, None, "negative"] and lost == {"surprise": 2}
    assert found.loses.dropped == ("surprise",)


def test_ravdess_in_the_words_of_the_published_evaluator() -> None:
    found = find_map("ravdess_words", "r1_omni_ravdess")
    assert [found.apply(word) for word in ("fearful", "surprised", "calm")] == ["fear", "surprise", "calm"]
    assert str(found.loses) == "loses nothing"
    chained = find_map("ravdess_words", "ravdess_8").then(find_map("ravdess_8", "ekman_6_neutral"))
    assert chained.apply("happy") == "happiness" and chained.apply("calm") is None
    assert chained.source is RAVDESS_WORDS and chained.target is EKMAN_6_NEUTRAL


def test_four_classes_of_iemocap_merge_excitement() -> None:
    found = find_map("iemocap_10", "iemocap_4")
    assert found.loses.merged == {"happiness": ("happiness", "excitement")}
    assert found.loses.dropped == ("frustration", "fear", "surprise", "disgust", "other")
    assert "drops frustration" in str(found.loses) and "merges happiness, excitement" in str(found.loses)


@given(st.lists(st.sets(st.sampled_from(MELD_7.names))))
def test_sets_keep_what_has_a_counterpart(sets) -> None:
    found = find_map("meld_7", "sentiment_3")
    mapped, lost = found.apply_sets(sets)
    assert mapped == [frozenset(found.pairs[label] for label in labels if label in found.pairs) for labels in sets]
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
