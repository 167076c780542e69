"""What the builders of BRIGHTER, XED, TweetEval, ToMBench and EQ-Bench do with the oddities of each release."""

from __future__ import annotations

from pathlib import Path

from reading_corpora import answer, miniature, read, write

_BRIGHTER = "task-dataset/semeval-2025-task11-dataset"


def test_brighter_without_labels_is_rejected_and_track_b_stands_for_it(tmp_path: Path) -> None:
    samples, reasons = miniature("brighter", tmp_path)
    assert ("eng_test_track_a_00001", "no_annotation") in reasons
    english = samples["eng_test_track_b_00001"]
    assert answer(english, "brighter_5_without_disgust", "readers") == ("fear", "surprise")
    assert answer(english, "brighter_intensity", "readers") == {
        "anger": 0,
        "fear": 2,
        "joy": 0,
        "sadness": 0,
        "surprise": 1,
    }
    assert answer(samples["deu_train_track_a_00002"], "brighter_6", "readers") == ()
    afrikaans = samples["afr_dev_track_a_1"]  # its header is in title case
    assert answer(afrikaans, "brighter_5_without_surprise", "readers") == ("joy",) and afrikaans.language == "af"
    assert ("track_b/train/ron.csv", "file_missing") not in reasons


def test_brighter_english_cannot_hold_disgust_even_where_a_copy_has_the_column(tmp_path: Path) -> None:
    row = "id,text,anger,disgust,fear,joy,sadness,surprise\ne1,Ugh.,0,1,0,0,0,0\n"
    samples, _ = read("brighter", write(tmp_path, {f"{_BRIGHTER}/track_a/train/eng.csv": row}))
    assert answer(samples["e1"], "brighter_5_without_disgust", "readers") == ()


def test_xed_reads_numbers_in_any_order_and_neutral_lines_as_the_empty_set(tmp_path: Path) -> None:
    samples, reasons = miniature("xed", tmp_path)
    assert answer(samples["annotated/en/1"], "xed_8", "annotators") == ("fear", "trust")
    assert answer(samples["neutral/en/1"], "xed_8", "annotators") == ()
    german = samples["projected/de/1"]
    assert german.text == 'Er sagt "nein".' and answer(german, "xed_8", "projection") == ("anger", "disgust")
    assert {("annotated/en/11", "unknown_label"), ("annotated/en/12", "broken_row")} <= set(reasons)
    assert ("Projections/tr-projections2.tsv", "unknown_name") in reasons


def test_tweeteval_gives_no_labels_where_the_files_of_a_split_differ_in_length(tmp_path: Path) -> None:
    files = {"emotion/test_text.txt": "One \nTwo \n", "emotion/test_labels.txt": "1\n"}
    samples, reasons = read("tweeteval_emotion", write(tmp_path, files))
    assert not samples and ("emotion/test_labels.txt", "broken_row") in reasons
    samples, _ = miniature("tweeteval_emotion", tmp_path / "mini")
    assert samples["train/1"].text == "@user You broke\nit & left"
    assert answer(samples["train/1"], "tweeteval_emotion_4", "crowd") == "anger"


def test_tombench_keeps_emotions_and_what_follows_from_beliefs_and_takes_letters_away(tmp_path: Path) -> None:
    samples, reasons = miniature("tombench_emotion", tmp_path)
    assert sorted(samples) == [
        *("Ambiguous Story Task/1/en", "Ambiguous Story Task/1/zh"),
        *("Hidden Emotions/1/en", "Hidden Emotions/1/zh"),
        *("Unexpected Outcome Test/1/en", "Unexpected Outcome Test/1/zh"),
    ]
    offered = {"options": ("Glad", "Sad", "Proud", "Calm"), "right": ("Sad",)}
    for language in ("en", "zh"):
        assert answer(samples[f"Hidden Emotions/1/{language}"], "tombench_answer", "authors") == offered
    parts = {name.partition("/")[0]: sample.attributes["part"] for name, sample in samples.items()}
    assert (parts["Ambiguous Story Task"], parts["Hidden Emotions"]) == ("belief", "emotion")
    two = answer(samples["Unexpected Outcome Test/1/en"], "tombench_answer", "authors")
    assert two == {"options": ("Glad", "Sad"), "right": ("Glad",)}
    assert {("Hidden Emotions/2/en", "unknown_label"), ("Hidden Emotions/3/zh", "unknown_label")} <= set(reasons)


def test_eq_bench_words_are_the_scores_beside_the_questions_own_emotions(tmp_path: Path) -> None:
    samples, _ = miniature("eq_bench", tmp_path)
    assert answer(samples["v2/en/1"], "eq_bench_words_fullscale", "author") == "Bitter: 0\nCalm: 6\nProud: 0\nLost: 7"
