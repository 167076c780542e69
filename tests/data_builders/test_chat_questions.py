"""HitEmotion, EmoBench-M and MME-Emotion: what is asked, what is right, and what each fault of a file costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from affectllm.data_builders.benchmarks._chats import answer_of
from reading_corpora import answer, miniature, read, write

CHOOSE = " Choose one of the following labels as your final answer: {}. Respond in the format: {{'emotion': 'label'}}."


def chat(question: str, reply: object, **more: object) -> dict[str, Any]:
    turns = [{"from": "human", "value": f"<video>\n{question}"}, {"from": "gpt", "value": reply}]
    return {"id": "0", "video": "CH-SIMS/videos/1.mp4", "conversations": turns, **more}


def hitemotion(folder: Path, file: str, *rows: object) -> tuple[dict[str, Any], Any]:
    return read("hitemotion", write(folder, {f"data/without_prompt/{file}": json.dumps(rows)}))


@pytest.mark.parametrize(
    ("orders", "words"),
    [
        (CHOOSE.format("neutral, positive"), "I cannot choose one of them."),
        (" Do not provide any additional explanations or extra content." + CHOOSE.format("a, b"), "Do not go."),
        (" Do not provide any explanations or extra text." + CHOOSE.format("a, b"), "Respond in kind!"),
        (" Respond in the format: {'emotion': 'label'}.", "He said: {'emotion': 'sad'}."),
    ],
)
def test_a_question_loses_its_orders_and_none_of_what_is_said(tmp_path: Path, orders: str, words: str) -> None:
    row = chat(f"The person in video says: {words} Determine the emotion conveyed.{orders}", "Positive ")
    samples, reasons = hitemotion(tmp_path, "level1/CH-SIMS.json", row)
    (sample,) = samples.values()
    assert sample.text == f"The person in video says: {words} Determine the emotion conveyed."
    assert answer(sample, "emobench_m_sentiment_3", "source") == "positive"
    assert ("level2/MELD.json", "file_missing") in reasons


@pytest.mark.parametrize(
    ("reply", "emotion", "intent"),
    [
        ("{'emotion': 'sad', 'intent': 'wishing'}", "sad", "wishing"),
        ('{"emotion label": "sad", "intent label": "wishing"}', "sad", "wishing"),
        ("{'emotion': 'sad', 'intent', 'wishing'}", "sad", "wishing"),
        ({"emotion": "sad", "intent": "wishing"}, "sad", "wishing"),
        ("{'emotion': 'sad'}", "sad", None),
        ("__import__('os').system('intent')", None, None),
        ("sad", None, None),
    ],
)
def test_members_of_a_reply_are_found_and_nothing_is_run(
    reply: object, emotion: str | None, intent: str | None
) -> None:
    assert (answer_of(reply, "emotion"), answer_of(reply, "intent")) == (emotion, intent)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (chat("How?", "so-so"), "unknown_label"),
        (chat("How?", ["positive"]), "unknown_label"),
        (chat("How?", ""), "broken_row"),
        (chat("", "positive"), "broken_row"),
        (chat("How?", "positive", conversations=[]), "broken_row"),
        (chat("How?", "positive", conversations=[{"from": "gpt", "value": "positive"}] * 2), "broken_row"),
        ("a line", "broken_row"),
    ],
)
def test_what_cannot_be_asked_is_counted(tmp_path: Path, row: object, reason: str) -> None:
    samples, reasons = hitemotion(tmp_path, "level1/CH-SIMS.json", chat("How?", "neutral", id="9"), row)
    assert list(samples) == ["ch_sims/9"] and reason in {code for _, code in reasons}


def test_hitemotion_reads_sets_of_techniques_and_options_of_the_item(tmp_path: Path) -> None:
    samples, reasons = miniature("hitemotion", tmp_path)
    assert answer(samples["semeval2021/0"], "hitemotion_techniques", "source") == ("obfuscation", "smears")
    assert answer(samples["semeval2021/1"], "hitemotion_techniques", "source") == ()
    offered = {"options": ("Long", "Short/Mini"), "right": ("Short/Mini",)}
    assert answer(samples["implicit_ave/1"], "hitemotion_attribute", "source") == offered
    assert {("CH-SIMS/videos/1.mp4", "media_missing"), ("../4.mp4", "unsafe_path")} <= set(reasons)
    assert ("ch_sims/1", "duplicate_id") in reasons and ("implicit_ave/2", "unknown_label") in reasons


def test_hitemotion_asks_for_all_pairs_of_a_scene_at_its_last_turn(tmp_path: Path) -> None:
    samples, reasons = miniature("hitemotion", tmp_path)
    scene = samples["ecf/0"]
    assert (scene.speaker, scene.text) == ("Ross", "So what ?")
    assert [(turn.speaker, turn.text) for turn in scene.context] == [("Ross", "I won !"), ("Joey", "At cards : you ?")]
    pairs = ({"turn": 1, "emotion": "joy", "cause": 1}, {"turn": 3, "emotion": "surprise", "cause": 2})
    assert answer(scene, "hitemotion_pairs", "source") == pairs
    assert {("ecf/2", "unknown_label"), ("ecf/3", "unknown_label")} <= set(reasons)


SCENE = "Below is a conversation.\n[1] Ann: Hm.\n[{}] Ben: Oh.\n\nTask: For ALL target utterances …\n[3] Eve: No."


@pytest.mark.parametrize(
    ("number", "reply", "reason"),
    [
        (2, "{'2': {'emotion': 'Joy', 'cause_utterance_id': '1'}}", None),
        (2, {"2": {"emotion": "joy", "cause_utterance_id": 1}}, None),
        (3, "{'3': {'emotion': 'joy', 'cause_utterance_id': '1'}}", "broken_row"),
        (2, "{'2': {'emotion': 'neutral', 'cause_utterance_id': '1'}}", "unknown_label"),
        (2, "{'2': {'emotion': 'joy'}}", "unknown_label"),
        (2, "{'0': {'emotion': 'joy', 'cause_utterance_id': '1'}}", "unknown_label"),
        (2, "{'2': {'emotion': 'joy', 'cause_utterance_id': '3'}}", "unknown_label"),
        (2, "{'2': {'emotion': 'joy', 'cause_utterance_id': '1'}, '2': 'joy'}", "unknown_label"),
        (2, "{'2': 'joy'}", "unknown_label"),
        (2, "{}", "unknown_label"),
        (2, "__import__('os').system('joy')", "unknown_label"),
    ],
)
def test_a_scene_with_a_fault_is_counted(tmp_path: Path, number: int, reply: object, reason: str | None) -> None:
    samples, reasons = hitemotion(tmp_path, "level3/ECF.json", chat(SCENE.format(number), reply))
    assert [one for one in samples] == ([] if reason else ["ecf/0"])
    assert ("ecf/0", reason) in reasons if reason else "ecf/0" not in dict(reasons)


def test_hitemotion_asks_a_post_for_each_of_its_targets(tmp_path: Path) -> None:
    samples, reasons = miniature("hitemotion", tmp_path)
    own = {name: answer(one, "emobench_m_sentiment_3", "source") for name, one in samples.items() if "twitter" in name}
    assert own == {"twitter/0/1": "positive", "twitter/0/2": "neutral", "twitter/1/1": "negative"}
    assert samples["twitter/0/2"].text == "Tweet: Up!\nTarget: Ann\nDetermine the sentiment toward the target."
    assert {("twitter/1/2", "unknown_label"), ("twitter/2", "broken_row")} <= set(reasons)


def test_emobench_m_has_the_clips_of_each_set_in_its_own_folder(tmp_path: Path) -> None:
    samples, _ = miniature("emobench_m", tmp_path)
    assert [ref.path for ref in samples["meld/0"].media] == ["dataset_500/MELD_test_instruction/videos/meld/0.mp4"]
    assert {one.attributes["group"] for one in samples.values()} == {"fer", "ceu", "scea"}
    one = {"benchmark_json/FGMSA_test_instructuin.json": json.dumps([chat("How?", "weak positive")])}
    samples, _ = read("emobench_m", write(tmp_path / "spelt", one))
    assert list(samples) == ["fgmsa/0"]


def test_mme_emotion_reads_several_labels_in_any_case_and_its_own_options(tmp_path: Path) -> None:
    samples, reasons = miniature("mme_emotion", tmp_path)
    several = answer(samples["ML-ER/MELD/video/ML-ER_0.mp4"], "mme_emotion_answers", "source")
    assert several == {"options": ("Anger", "Sadness", "Other"), "right": ("Anger", "Sadness")}
    assert answer(samples["ER-Lab/MELD/video/ER-Lab_0.mp4"], "mme_emotion_answer", "source")["right"] == ("Anger",)
    assert {reason for _, reason in reasons} == {"duplicate_id", "unknown_label", "unsafe_path", "broken_row"}
