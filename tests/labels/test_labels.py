"""Label spaces, the word forms that are read as their names, and annotations."""

from __future__ import annotations

import json
import math

import pytest

from affectllm import registry
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6, EKMAN_6_NEUTRAL, SENTIMENT_3, SPACES, aliases

BUILT = [space for name in registry.names("data_builders") for space in load_builder(name).CARD.spaces]


@pytest.mark.parametrize("space", [*SPACES, *BUILT], ids=lambda space: space.name)
def test_every_space_is_cited_and_reads_its_own_names(space: LabelSpace) -> None:
    assert space.source
    assert bool(space.names) == (space.kind not in ("open", "spans", "options"))
    for name in space.names:
        assert space.resolve(f" {name.upper()} ") == name
    for word, name in space.aliases.items():
        assert word not in space.names and space.resolve(word.title()) == name


def test_one_name_is_one_space() -> None:
    by_name: dict[str, LabelSpace] = {}
    for space in [*SPACES, *BUILT]:
        assert by_name.setdefault(space.name, space) == space


@pytest.mark.parametrize(
    ("space", "word", "name"),
    [
        (EKMAN_6, "angry", "anger"),
        (EKMAN_6, "Joyful", "happiness"),
        (EKMAN_6, "afraid", "fear"),
        (EKMAN_6_NEUTRAL, "no emotion", "neutral"),
        (SENTIMENT_3, "Positive", "positive"),
        (EKMAN_6, "neutral", None),
        (EKMAN_6, "upset", None),
        (EKMAN_6, "", None),
    ],
)
def test_adjectives_are_read_and_doubtful_words_are_not(space: LabelSpace, word: str, name: str | None) -> None:
    assert space.resolve(word) == name


def test_corpora_that_say_joy_and_corpora_that_say_happiness_are_both_read() -> None:
    assert load_builder("meld").CARD.space("meld_7").resolve("happy") == "joy"
    assert load_builder("emodb").CARD.space("emodb_7").resolve("joyful") == "happiness"
    assert load_builder("empathetic_dialogues").CARD.space("empathetic_dialogues_32").resolve("anger") == "angry"


def test_a_space_that_tells_joy_from_happiness_gives_neither_an_alias() -> None:
    assert aliases("joy", "happiness") == {}
    assert aliases("joy")["happiness"] == "joy"


CATEGORY = LabelSpace("c", "category", ("anger", "joy"), "here")
SET = LabelSpace("s", "set", ("anger", "joy"), "here")
DIMENSION = LabelSpace("d", "dimension", ("valence",), "here", bounds=(-1.0, 1.0))
DISTRIBUTION = LabelSpace("p", "distribution", ("anger", "joy"), "here")
OPEN = LabelSpace("o", "open", (), "here")


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (CATEGORY, "joy"),
        (CATEGORY, ("anger", "joy")),
        (SET, ()),
        (SET, ("joy",)),
        (DIMENSION, {"valence": -1.0}),
        (DISTRIBUTION, {"anger": 3.0, "joy": 0.0}),
        (OPEN, "I am so sorry."),
    ],
)
def test_answers_of_a_space_are_admitted(space: LabelSpace, value: object) -> None:
    space.check(value)


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (CATEGORY, "fear"),
        (CATEGORY, ("joy",)),
        (CATEGORY, ("joy", "joy")),
        (CATEGORY, {"joy": 1.0}),
        (SET, "joy"),
        (SET, ("joy", "fear")),
        (DIMENSION, {"valence": 1.5}),
        (DIMENSION, {"valence": math.nan}),
        (DIMENSION, {"arousal": 0.0}),
        (DISTRIBUTION, {"anger": -1.0}),
        (DISTRIBUTION, ("anger",)),
        (OPEN, ("words",)),
    ],
)
def test_anything_else_is_refused(space: LabelSpace, value: object) -> None:
    with pytest.raises(Malformed, match=space.name):
        space.check(value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("joy", "joy")},
        {"names": ("joy",), "aliases": {"angry": "anger"}},
        {"names": ("valence",), "bounds": (0.0, 1.0)},
    ],
)
def test_a_contradictory_space_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        LabelSpace(name="x", kind="category", source="here", **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["joy", ("anger", "joy"), (), {"valence": 0.5}])
def test_annotations_survive_json(value: object) -> None:
    annotation = Annotation("space", "rater", value)  # type: ignore[arg-type]
    assert Annotation.from_json(json.loads(json.dumps(annotation.to_json()))) == annotation


def test_a_tie_is_two_names_or_more() -> None:
    assert Annotation("c", "crowd", ("anger", "joy")).tied
    assert not Annotation("c", "crowd", "joy").tied
