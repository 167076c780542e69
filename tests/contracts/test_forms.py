"""What every answer form promises: a gold answer is read back as itself, and there are answers to compare with."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectllm.errors import NotFound
from affectllm.labels import LabelSpace
from affectllm.labels.annotation import plain
from affectllm.labels.form import Form, Refused, check_fit, find_form, form_names
from affectllm.labels.language import asking
from affectllm.labels.pictures import to_json
from affectllm.labels.reading import Unreadable
from affectllm.labels.space import KINDS
from affectllm.metrics.core.value_forms import FORMS as SHAPES
from affectllm.metrics.core.value_forms import checked

NAMES = ("joy", "anger", "fear", "sadness")
SPACES = {
    "category": LabelSpace("category", "category", NAMES, source="test"),
    "set": LabelSpace("set", "set", NAMES, source="test"),
    "dimension": LabelSpace("dimension", "dimension", ("valence", "arousal"), source="test", bounds=(-3.0, 3.0)),
    "distribution": LabelSpace("distribution", "distribution", NAMES, source="test"),
    "open": LabelSpace("open", "open", (), source="test"),
    "spans": LabelSpace("spans", "spans", (), source="test"),
    "options": LabelSpace("options", "options", (), source="test"),
    "pairs": LabelSpace("pairs", "pairs", NAMES, source="test"),
}
OFFERED = ("Call a friend", "Go home.", "Wait, and see", "Shout")
NOISE = ("{}", "  {}\n", "Answer: {}", "<think>Perhaps not.</think>\n{}", "<answer>{}</answer>")
pairs = pytest.mark.parametrize(
    ("name", "space"),
    [(name, space) for name in form_names() for space in SPACES.values() if space.kind in find_form(name).kinds],
)


def space_for(form: Form, space: LabelSpace) -> LabelSpace:
    """The space, with the only names that the form may have."""
    return space if form.only is None else LabelSpace(space.name, space.kind, tuple(sorted(form.only)), source="test")


def values(form: Form, space: LabelSpace) -> st.SearchStrategy[Any]:
    """Annotations of a space."""
    if space.kind == "category":
        return st.sampled_from(space.names)
    if space.kind == "set":
        labels = st.sets(st.sampled_from(space.names))
        return labels.map(lambda names: tuple(name for name in space.names if name in names))
    if space.kind == "dimension":
        return st.dictionaries(st.sampled_from(space.names), st.integers(-3, 3).map(float), min_size=1)
    if space.kind == "distribution":
        return st.dictionaries(st.sampled_from(space.names), st.integers(1, 50), min_size=1)
    if space.kind == "options":
        return st.sampled_from(OFFERED).map(lambda right: {"options": OFFERED, "right": (right,)})
    if space.kind == "pairs":
        turn, span = st.integers(1, 40), {"span": st.sampled_from(("", "lost", 'a "ring"'))}
        pair = {"turn": turn, "emotion": st.sampled_from(space.names), "cause": turn}
        return st.lists(st.fixed_dictionaries(pair, optional=span), max_size=3).map(tuple)
    if space.kind == "spans":
        passage = st.fixed_dictionaries(
            {"turn": st.integers(1, 40) | st.just("background"), "span": st.sampled_from(("", "lost", 'a "ring"'))}
        )
        return st.lists(passage, min_size=1, max_size=3).map(tuple)
    return st.sampled_from(("worried", "worried, deeply moved", "relieved"))


def asked(form: Form, value: Any, space: LabelSpace) -> Any:
    """Gold of an annotation, as a question shows it."""
    gold = form.gold(value, space)
    return gold if form.arranged is None or isinstance(gold, Refused) else form.arranged(gold, "corpus/sample")


def read(form: Form, text: str, gold: Any, space: LabelSpace, language: str = "en") -> Any:
    answer = form.read(text, form.own_space(space, gold) if form.own_space else space, language)
    return answer if isinstance(answer, Unreadable) else form.restored(answer, gold)


@pairs
@settings(max_examples=12)
@given(data=st.data())
def test_its_pictures_hold_every_item_and_are_json(name: str, space: LabelSpace, data: st.DataObject) -> None:
    form = find_form(name)
    space = space_for(form, space)
    golds = [asked(form, data.draw(values(form, space)), space) for _ in range(4)]
    golds = [gold for gold in golds if not isinstance(gold, Refused)]
    if not golds:
        return
    perfect = [plain(read(form, form.worded(gold, space, "en", "none"), gold, space)) for gold in golds]
    for answers in (perfect, [None] * len(golds)):
        pictures = [to_json(one) for one in form.pictures(golds, answers, space)]
        assert pictures and json.loads(json.dumps(pictures)) == json.loads(json.dumps(pictures))
        for one in pictures:
            assert one["kind"] in ("scatter", "bars", "matrix", "rates") and one["title"]
        _check_perfect(pictures) if answers is perfect else _check_unread(pictures, len(golds))


def _check_perfect(pictures: list[dict[str, Any]]) -> None:
    """A perfect answer lies on the identity line, on the diagonal, on equal bars."""
    for one in pictures:
        if one["kind"] == "scatter":
            assert one["unread"] == 0 and all(
                right == pytest.approx(given, abs=0.02) for right, given, _ in one["points"]
            )
        elif one["kind"] == "bars":
            assert all(right == pytest.approx(given, abs=0.02) for _, right, given in one["rows"])
        elif one["kind"] == "matrix":
            off = [count for row, counts in enumerate(one["counts"]) for at, count in enumerate(counts) if at != row]
            assert sum(map(sum, one["counts"])) > 0 == sum(off)
        else:
            assert all(share in (None, 1.0) for _, _, shares in one["rows"] for share in shares)


def _check_unread(pictures: list[dict[str, Any]], items: int) -> None:
    """Answers that could not be read are no points, no bars, and no hits."""
    for one in pictures:
        if one["kind"] == "scatter":
            assert not one["points"]
        elif one["kind"] == "bars":
            assert not any(given for _, _, given in one["rows"])
        elif one["kind"] == "rates":
            assert not any(share for _, _, shares in one["rows"] for share in shares)


@pairs
@given(data=st.data())
def test_a_worded_gold_answer_is_read_back_under_noise(name: str, space: LabelSpace, data: st.DataObject) -> None:
    form = find_form(name)
    space = space_for(form, space)
    value = data.draw(values(form, space))
    gold = asked(form, value, space)
    if isinstance(gold, Refused):
        return
    answer = form.worded(gold, space, "en", asking("en").nothing)
    # In free words, what stands before them is a part of them.
    noise = data.draw(st.sampled_from(NOISE if form.judged else [one for one in NOISE if "Answer" not in one]))
    reading = read(form, noise.format(answer), gold, space)
    assert not isinstance(reading, Unreadable), (noise, answer, reading)
    space.check(reading)
    assert form.gold(reading, space) == gold
    assert form.agreement(gold, gold, space) == 1


@pairs
@given(data=st.data())
def test_reference_answers_are_answers_and_fit_the_metrics(name: str, space: LabelSpace, data: st.DataObject) -> None:
    form = find_form(name)
    space = space_for(form, space)
    drawn = [asked(form, value, space) for value in data.draw(st.lists(values(form, space), min_size=1, max_size=6))]
    golds = [gold for gold in drawn if not isinstance(gold, Refused)]
    if not golds:
        return
    own = form.own_space(space, golds[0]) if form.own_space else space
    answers = [golds[0], form.majority(golds, space), form.chance(golds, own, Random(0))]
    for answer in answers:
        worded = form.worded(answer, space, "en", asking("en").nothing)
        reading = read(form, worded, golds[0], space)
        assert not isinstance(reading, Unreadable), (worded, reading)
        truth, scored = form.scored(golds[0], reading, space)
        checked(SHAPES[form.shape(space)], [truth], [scored])
    assert form.scored(golds[0], None, space)[1] is None


@pairs
@given(data=st.data())
def test_a_wrong_answer_is_another_one(name: str, space: LabelSpace, data: st.DataObject) -> None:
    form = find_form(name)
    space = space_for(form, space)
    gold = asked(form, data.draw(values(form, space)), space)
    if form.wrong is None or isinstance(gold, Refused):
        return
    wrong = form.wrong(gold, space, Random(data.draw(st.integers(0, 99))))
    if wrong is not None:
        assert wrong != gold and form.agreement(wrong, gold, space) < 1
        assert form.worded(wrong, space, "en", "none") != form.worded(gold, space, "en", "none")


@pytest.mark.parametrize("name", form_names())
def test_nothing_said_is_unreadable(name: str) -> None:
    form = find_form(name)
    space = space_for(form, SPACES[form.kinds[0]])
    gold = asked(form, {"options": OFFERED, "right": OFFERED[:1]}, space) if form.own_space else None
    for text in ("", "   ", "<think>Hm.</think>"):
        assert isinstance(read(form, text, gold, space), Unreadable), text


def test_every_kind_of_space_can_be_asked_about() -> None:
    assert {kind for name in form_names() for kind in find_form(name).kinds} == set(KINDS)


def test_what_does_not_fit_is_told() -> None:
    assert "is a set space" in check_fit(find_form("choice"), SPACES["set"])
    assert "other names" in check_fit(find_form("judgement"), SPACES["category"])
    halves = LabelSpace("halves", "dimension", ("valence",), source="test", bounds=(0.5, 3.0))
    assert "no whole numbers" in check_fit(find_form("classes"), halves)
    assert not check_fit(find_form("scores"), halves)
    with pytest.raises(NotFound, match="there is no form"):
        find_form("chioce")


def test_options_are_shown_in_an_order_of_the_samples_own_that_stays() -> None:
    form, space = find_form("options"), SPACES["options"]
    assert form.arranged is not None and form.shown is not None
    gold = form.gold({"options": OFFERED, "right": ("Shout",)}, space)
    orders = [form.arranged(gold, f"corpus/{number}") for number in range(60)]
    assert all(one["options"][ord(one["right"][0]) - ord("A")] == "Shout" for one in orders)
    assert {one["right"][0] for one in orders} == set("ABCD"), "no letter is favoured"
    assert form.arranged(gold, "corpus/7") == orders[7]
    assert form.shown(gold)["options"].startswith("A. Call a friend\nB. Go home.")


@pytest.mark.parametrize("reply", ["D", "d", "(D)", "D. Shout", "Shout", "The best option is D."])
def test_options_are_answered_by_letter_or_by_their_words(reply: str) -> None:
    form, space = find_form("options"), SPACES["options"]
    gold = form.gold({"options": OFFERED, "right": ("Shout",)}, space)
    reading = read(form, reply, gold, space)
    assert not isinstance(reading, Unreadable) and reading["right"] == ("Shout",)


def test_options_that_differ_by_case_or_a_full_stop_only_are_chosen_by_letter() -> None:
    form, space = find_form("options"), SPACES["options"]
    gold = form.gold({"options": ("Sad.", "sad", "Happy"), "right": ("sad",)}, space)
    readings = {reply: read(form, reply, gold, space) for reply in ("B", "B. sad", "(A) Sad.", "happy")}
    assert [reading["right"] for reading in readings.values()] == [("sad",), ("sad",), ("Sad.",), ("Happy",)]
    assert isinstance(read(form, "sad", gold, space), Unreadable)


TALK = ('"Oh, what is wrong?"', '"No, not me."', "Jealousy", "Do not go")


@pytest.mark.parametrize(
    "reply", ["(@) %", "@. %", "Answer: @. %", "The answer is @: %", '{"why": "?", "answer": "@"}']
)
def test_the_words_of_an_option_behind_its_letter_deny_nothing(reply: str) -> None:
    form, space = find_form("options"), SPACES["options"]
    gold = form.gold({"options": TALK, "right": TALK[:1]}, space)
    for letter, option in zip("ABCD", TALK, strict=True):
        reading = read(form, reply.replace("@", letter).replace("%", option), gold, space)
        assert not isinstance(reading, Unreadable) and reading["right"] == (option,)
    assert isinstance(read(form, f"Not (A) {TALK[0]}", gold, space), Unreadable)
    assert isinstance(read(form, f"A. {TALK[2]}", gold, space), Unreadable), "the words of another option"


@pytest.mark.parametrize("reply", ["AD", "A D", "A, D", "A and D", "(A) Call a friend\n(D) Shout"])
def test_several_letters_are_several_options(reply: str) -> None:
    form = find_form("options")
    space = LabelSpace("several", "options", (), source="test", several=True)
    gold = form.gold({"options": OFFERED, "right": ("Shout", "Call a friend")}, space)
    assert form.gold(read(form, reply, gold, space), space) == gold
    assert isinstance(read(form, "AE", gold, space), Unreadable)


def test_several_options_may_be_right() -> None:
    form = find_form("options")
    space = LabelSpace("several", "options", (), source="test", several=True)
    gold = form.gold({"options": OFFERED, "right": ("Shout", "Call a friend")}, space)
    assert gold["right"] == ["A", "D"] and form.shape(space) == "set"
    assert form.gold(read(form, "D and A", gold, space), space) == gold
    assert form.gold({"options": OFFERED, "right": ("Shout", "Go home.")}, SPACES["options"]) == Refused("tie")


@pytest.mark.parametrize(
    ("reply", "order"),
    [
        ("joy > fear > anger", ["joy", "fear", "anger"]),
        ("1. fear\n2. joy", ["fear", "joy"]),
        ("fear: 60.5%, joy: 39.5%", ["fear", "joy"]),
        ('["anger", "joy"]', ["anger", "joy"]),
        ("anger < joy", ["joy", "anger"]),
        ("First fear, then sadness; no joy.", ["fear", "sadness"]),
    ],
)
def test_orders_are_read_as_people_write_them(reply: str, order: list[str]) -> None:
    form, space = find_form("ranking"), SPACES["distribution"]
    assert form.gold(read(form, reply, None, space), space) == order


def test_points_of_a_scale_are_labels_of_a_ranking_and_no_places() -> None:
    points = LabelSpace("points", "distribution", ("1", "2", "3"), "made for this test")
    form = find_form("ranking")
    assert form.gold(read(form, "2 > 1", None, points), points) == ["2", "1"]
    assert form.gold(read(form, "2, 3, 1", None, points), points) == ["2", "3", "1"]


@pytest.mark.parametrize(
    "reply",
    [
        '{"joy": 1, "fear": 2}',
        "joy < fear > anger",
        '["joy", "joy"]',
        "2. fear\n1. joy",
        "fear: 40%, joy: 60%",
        "joy 4, fear 4",
        "nothing of it",
    ],
)
def test_an_order_that_is_none_is_unreadable(reply: str) -> None:
    assert isinstance(read(find_form("ranking"), reply, None, SPACES["distribution"]), Unreadable)


@pytest.mark.parametrize("reply", ["3-5", "3–5", "3 — 5", "3~5", "3..5", "3…5", "turn 3 – turn 5"])
def test_a_range_of_turns_is_no_list_of_its_ends(reply: str) -> None:
    assert isinstance(find_form("turns").read(reply, SPACES["spans"], "en"), Unreadable)


def test_turns_are_read_out_of_a_list_with_bullets() -> None:
    assert find_form("turns").read("- 3\n- 5", SPACES["spans"], "en") == ({"turn": 3}, {"turn": 5})
    assert isinstance(find_form("turns").read("-3", SPACES["spans"], "en"), Unreadable)


@pytest.mark.parametrize(
    "reply",
    ['{"turn": 3, "span": "x"}', '[{"turn": "Turn 3", "span": "x", "why": "it hurt"}]', '{"turn": "3", "span": "x"}'],
)
def test_passages_are_read_as_models_write_them(reply: str) -> None:
    assert find_form("spans").read(reply, SPACES["spans"], "en") == ({"turn": 3, "span": "x"},)
    assert isinstance(find_form("spans").read(reply.replace("3", "three"), SPACES["spans"], "en"), Unreadable)


def test_numbers_are_read_under_the_aliases_of_their_dimensions() -> None:
    aliases = {"pleasure": "valence", "activation": "arousal"}
    space = LabelSpace("two", "dimension", ("valence", "arousal"), "test", aliases, bounds=(1.0, 5.0))
    form = find_form("scores")
    assert form.read("pleasure: 3, activation: 4", space, "en") == {"valence": 3.0, "arousal": 4.0}
    assert isinstance(form.read("valence: 3, pleasure: 2", space, "en"), Unreadable)


def test_a_turn_of_thousands_of_digits_is_unreadable() -> None:
    reply = '[{"turn": "' + "9" * 5000 + '", "span": "x"}]'
    assert isinstance(find_form("spans").read(reply, SPACES["spans"], "en"), Unreadable)


@pytest.mark.parametrize(
    ("reply", "language"),
    [("Freude: 60, Wut: 40", "de"), ("Freude: 60 %, Zorn: 40 %", "de"), ("joy: 60, angry: 40", "en")],
)
def test_shares_are_read_by_other_words_for_a_name_too(reply: str, language: str) -> None:
    space = LabelSpace("shares", "distribution", NAMES, source="test", aliases={"angry": "anger"})
    assert find_form("shares").read(reply, space, language) == {"joy": 0.6, "anger": 0.4}
    twice = find_form("shares").read("Wut: 60, Zorn: 40", space, "de")
    assert isinstance(twice, Unreadable), "two shares of one label"
