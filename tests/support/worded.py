"""Every wording bound to label spaces of its own, with a sample that answers it: for the tests of wordings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from affectllm.corpus import Sample, Turn
from affectllm.instruct import Template, load_template, template_names
from affectllm.instruct.wording import load_wording
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import EKMAN_6_NEUTRAL

SPOKEN = [(name, language) for name in template_names() for language in load_wording(name).speeches]
WORDS = LabelSpace("words_r", "open", (), source="test")
LIST = LabelSpace("list_r", "open", (), source="test")
PASSAGES = LabelSpace("passages_r", "spans", (), source="test")
SPACES = {
    "choice": EKMAN_6_NEUTRAL,
    "description": EKMAN_6_NEUTRAL,
    "set": LabelSpace("set_r", "set", ("joy", "anger", "fear"), source="test"),
    "label_scores": LabelSpace("label_scores_r", "set", ("joy", "anger", "fear"), source="test"),
    "scores": LabelSpace("scores_r", "dimension", ("valence", "arousal"), source="test", bounds=(1.0, 5.0)),
    "classes": LabelSpace("classes_r", "dimension", ("joy", "anger"), source="test", bounds=(0.0, 3.0)),
    "shares": LabelSpace("shares_r", "distribution", ("joy", "anger", "fear"), source="test"),
    "judgement": LabelSpace("judgement_r", "category", ("correct", "incorrect"), source="test"),
    "preference": LabelSpace("preference_r", "category", ("a1", "a2", "same"), source="test"),
    "reply": WORDS,
    "open_set": LIST,
    "turns": PASSAGES,
    "spans": PASSAGES,
    "options": LabelSpace("options_r", "options", (), source="test"),
    "pairs": LabelSpace("pairs_r", "pairs", ("joy", "anger", "fear"), source="test"),
    "passage": LabelSpace("passage_r", "open", (), source="test"),
    "ranking": LabelSpace("ranking_r", "distribution", ("joy", "anger", "fear"), source="test"),
}
VALUES: dict[str, Any] = {
    **{"choice": "anger", "description": "anger", "set": ("joy", "fear"), "scores": {"valence": 1.5, "arousal": 4.25}},
    **{"classes": {"joy": 2.0, "anger": 0.0}, "shares": {"joy": 3, "fear": 1}, "judgement": "incorrect"},
    **{"preference": "a2", "reply": "I hear you.", "open_set": "worried, deeply moved"},
    "passage": "your lost ring",
    "label_scores": ("joy", "fear"),
    "pairs": ({"turn": 2, "emotion": "joy", "cause": 1, "span": 'your "lost" ring'},),
    "turns": ({"turn": 1}, {"turn": 3}, {"turn": "background"}),
    "spans": ({"turn": 1, "span": 'your "lost" ring'}, {"turn": "background", "span": ""}),
    "options": {"options": ("Call a friend.", "Go home", "A walk, and a talk"), "right": ("Go home",)},
    "ranking": {"joy": 1, "anger": 0, "fear": 3},
}


def space_of(form: str, slot: str) -> LabelSpace:
    return replace(SPACES[form], name=f"{SPACES[form].name}/{slot}")


def made(name: str, **options: Any) -> tuple[Template, Sample]:
    """A template, every slot bound to a space of its own, and a sample that answers them all."""
    page = load_wording(name)
    forms = {**page.slots, **page.given}
    spaces = {slot: space_of(form, slot) for slot, form in forms.items()}
    first, *others = forms
    also = {slot: (spaces[slot], "r") for slot in others}
    template = load_template(name, space=spaces[first], rater="r", modalities=("text",), also=also, **options)
    answers = tuple(Annotation(spaces[slot].name, "r", VALUES[form]) for slot, form in forms.items())
    facts = dict.fromkeys(page.facts, "a fact")
    before = (Turn("x", "One."), Turn("y", "Two.")) if page.numbered else ()  # VALUES names turn 3
    return template, Sample("s", "c", "train", answers, "f:1", text="Some words.", attributes=facts, context=before)
