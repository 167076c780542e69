"""Beyond the contract of builders, conversations: EmotionTalk, IEMOCAP, M3ED, AvaMERG and OMG-Empathy."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from reading_corpora import answer, miniature, read, write

from affectllm.corpus.builder import load_builder
from affectllm.corpus.miniature import materialise

LOST = {
    "emotiontalk": {
        ("G00009_42_12_002", "unknown_label"),
        ("nonsense", "unknown_name"),
        ("G00003_05_13_011", "unknown_label"),
        ("G00003_05_13_011", "no_annotation"),
        ("G00009_42_12_002", "media_missing"),
        ("G00001_03_02_007", "media_missing"),
        ("G00003_05_13_009", "media_missing"),
    },
    "iemocap": {
        ("Ses01F_impro01_M000", "out_of_range"),
        ("Ses01F_impro01_M000", "unknown_label"),
        ("Ses01F_impro01_M000", "media_missing"),
        ("Ses01F_impro01_F001", "broken_row"),
        ("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt:18", "broken_row"),
        ("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_MXX0.wav", "no_annotation"),
        *((f"Session{number}/dialog/EmoEvaluation", "file_missing") for number in (2, 3, 4)),
    },
    "m3ed": {
        ("anjia_1_1", "unknown_label"),
        ("anjia_1_3", "no_annotation"),
        ("val_1_1", "media_missing"),
        ("test_1_1", "media_missing"),
        ("unlisted", "no_split"),
        ("modality_speech/B_test_1_9.wav", "no_annotation"),
    },
    "avamerg": {
        ("train/00001/1", "media_missing"),
        ("train/00001/2", "turn_missing"),
        ("00002", "broken_row"),
        ("test/00003/0", "unknown_label"),
        ("test/00003/0", "media_missing"),
        ("audio/dia00009utt_0_12.wav", "no_annotation"),
    },
    "omg_empathy": {
        ("Training/Annotations/Subject_2_Story_4.csv:3", "broken_row"),
        ("Training/Annotations/Subject_2_Story_4.csv:4", "broken_row"),
        ("Subject_2_Story_4", "media_missing"),
        ("Subject_3_Story_5", "no_annotation"),
        ("Subject_1_Story_3", "media_missing"),
        ("Test/Videos/Subject_1_Story_7.mp4", "no_annotation"),
        ("Test/Videos/notes.mp4", "unknown_name"),
    },
}


@pytest.mark.parametrize("name", LOST)
def test_exactly_what_is_broken_in_a_miniature_is_rejected(name: str, tmp_path: Path) -> None:
    _, rejected = miniature(name, tmp_path)
    assert sorted(rejected) == sorted(LOST[name])


# EmotionTalk


def test_emotiontalk_keeps_the_verdict_of_every_modality(tmp_path: Path) -> None:
    samples, _ = miniature("emotiontalk", tmp_path)
    sample = samples["G00009_42_14_001"]
    verdicts = {way: answer(sample, "ekman_6_neutral", way) for way in ("text", "audio", "video", "multimodal")}
    assert verdicts == {"text": "fear", "audio": "surprise", "video": "neutral", "multimodal": "neutral"}
    assert answer(sample, "emotiontalk_valence", "multimodal") == {"valence": -0.4}
    assert answer(sample, "ekman_6_neutral", "multimodal_annotator_2") == "happiness"
    assert answer(sample, "emotiontalk_valence", "multimodal_annotator_2") == {"valence": -1.0}
    assert answer(sample, "emotiontalk_caption_style", "captioner") == "语速很快"
    assert sample.attributes["multimodal_annotator_1_confidence"] == "8"
    assert [ref.modality for ref in sample.media] == ["video", "audio"]


def test_emotiontalk_takes_marks_out_of_the_words_and_says_which_sounds_there_were(tmp_path: Path) -> None:
    samples, _ = miniature("emotiontalk", tmp_path)
    first, second = samples["G00009_42_14_001"], samples["G00003_05_13_009"]
    assert (first.text, first.attributes["sounds"]) == ("你听我说。", "laughing")
    assert (second.text, second.attributes["sounds"]) == ("他哭了。", "sobbing")
    assert samples["G00009_42_12_002"].text == "好吧。"
    assert samples["G00009_42_12_002"].context[0].text == first.text


def test_emotiontalk_splits_by_pair_where_the_npz_files_are_absent(tmp_path: Path) -> None:
    files = load_builder("emotiontalk").MINIATURE
    tables = {name: text for name, text in files.items() if name.endswith("mm.csv")}
    samples, _ = read("emotiontalk", materialise(tables, tmp_path))
    assert [sample.split for sample in samples.values()] == ["train", "train", "validation", "test"]


def test_emotiontalk_answers_that_contradict_each_other_are_counted(tmp_path: Path) -> None:
    files = {**load_builder("emotiontalk").MINIATURE}
    files["mm.csv"] = str(files["mm.csv"]).replace("mp4,angry", "mp4,sad")
    samples, rejected = read("emotiontalk", materialise(files, tmp_path))
    assert ("G00001_03_02_007", "contradiction") in rejected
    assert answer(samples["G00001_03_02_007"], "ekman_6_neutral", "multimodal") == "sadness"


@pytest.mark.skipif("AFFECTLLM_CORPORA" not in os.environ, reason="needs the real files")
def test_emotiontalk_as_published() -> None:
    root = Path(os.environ["AFFECTLLM_CORPORA"], "emotiontalk")
    if not root.is_dir():
        pytest.skip("EmotionTalk is not there")
    samples, rejected = read("emotiontalk", root)
    assert rejected == []
    assert Counter(sample.split for sample in samples.values()) == load_builder("emotiontalk").CARD.counts
    verdicts = {
        way: Counter(answer(sample, "ekman_6_neutral", way) for sample in samples.values())
        for way in ("text", "multimodal")
    }
    assert (verdicts["text"]["neutral"], verdicts["multimodal"]["neutral"]) == (7903, 6853)
    assert verdicts["multimodal"]["fear"] == 922
    words = [str(sample.text) for sample in samples.values()]
    assert not [text for text in words if set("[]") & set(text) or "over" in text]


# IEMOCAP


def test_iemocap_keeps_every_evaluator_and_the_actors_own_answer(tmp_path: Path) -> None:
    samples, _ = miniature("iemocap", tmp_path)
    turn = samples["Ses01F_impro01_F000"]
    assert answer(turn, "iemocap_10", "majority") == "neutral"
    assert answer(turn, "iemocap_choices", "evaluator_3") == ("neutral", "anger")
    assert answer(turn, "iemocap_choices", "self") == ("neutral",)
    assert turn.attributes["self_remark"] == "tired"
    assert answer(turn, "iemocap_vad", "evaluator_3") == {"valence": 3.0, "activation": 2.0, "dominance": 2.0}
    assert answer(turn, "iemocap_vad", "evaluator_4") == {"valence": 2.0, "activation": 3.0}
    assert answer(turn, "iemocap_vad", "mean") == {"valence": 2.5, "activation": 2.5, "dominance": 2.5}


def test_iemocap_without_agreement_has_votes_and_no_verdict(tmp_path: Path) -> None:
    samples, _ = miniature("iemocap", tmp_path)
    turn = samples["Ses01F_impro01_M000"]
    assert answer(turn, "iemocap_10", "majority") is None
    assert answer(turn, "iemocap_choices", "evaluator_2") == ("frustration",)
    assert answer(turn, "iemocap_vad", "mean") == {"valence": 2.5, "dominance": 2.5}
    assert turn.attributes["agreement"] == "none"
    assert [(before.speaker, before.text) for before in turn.context] == [("Ses01F", "Pardon me."), ("Ses01M", "Mhm.")]


def test_iemocap_folds_are_sessions_and_a_turn_is_a_span_of_the_film(tmp_path: Path) -> None:
    samples, _ = miniature("iemocap", tmp_path)
    first, last = samples["Ses01F_impro01_F000"], samples["Ses05M_script01_1b_M000"]
    assert (first.attributes["fold"], first.split, last.attributes["fold"], last.split) == (
        *("Session1", "train"),
        *("Session5", "test"),
    )
    film, sound = first.media
    assert (film.modality, film.start, film.end) == ("video", 6.2901, 8.2357)
    assert (sound.modality, sound.start) == ("audio", None)
    assert (first.attributes["side"], samples["Ses01F_impro01_M000"].attributes["side"]) == ("left", "right")
    assert last.text == "We won!" and last.attributes["kind"] == "scripted"


# M3ED, AvaMERG, OMG-Empathy


def test_m3ed_keeps_annotators_and_several_emotions(tmp_path: Path) -> None:
    samples, _ = miniature("m3ed", tmp_path)
    first, second = samples["anjia_1_1"], samples["anjia_1_2"]
    assert answer(first, "ekman_6_neutral", "agreed") == "anger"
    assert answer(first, "m3ed_emotions", "agreed") == ("anger", "disgust")
    assert answer(first, "m3ed_emotions", "annotator_2") == ("anger", "disgust")
    assert answer(first, "m3ed_emotions", "annotator_3") is None, "Bored is none of the seven"
    assert [(ref.modality, ref.start, ref.end) for ref in first.media] == [("video", 0.0, 0.4), ("audio", None, None)]
    assert [(turn.speaker, turn.text) for turn in second.context] == [("anjia/房", "你先走")]
    assert samples["val_1_1"].split == "validation"


def test_avamerg_counts_clips_from_zero_and_renamed_ones_from_one(tmp_path: Path) -> None:
    talk = {"dialogue_history": [{"role": "speaker", "utterance": "Hello"}], "response": "Hi"}
    root = write(
        tmp_path,
        {
            "test.json": json.dumps([{"conversation_id": "00007", "turns": [talk]}]),
            "wav/dia7utt1.wav": "x",
            "wav/dia7utt2.wav": "x",
        },
    )
    samples, rejected = read("avamerg", root)
    sample = samples["test/00007/0"]
    assert [ref.path for ref in sample.media] == ["wav/dia7utt1.wav"]
    assert sample.attributes["response_audio"] == "wav/dia7utt2.wav"
    assert rejected == [("train.json", "file_missing")]


def test_avamerg_reads_both_sets_of_emotions_and_the_chain(tmp_path: Path) -> None:
    samples, _ = miniature("avamerg", tmp_path)
    assert answer(samples["train/00001/0"], "empathetic_dialogues_32", "chain") == "proud"
    assert answer(samples["train/00001/1"], "avamerg_7", "chain") == "happiness"
    assert answer(samples["train/00001/0"], "avamerg_goal_to_response", "chain") == "Share her joy."
    assert [turn.speaker for turn in samples["train/00001/1"].context] == ["speaker", "listener"]


def test_omg_empathy_keeps_the_curve_beside_its_mean(tmp_path: Path) -> None:
    samples, _ = miniature("omg_empathy", tmp_path)
    sample = samples["Subject_1_Story_2"]
    assert answer(sample, "omg_empathy_curve", "listener") == "0 0.25 -0.5 0.1"
    assert answer(sample, "omg_empathy_valence", "listener") == {"valence": -0.0375}


def test_omg_empathy_splits_by_story_where_folders_say_nothing(tmp_path: Path) -> None:
    names = {f"Subject_4/Subject_4_Story_{story}.csv": "valence\n0\n" for story in range(1, 9)}
    samples, _ = read("omg_empathy", write(tmp_path, names))
    splits = {sample.attributes["story"]: sample.split for sample in samples.values()}
    assert "".join(splits[str(story)][:2] for story in range(1, 9)) == "vatrtetrtrtetetr"
