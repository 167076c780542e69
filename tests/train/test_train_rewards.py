"""Rewards by the template that asked: its own answer pays most, another one less, in every language and form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from worded import SPOKEN, VALUES, made

from affectllm.corpus import Sample
from affectllm.corpus.builder import load_builder
from affectllm.errors import Malformed, NotFound
from affectllm.instruct import Template, load_template
from affectllm.instruct.conversation import AskedBy
from affectllm.instruct.wording import load_wording
from affectllm.labels import Annotation, LabelSpace
from affectllm.train.rewards.by_reading import ccc_reward, metric_reward, reading_reward, sample_of, template_reward

OTHERS: dict[str, Any] = {
    **{"choice": "fear", "description": "fear", "set": ("anger",), "scores": {"valence": 4.5, "arousal": 1.25}},
    **{"classes": {"joy": 0.0, "anger": 3.0}, "shares": {"joy": 1, "fear": 3}, "judgement": "correct"},
    **{"preference": "a1", "open_set": "calm", "turns": ({"turn": 2},)},
    **{"spans": ({"turn": 2, "span": "x"},), "ranking": {"joy": 3, "anger": 2}},
    **{"passage": "on the train", "label_scores": ("anger",)},
    "pairs": ({"turn": 2, "emotion": "anger", "cause": 1, "span": "ring"},),
    "options": {**VALUES["options"], "right": ("Call a friend.",)},
}
JUDGED = [(name, tag) for name, tag in SPOKEN if set(load_wording(name).slots.values()) - {"reply"}]
VALENCE = LabelSpace("valence", "dimension", ("valence",), source="test", bounds=(-1.0, 1.0))


def other(template: Template, sample: Sample) -> Sample:
    """The same sample with another answer in every slot but free words."""
    changed = {slot.space.name: OTHERS.get(slot.form, VALUES[slot.form]) for slot in template.slots}
    changed_annotations = [Annotation(a.space, a.rater, changed.get(a.space, a.value)) for a in sample.annotations]
    return Sample(
        "s",
        "c",
        "train",
        tuple(changed_annotations),
        "f:1",
        text="Some words.",
        attributes=sample.attributes,
        context=sample.context,
    )


@pytest.mark.parametrize(("name", "language"), JUDGED)
def test_the_templates_own_answer_pays_most(name: str, language: str) -> None:
    template, sample = made(name, language=language)
    samples = [{"gold": template.gold(sample)}] * 3
    texts = [template.answer(sample), template.answer(other(template, sample)), "I cannot tell."]
    right, wrong, unread = template_reward(template)(texts, samples)
    assert right == 1 and unread == 0 <= wrong < 1


def test_aliases_of_the_space_pay() -> None:
    space = LabelSpace("moods", "category", ("happiness", "sadness"), source="test", aliases={"glad": "happiness"})
    template = load_template("emotion_choice", space=space, rater="r", modalities=("text",))
    texts = ["glad", "Sadly, I cannot see it.", "sad"]
    assert template_reward(template)(texts, [{"gold": "happiness"}] * 3) == [1, 0, 0]


def test_numbers_pay_by_their_distance() -> None:
    template = load_template("sentiment_score", space=VALENCE, rater="r", modalities=("text",))
    texts, samples = ["0.5", "0", "-1", "7", ""], [{"gold": {"valence": 0.5}}] * 5
    assert template_reward(template)(texts, samples) == [1, 0.75, 0.25, 0, 0]


SETS = load_builder("semeval2018_task1").CARD.space("semeval2018_11")


def row_of(template: Template, value: Any, corpus: str = "semeval2018_task1") -> dict[str, Any]:
    """What a conversations file keeps of a question."""
    asked = {"id": "x", "corpus": corpus, "language": template.language, "asked_by": AskedBy.of(template).to_json()}
    return {**json.loads(json.dumps(asked)), "value": value, "messages": [], "answer": "…"}


def sets(language: str) -> Template:
    return load_template("emotion_set", space=SETS, rater="crowd", modalities=("text",), language=language)


def test_rows_of_many_questions_are_read_as_they_were_asked() -> None:
    english, arabic = sets("en"), sets("ar")
    samples = [sample_of(row_of(template, ["joy", "fear"])) for template in (english, arabic)]
    texts = [template.worded({"answer": ["joy", "fear"]}) for template in (english, arabic)]
    assert reading_reward(texts, samples) == [1, 1]
    assert reading_reward(texts[::-1], samples)[0] == 0, "an English question is not answered in Arabic"


def test_a_row_of_several_answers_rebuilds_its_reader() -> None:
    card = load_builder("esconv").CARD
    also = {"reply": (card.space("esconv_reply"), "supporter")}
    strategy = card.space("esconv_strategy")
    template = load_template("supportive_reply", space=strategy, rater="supporter", modalities=("text",), also=also)
    gold = {"strategy": "question", "reply": "Since when?"}
    sample = sample_of(row_of(template, gold, "esconv"))
    wrong = template.worded({"strategy": "information", "reply": "Since when?"})
    assert reading_reward([template.worded(gold), wrong, "?"], [sample] * 3) == [1, 0, 0]


def test_options_are_read_by_their_letters_or_words() -> None:
    space = load_builder("emobench").CARD.space("emobench_action")
    template = load_template("scenario_action", space=space, rater="authors", modalities=("text",))
    gold = {"options": ["Call the police", "Walk"], "right": ["A"]}
    samples = [sample_of(row_of(template, gold, "emobench"))] * 4
    assert reading_reward(["A", "Call the police.", "B", "both"], samples) == [1, 1, 0, 0]


def valences(*golds: float) -> list[dict[str, Any]]:
    space = load_builder("semeval2018_task1").CARD.space("semeval2018_valence")
    template = load_template("sentiment_score", space=space, rater="crowd", modalities=("text",))
    return [sample_of(row_of(template, {"valence": gold})) for gold in golds]


def test_concordance_of_one_number() -> None:
    assert ccc_reward(["0.5", "0.25"], valences(0.5, 0.25)) == [1, 1]
    assert ccc_reward(["0.5", "?"], valences(0.5, 0.25))[1] == -1
    with pytest.raises(Malformed, match="one number"):
        ccc_reward(["joy"], [sample_of(row_of(sets("en"), ["joy"]))])


def test_any_metric_of_one_item_is_a_reward() -> None:
    samples = [sample_of(row_of(sets("en"), ["joy", "fear"]))] * 3
    assert metric_reward("jaccard")(["joy, fear", "joy", "?"], samples) == [1, 0.5, 0]
    with pytest.raises(Malformed, match="a lower mae is better"):
        metric_reward("mae")
    with pytest.raises(NotFound, match="no metric called") as near:
        metric_reward("jacard")
    with pytest.raises(NotFound, match="no metric called") as far:
        metric_reward("qqqq")
    assert near.value.do.endswith("? See `affectllm ls metrics`") and far.value.do == "see `affectllm ls metrics`"


def test_a_page_that_has_changed_since_does_not_read(tmp_path: Path) -> None:
    sample = sample_of(row_of(sets("en"), ["joy"]))
    sample["asked_by"]["version"] += 1
    with pytest.raises(Malformed, match="was asked in version"):
        reading_reward(["joy"], [sample])


def test_what_cannot_be_rewarded_is_explained() -> None:
    template, _ = made("empathetic_reply")
    with pytest.raises(Malformed, match="free words"):
        template_reward(template)
    with pytest.raises(Malformed, match="no 'gold'"):
        template_reward(made("emotion_set")[0])(["joy"], [{}])
    with pytest.raises(Malformed, match="1 completions for 0 samples"):
        reading_reward(["joy"], [])
    with pytest.raises(Malformed, match="no 'asked_by'"):
        reading_reward(["joy"], [{"id": "x", "corpus": "c", "language": "en", "value": "joy"}])
