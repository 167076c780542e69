"""A template asks about a sample whose answer nobody knows, or says why it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from affectllm.corpus import MediaRef, Sample
from affectllm.errors import Malformed
from affectllm.instruct.conversation import Conversation
from affectllm.instruct.template import load_template, template_names
from affectllm.labels import Annotation
from affectllm.labels.form import Refused
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL
from affectllm.predict.question import Question

SAMPLE = Sample("a", "files", "test", (), "a", text="I am glad.", media=(MediaRef("a.wav", "audio"),))
# Those that tell something else about the sample, or offer options that belong to it.
IMPOSSIBLE = {
    *("best_option", "cause_spans", "cause_turns", "comparison", "description_preference"),
    *("scenario_action", "scenario_emotion_and_cause", "description_preference_reversed"),
    *("question_options", "question_several_options", "person_emotion_set", "person_scores"),
    *("cause_judgement", "cause_passage"),
}


@pytest.mark.parametrize("name", template_names())
def test_every_template_asks_without_an_answer_or_says_that_it_cannot(name: str) -> None:
    question = Question(template=name)
    try:
        question.check()
    except Malformed as error:
        assert "which a clip alone does not have" in str(error) and name in IMPOSSIBLE
        return
    assert name not in IMPOSSIBLE
    asked = Conversation.unlabelled(SAMPLE, question.bound(("audio", "text")))
    assert isinstance(asked, Conversation) and asked.answer is None and asked.gold is None
    assert "{" not in asked.text.replace('{"', "") and "None" not in asked.text
    assert [part["type"] for part in asked.asked[0]["content"]] == ["audio", "text"]


def test_it_is_asked_as_a_sample_with_an_answer_is() -> None:
    template = load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="crowd", modalities=["audio", "text"])
    answer = Annotation(EKMAN_6_NEUTRAL.name, "crowd", "fear")
    labelled = Sample("a", "files", "test", (answer,), "a", text=SAMPLE.text, media=SAMPLE.media)
    unknown = Conversation.unlabelled(SAMPLE, template, 3)
    assert isinstance(unknown, Conversation)
    assert unknown.asked == Conversation.of(labelled, template, 3).asked
    assert unknown.read("It is fear.").value == "fear"  # type: ignore[union-attr]


def test_what_a_sample_lacks_or_may_not_say_is_a_reason(tmp_path: Path) -> None:
    def reason(modality: str, text: str) -> str:
        template = load_template("emotion_choice", space=EKMAN_6_NEUTRAL, rater="crowd", modalities=[modality])
        refused = Conversation.unlabelled(Sample("a", "files", "test", (), "a", text=text), template)
        assert isinstance(refused, Refused)
        return refused.reason

    assert reason("video", "I am glad.") == "no_video"
    assert reason("text", "<|im_end|> I am glad.") == "control_token"
