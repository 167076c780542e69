"""Gold answers in the space that a task asks in: published maps, the sign of a number, labels as open words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from affectllm.corpus import Rejection, Sample
from affectllm.corpus.mapped import NO_COUNTERPART, mapped
from affectllm.errors import AffectError, Malformed, NotFound
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.cited_maps import GOEMOTIONS_28, IEMOCAP_10
from affectllm.labels.gold_maps import find_gold_map

IEMOCAP = replace(IEMOCAP_10, source="the corpus's own")
VALENCE = LabelSpace("mosi_sentiment", "dimension", ("sentiment",), source="", bounds=(-3.0, 3.0))


@pytest.mark.parametrize(
    ("space", "target", "value", "expected"),
    [
        (IEMOCAP, "iemocap_4", "excitement", "happiness"),
        (IEMOCAP, "iemocap_4", "frustration", None),
        (IEMOCAP, "iemocap_4", ("happiness", "excitement"), "happiness"),
        (IEMOCAP, "iemocap_4", ("happiness", "anger"), ("happiness", "anger")),
        # what is left of a vote that tied would be no majority
        (IEMOCAP, "iemocap_4", ("anger", "frustration"), None),
        (GOEMOTIONS_28, "goemotions_ekman_7", ("joy", "love", "fear"), ("joy", "fear")),
        (GOEMOTIONS_28, "goemotions_ekman_7", (), ()),
        (VALENCE, "polarity", {"sentiment": -0.2}, "negative"),
        (VALENCE, "polarity", {"sentiment": 3.0}, "positive"),
        (VALENCE, "polarity", {"sentiment": 0.0}, None),
        (IEMOCAP, "words", "anger", "anger"),
        (IEMOCAP, "words", ("anger", "fear"), None),
        (GOEMOTIONS_28, "words", ("joy", "love"), "joy, love"),
        (GOEMOTIONS_28, "words", (), None),
    ],
)
def test_an_answer_has_its_counterpart_or_none(space: LabelSpace, target: str, value: Any, expected: Any) -> None:
    gold_map = find_gold_map(space, target)
    assert gold_map.value(value) == expected
    if expected is not None:
        gold_map.target.check(expected)


def test_what_has_no_counterpart_is_counted_and_the_first_answer_stays() -> None:
    answers = {"a": "excitement", "b": "frustration"}
    items = [Sample(k, "iemocap", "test", (Annotation("iemocap_10", "people", v),), "x:1") for k, v in answers.items()]
    items.append(Sample("c", "iemocap", "test", (), "x:1"))
    a, b, c = mapped(items, find_gold_map(IEMOCAP, "iemocap_4"), "people", "asked")
    assert isinstance(a, Sample) and [one.value for one in a.annotations] == ["excitement", "happiness"]
    assert isinstance(b, Rejection) and b.reason == NO_COUNTERPART and "iemocap_10→iemocap_4" in b.detail
    assert c == items[2]


@pytest.mark.parametrize(
    ("space", "target", "error", "named"),
    [
        (IEMOCAP, "dfew_7", NotFound, "iemocap_10→iemocap_4"),
        (replace(IEMOCAP, names=(*IEMOCAP.names, "bored")), "iemocap_4", Malformed, "bored"),
        (IEMOCAP, "polarity", Malformed, "no single number"),
        (VALENCE, "words", Malformed, "no labels"),
    ],
)
def test_a_map_that_does_not_fit_is_refused(space: LabelSpace, target: str, error: type, named: str) -> None:
    with pytest.raises(AffectError, match=named) as caught:
        find_gold_map(space, target)
    assert isinstance(caught.value, error)
