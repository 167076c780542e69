"""Steps of an annotation on rows: votes, filters, synthesis, statements, pairs. No model is asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from affectllm.annotate.diversity import diversity, self_bleu
from affectllm.annotate.row import Row
from affectllm.annotate.step import Context, Step
from affectllm.annotate.steps.agrees import Agrees
from affectllm.annotate.steps.consistent import Consistent
from affectllm.annotate.steps.distinct import Distinct
from affectllm.annotate.steps.pairs import Pairs
from affectllm.annotate.steps.shortcut_control import ShortcutControl
from affectllm.annotate.steps.statements import Statements
from affectllm.annotate.steps.synthesize import Synthesize
from affectllm.annotate.steps.vote import Vote
from affectllm.corpus import TRAIN, MediaRef, Rejection, Sample
from affectllm.errors import Malformed
from affectllm.instruct.rejected import preferred
from affectllm.labels import Annotation, LabelSpace
from affectllm.labels.taxonomies import SPACES

EKMAN = next(space for space in SPACES if space.name == "ekman_6_neutral")
LABELS = ("happiness", "sadness", "anger", "fear")
CONTEXT = {"corpus": "made", "raters": {"a": "one@1", "b": "two@2"}, "roots": {}, "folder": Path()}


def row(number: int, label: str | tuple[str, ...] = "happiness", text: str = "", **notes: Any) -> Row:
    annotation = Annotation(EKMAN.name, "crowd", label)
    return Row(Sample(f"s{number}", "source", TRAIN, (annotation,), "t.csv", text=text or f"text {number}"), notes)


def context(*steps: Step, spaces: tuple[LabelSpace, ...] = SPACES, **voters: list[str]) -> Context:
    one = Context(**CONTEXT, spaces={space.name: space for space in spaces}, voters=dict(voters))  # type: ignore[arg-type]
    for step in steps:
        step.check(one)
    return one


def reasons(items: Any) -> Counter[str]:
    return Counter(item.reason if isinstance(item, Rejection) else "kept" for item in items)


@pytest.mark.parametrize(
    ("said", "space", "expected"),
    [
        ({"one@1": ["glad", "tired"], "two@2": ["tired", "glad"]}, "", ["glad", "tired"]),
        ({"one@1": ["glad", "glad"], "two@2": ["sad"]}, "", "no_agreement"),  # one model has one vote
        ({"one@1": ["anger"], "two@2": ["anger"]}, EKMAN.name, ["anger"]),
        ({}, "", "no_agreement"),
    ],
)
def test_a_vote_counts_models_and_not_words(said: dict[str, list[str]], space: str, expected: Any) -> None:
    step = Vote("vote", "voted", of="labels", least=2, space=space)
    around = context(step, labels=["one@1", "two@2"])
    (item,) = step.take(row(1, labels=said), [], around)
    if isinstance(expected, str):
        assert isinstance(item, Rejection) and item.reason == expected
        return
    assert isinstance(item, Row) and item.notes["voted"] == expected
    (rater,) = [one.rater for one in item.sample.annotations if one.rater != "crowd"]
    assert "one@1" in around.new_raters[rater] and "two@2" in around.new_raters[rater]


def test_a_tie_is_no_answer_and_too_many_votes_are_refused() -> None:
    step = Vote("vote", "voted", of="labels", least=1, space=EKMAN.name)
    (item,) = step.take(row(1, labels={"a": ["anger"], "b": ["fear"]}), [], context(step, labels=["a", "b"]))
    assert isinstance(item, Rejection) and item.reason == "tie"
    with pytest.raises(Malformed, match="needs 3 votes"):
        context(Vote("vote", "voted", of="labels", least=3), labels=["a", "b"])


def test_labels_agree_in_the_words_of_the_space() -> None:
    step = Agrees("agrees", "agrees", of="voted", space=EKMAN.name, rater="crowd")
    around = context(step)
    voted = [["joyful"], ["sad"], ["fiftlab"]]
    items = [step.take(row(n, voted=labels), [], around)[0] for n, labels in enumerate(voted)]
    assert reasons(items) == {"kept": 1, "disagrees_with_label": 2} and isinstance(items[0], Row)
    (item,) = Agrees("agrees", "agrees", of="voted", space=EKMAN.name, rater="nobody").take(row(1), [], around)
    assert isinstance(item, Rejection) and item.reason == "no_given_label"


def test_a_rater_who_gave_no_label_is_refused_and_one_of_the_page_is_not() -> None:
    around = context()
    around.given = frozenset({(EKMAN.name, "crowd")})
    around.new_raters["scribe@1"] = "a model of the page"
    for rater in ("crowd", "scribe@1"):
        Agrees("agrees", "agrees", of="voted", space=EKMAN.name, rater=rater).check(around)
    pairs = Pairs("pairs", "pairs", of={"one": "a", "two": "b"}, space=EKMAN.name, rater="nobody")
    agrees = Agrees("agrees", "agrees", of="voted", space="mikels_8", rater="crowd")
    for step in (Statements("statements", "judged", space=EKMAN.name, rater="nobody"), pairs, agrees):
        with pytest.raises(
            Malformed, match=r"(?s)no sample has a label in .*they have ekman_6_neutral by crowd"
        ) as raised:
            step.check(around)
        assert raised.value.where == "rater"


def test_the_samples_own_labels_are_gone_behind_statements() -> None:
    around = context()
    around.given = frozenset({(EKMAN.name, "crowd")})
    steps = [Statements("statements", name, space=EKMAN.name, rater="crowd") for name in ("once", "twice")]
    steps[0].check(around)
    with pytest.raises(Malformed, match="no sample has a label"):
        steps[1].check(around)


def test_a_polarity_is_that_of_a_label_of_the_space() -> None:
    step = Statements("statements", "judged", space=EKMAN.name, rater="crowd", polarity={"joyy": "positive"})
    with pytest.raises(Malformed, match="has no label 'joyy'"):
        context(step)


def test_synthesis_counts_what_is_outside_of_the_taxonomy() -> None:
    step = Synthesize("synthesize", "written", model="a", space=EKMAN.name, per=3)
    around, story = context(step), row(7, text="A long story about a lost dog.")
    asked = step.asks(story, around)
    wanted = [str(one.ask.messages).split("they feel ")[1].split(",")[0] for one in asked]
    assert len(set(wanted)) == 3
    answer = {"context": "A dog is lost.", "text": "Where can he be?", "emotions": [wanted[0], "zenitude"]}
    replies = [f"Sure: ```json\n{json.dumps(answer)}\n```", json.dumps({**answer, "emotions": ["zenitude"]}), "no"]
    items = step.take(story, replies, around)
    assert reasons(items) == {"kept": 1, "label_not_expressed": 1, "not_as_asked": 1}
    assert around.facts["written"] == {"out_of_taxonomy": 2, "words": {"zenitude": 2}}
    (kept,) = [item for item in items if isinstance(item, Row)]
    assert kept.sample.text == "Where can he be?" and kept.sample.context[0].text == "A dog is lost."
    assert kept.sample.annotations == (Annotation("made_written", "one@1", (wanted[0],)),)


def test_near_duplicates_go_and_diversity_is_reported() -> None:
    step = Distinct("distinct", "distinct")
    text = "I never thought that the old house at the end of our street could be sold so fast"
    rows = [row(1, text=text), row(2, text=f"{text}!"), row(3, "anger", text="He broke the only cup that I had left")]
    around = context(step)
    items = step.over(rows, around)
    assert reasons(items) == {"kept": 2, "near_duplicate": 1}
    facts = around.facts["distinct"]
    assert (
        facts["texts"] == 2
        and facts["label_entropy"] == 1.0
        and facts["distinct_1"] == pytest.approx(23 / 27, abs=1e-3)
    )


def test_samples_without_words_are_no_duplicates_of_one_another() -> None:
    step = Distinct("distinct", "distinct", of="heard")
    rows = [row(1, heard="..."), row(2), row(3)]
    assert reasons(step.over(rows, context(step))) == {"kept": 3}


def test_self_bleu_knows_copies_from_different_texts() -> None:
    assert self_bleu(["one two three four five"] * 3) == pytest.approx(1.0)
    assert self_bleu(["one two three four five", "six seven eight nine ten"]) < 0.1
    assert diversity([], [])["label_entropy"] == 0
    assert self_bleu(["one two", "", " ", "one two"]) == pytest.approx(1.0)  # texts without words are no texts
    assert diversity(["", ""], [["joy"], ["joy"]])["self_bleu"] == 0
    assert str(diversity(["one"], [])["label_entropy"]) == "0.0"
    assert str(diversity(["one"], [["joy"]])["label_entropy"]) == "0.0"


def labelled(count: int, skewed: bool = False) -> list[Row]:
    labels = [LABELS[0 if skewed and n % 10 else n % 4] for n in range(count)]
    return [row(n, label, scene=f"A {label} scene with thing {n}.") for n, label in enumerate(labels)]


def test_statements_are_balanced_by_text_and_text_alone_is_at_chance() -> None:
    step = Statements("statements", "judged", space=EKMAN.name, rater="crowd", scene="scene")
    around = context(step)
    rows = [item for item in step.over(labelled(200), around) if isinstance(item, Row)]
    by_text = Counter((one.sample.text, one.notes["judged"]) for one in rows)
    assert all(by_text[text, "correct"] == by_text[text, "incorrect"] for text, _ in by_text)
    assert len({one.sample.attributes["dimension"] for one in rows}) == 4
    assert len(rows) == 3 * 400 + 200  # three of the four labels are negative: of these as many as of the others
    label = {f"s{n}": LABELS[n % 4] for n in range(200)}
    for one in rows:
        if one.sample.attributes["dimension"] == "scene context":
            fits = f"A {label[one.sample.attributes['image']]} scene" in str(one.sample.text)
            assert fits == (one.notes["judged"] == "correct")
    control = around.facts["judged"]["text_only"]
    assert control["low"] <= 0.5 and 0.45 < control["accuracy"] < 0.55


def test_a_label_that_most_clips_have_is_cut_to_half() -> None:
    step = Statements("statements", "judged", space=EKMAN.name, rater="crowd")
    around = context(step)
    rows = [item for item in step.over(labelled(200, skewed=True), around) if isinstance(item, Row)]
    own = [one for one in rows if one.sample.attributes["dimension"] == "emotion interpretation"]
    assert around.facts["judged"]["unbalanced"]["emotion interpretation"] > 100 and own
    assert len({one.sample.id for one in rows}) == len(rows)


@pytest.mark.parametrize("shortcuts", ["refuse", "rebalance"])
def test_statements_that_text_alone_tells_are_refused_or_rebalanced(shortcuts: Any) -> None:
    space = LabelSpace("judged", "category", ("correct", "incorrect"), "made")
    step = ShortcutControl("shortcut_control", "held", space="judged", rater="model", shortcuts=shortcuts)
    around = context(step, spaces=(space,))
    rows = []
    for n in range(120):
        truth = n % 2 == 0
        words = "The face is calm" if (truth or n % 7 == 0) else "The face is certainly not at all calm"
        sample = Sample(f"s{n}", "x", TRAIN, (Annotation("judged", "model", space.names[not truth]),), "t", text=words)
        rows.append(Row(sample))
    if shortcuts == "refuse":
        with pytest.raises(Malformed, match="text alone judges"):
            step.over(rows, around)
        return
    items = step.over(rows, around)
    facts = around.facts["held"]
    assert facts["text_only_before"]["low"] > 0.6 and facts["text_only"]["low"] <= facts["text_only"]["majority"]
    assert reasons(items)["told_by_text_alone"] + reasons(items)["kept"] == 120 and reasons(items)["kept"] > 10


def test_pairs_prefer_the_description_that_agrees_and_dpo_takes_them() -> None:
    step = Pairs("pairs", "pairs", of={"one": "labels_one", "two": "labels_two"}, space=EKMAN.name, rater="crowd")
    around = context(step)
    texts = {"one": "She laughs.", "two": "She weeps."}
    placed = Counter[str]()
    for n in range(40):
        notes = {**texts, "labels_one": {"m": ["joy"]}, "labels_two": {"m": ["sadness"]}}
        label = "happiness" if n % 2 else "sadness"
        (item,) = step.take(row(n, label, **notes), [], around)
        assert isinstance(item, Row)
        pair = preferred(item.sample, "made_pairs", "pairs")
        assert isinstance(pair, Sample)
        right, wrong = (texts["one"], texts["two"]) if label == "happiness" else (texts["two"], texts["one"])
        assert pair.annotation("preferred_answer", "pairs").value == right and wrong in pair.attributes.values()
        placed[item.notes["pairs"]] += 1
    assert min(placed["a1"], placed["a2"]) > 10
    notes = {**texts, "labels_one": {"m": ["joy"]}, "labels_two": {"m": []}}
    (item,) = step.take(row(1, **notes), [], around)
    assert isinstance(item, Rejection) and item.reason == "no_pair"


def test_descriptions_that_measurements_contradict_are_dropped(tmp_path: Path) -> None:
    levels = {"a.wav": -6.0, "b.wav": -10.0, "c.wav": -30.0, "d.wav": -40.0}
    for name, level in levels.items():
        tone = 10 ** (level / 20) * np.sin(np.arange(8000) / 8)
        soundfile.write(tmp_path / name, tone.astype(np.float32), 16_000)
    said = ("She shouts.", "He does not shout; he whispers.", "A loud voice.", "He whispers, never loud.")
    rows = [
        Row(Sample(f"s{n}", "made", TRAIN, (), "t", media=(MediaRef(name, "audio"),)), {"heard": text})
        for n, (name, text) in enumerate(zip(levels, said, strict=True))
    ]
    rows.append(Row(Sample("gone", "made", TRAIN, (), "t", media=(MediaRef("gone.wav", "audio"),)), {"heard": "loud"}))
    step = Consistent("consistent", "consistent", of="heard")
    around = context(step)
    around.roots = {"made": tmp_path}
    items = step.over(rows, around)
    assert [isinstance(item, Row) for item in items] == [True, False, False, True, True]
    assert around.facts["consistent"]["measured"]["loudness"] == 4
