"""Rewards by the template that asked: its own answer pays most, another one less, in every language and form."""

from __future__ import annotations

from typing import Any

import pytest
from test_wordings import SPOKEN, VALUES, made

from affectllm.corpus import Sample
from affectllm.errors import Malformed, NotFound
from affectllm.instruct import Template, load_template
from affectllm.instruct.wording import load_wording
from affectllm.labels import Annotation, LabelSpace
from affectllm.metrics.rewards import label_reward
from affectllm.train.rewards import sample_of, template_ccc_reward, template_reward

OTHERS: dict[str, Any] = {
    **{"choice": "fear", "description": "fear", "set": ("anger",), "scores": {"valence": 4.5, "arousal": 1.25}},
    **{"classes": {"joy": 0.0, "anger": 3.0}, "shares": {"joy": 1, "fear": 3}, "judgement": "correct"},
    **{"preference": "a1", "open_set": "calm", "turns": ({"turn": 2},)},
    **{"spans": ({"turn": 2, "span": "x"},), "ranking": {"joy": 3, "anger": 2}},
    "options": {**VALUES["options"], "right": ("Call a friend.",)},
}
JUDGED = [(name, tag) for name, tag in SPOKEN if set(load_wording(name).slots.values()) - {"reply"}]
VALENCE = LabelSpace("valence", "dimension", ("valence",), source="test", bounds=(-1.0, 1.0))


def other(template: Template, sample: Sample) -> Sample:
    """The same sample with another answer in every slot but free words."""
    changed = {slot.space.name: OTHERS.get(slot.form, VALUES[slot.form]) for slot in template.slots}
    given = [Annotation(a.space, a.rater, changed.get(a.space, a.value)) for a in sample.annotations]
    return Sample(
        "s", "c", "train", tuple(given), "f:1", text="Some words.", attributes=sample.attributes, context=sample.context
    )


@pytest.mark.parametrize(("name", "language"), JUDGED)
def test_the_templates_own_answer_pays_most(name: str, language: str) -> None:
    template, sample = made(name, language=language)
    samples = [{"gold": template.gold(sample)}] * 3
    texts = [template.answer(sample), template.answer(other(template, sample)), "I cannot tell."]
    right, wrong, unread = template_reward(template)(texts, samples)
    assert right == 1 and unread == 0 <= wrong < 1


def labelled() -> list[tuple[str, str]]:
    return [(name, tag) for name, tag in JUDGED if set(load_wording(name).slots.values()) <= {"choice", "set"}]


@pytest.mark.parametrize(("name", "language"), labelled())
def test_labels_in_any_language_and_aliases_pay_without_a_template(name: str, language: str) -> None:
    template, sample = made(name, language=language)
    if len(template.slots) > 1:
        return
    told = {"gold": template.gold(sample), "labels": list(template.space.names)}
    assert label_reward([template.answer(sample), template.answer(other(template, sample))], [told] * 2) == [1, 0]


def test_aliases_of_the_space_pay() -> None:
    space = LabelSpace("moods", "category", ("happiness", "sadness"), source="test", aliases={"glad": "happiness"})
    template = load_template("emotion_choice", space=space, rater="r", modalities=("text",))
    told = {"gold": "happiness", "labels": ["happiness", "sadness"], "aliases": [["glad", "happiness"]]}
    for reward in (template_reward(template), label_reward):
        assert reward(["glad", "Sadly, I cannot see it.", "sad"], [told] * 3) == [1, 0, 0]
    assert label_reward(["glad"], [{"gold": "happiness", "labels": ["happiness", "sadness"]}]) == [0]


def test_numbers_pay_by_their_distance() -> None:
    template = load_template("sentiment_score", space=VALENCE, rater="r", modalities=("text",))
    texts, samples = ["0.5", "0", "-1", "7", ""], [{"gold": {"valence": 0.5}}] * 5
    assert template_reward(template)(texts, samples) == [1, 0.75, 0.25, 0, 0]
    found = template_ccc_reward(template)(["0.5", "-0.5"], [{"gold": {"valence": 0.5}}, {"gold": -0.5}])
    assert found == [1, 1]
    assert template_ccc_reward(template)(["0.5", "?"], [{"gold": 0.5}, {"gold": -0.5}])[1] == -1


def test_several_templates_are_told_apart_by_the_rows_of_conversations() -> None:
    english, arabic = (made("emotion_set", language=tag)[0] for tag in ("en", "ar"))
    row = {
        "value": ["joy", "fear"],
        "template": "emotion_set",
        "space": english.space.name,
        "rater": "r",
        "answer": "…",
    }
    samples = [sample_of({**row, "language": tag}) for tag in ("en", "ar")]
    sample = made("emotion_set")[1]
    texts = [english.answer(sample), arabic.answer(sample)]
    assert template_reward(english, arabic)(texts, samples) == [1, 1]
    with pytest.raises(NotFound, match="no template was given for"):
        template_reward(english, arabic)(texts, [{**samples[0], "language": "xx"}] * 2)


def test_what_cannot_be_rewarded_is_explained() -> None:
    template, _ = made("empathetic_reply")
    with pytest.raises(Malformed, match="free words"):
        template_reward(template)
    with pytest.raises(Malformed, match="no template"):
        template_reward()
    with pytest.raises(Malformed, match="one name"):
        template_reward(made("emotion_set")[0], made("emotion_set")[0])
    with pytest.raises(Malformed, match="one number"):
        template_ccc_reward(made("emotion_set")[0])
    with pytest.raises(Malformed, match="no 'gold'"):
        template_reward(made("emotion_set")[0])(["joy"], [{}])
