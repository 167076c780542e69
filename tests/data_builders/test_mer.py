"""Beyond the contract of builders, the MER challenges: MER2023, MER2024, MER-Caption+, OV-MERD, EMER and MERR."""

from __future__ import annotations

from pathlib import Path

import pytest
from affectllm.data_builders.video._mer import words
from reading_corpora import answer, miniature, read, write

from affectllm.corpus.builder import load_builder
from affectllm.corpus.files.label_archives import archive
from affectllm.corpus.miniature import materialise

LABELS = {
    "train_corpus": {"sample_00000000": {"emo": 1, "val": -3.2}},
    "test1_corpus": {"sample_00000010": {"emo": "happy", "val": -10}},
}
LOST = {
    "mer2023": {
        ("sample_00000002", "unknown_label"),
        ("sample_00000001", "duplicate_id"),
        ("sample_00000003", "out_of_range"),
        ("test-labels/test3-label.csv:3", "broken_row"),
        *((f"sample_000000{number}", "media_missing") for number in ("02", "03", "20", "30")),
        ("test3/sample_00000099.mp4", "no_annotation"),
    },
    "mer2024": {
        ("samplenew_00000002", "unknown_label"),
        ("samplenew_00000002", "no_annotation"),
        ("samplenew3_00000020", "duplicate_id"),
        *((f"samplenew3_000000{number}", "media_missing") for number in ("10", "20", "30", "31")),
        ("samplenew_00000003", "media_missing"),
    },
    "mer_caption_plus": {
        ("samplenew_00000006", "duplicate_id"),
        ("mer2025-dataset/track2_train_mercaptionplus.csv:5", "broken_row"),
        ("samplenew_00000006", "media_missing"),
        ("samplenew_00000008", "media_missing"),
        ("mer2025-dataset/video/samplenew_00000099.mp4", "no_annotation"),
    },
    "ov_merd": {
        ("sample_00000043", "duplicate_id"),
        ("sample_00000043", "media_missing"),
        ("sample_00000050", "media_missing"),
    },
    "emer": {
        ("sample_00000062", "duplicate_id"),
        ("EMER/dataset-v1/gt-eng.csv:6", "broken_row"),
        ("sample_00000062", "media_missing"),
        ("sample_00000063", "media_missing"),
        ("sample_00000064", "no_annotation"),
    },
    "merr": {
        ("MERR_coarse_grained.txt:3", "broken_row"),
        ("samplenew_00000004", "unknown_label"),
        ("samplenew_00000004", "no_annotation"),
        ("samplenew_00000001", "duplicate_id"),
        ("samplenew_00000002", "media_missing"),
        ("samplenew_00000005", "no_annotation"),
    },
}


@pytest.mark.parametrize("name", LOST)
def test_exactly_what_is_broken_in_a_miniature_is_rejected(name: str, tmp_path: Path) -> None:
    _, rejected = miniature(name, tmp_path)
    assert sorted(rejected) == sorted(LOST[name])


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("['angry', 'worry']", ["angry", "worry"]),
        ('["Angry",  "WORRY", "angry"]', ["angry", "worry"]),
        ("[happy, surprised]", ["happy", "surprised"]),
        ("['it\\'s fine', 'calm']", ["it's fine", "calm"]),
        ("惊讶，开心", ["惊讶", "开心"]),
        ("[]", []),
        ("", []),
        ("['torn", ["torn"]),
    ],
)
def test_an_open_vocabulary_is_read_however_it_is_written(written: str, read_as: list[str]) -> None:
    assert words(written) == read_as


def test_mer2023_finds_clips_by_name_and_tells_the_tracks_apart(tmp_path: Path) -> None:
    samples, _ = miniature("mer2023", tmp_path)
    first, test = samples["sample_00000000"], samples["sample_00000010"]
    assert first.media[0].path == "mer2023train/train/sample_00000000.avi"
    assert (first.text, first.language, first.attributes["english"]) == ("你别说了", "zh", "Stop, please.")
    assert (test.split, test.attributes["track"]) == ("test", "MER-MULTI")
    assert (test.text, test.language) == ("How nice!", "en"), "nan is no subtitle"
    assert answer(test, "mer2023_valence", "annotators") == {"valence": 2.25}
    assert answer(samples["sample_00000020"], "mer2023_valence", "annotators") is None


def test_mer2023_reads_the_preparation_of_mertools(tmp_path: Path) -> None:
    (tmp_path / "label-6way.npz").write_bytes(archive(LABELS))
    samples, rejected = read("mer2023", tmp_path)
    assert not rejected
    assert answer(samples["sample_00000000"], "mer_6", "annotators") == "anger"
    assert answer(samples["sample_00000010"], "mer_6", "annotators") == "happiness"
    assert samples["sample_00000010"].annotation("mer2023_valence", "annotators") is None, "-10 means none"


def test_mer2023_table_and_archive_agree_or_are_counted(tmp_path: Path) -> None:
    materialise(load_builder("mer2023").MINIATURE, tmp_path)
    (tmp_path / "label-6way.npz").write_bytes(archive(LABELS))
    before = set(LOST["mer2023"])
    assert set(read("mer2023", tmp_path)[1]) == before
    table = tmp_path / "mer2023train" / "train-label.csv"
    table.write_text(table.read_text().replace("00000,angry", "00000,sad"))
    assert set(read("mer2023", tmp_path)[1]) - before == {("sample_00000000", "contradiction")}


def test_mer2024_tests_are_told_by_the_name_of_their_table(tmp_path: Path) -> None:
    samples, _ = miniature("mer2024", tmp_path)
    tracks = {name: (sample.split, sample.attributes.get("track")) for name, sample in samples.items()}
    assert tracks == {
        "sample_00000000": ("train", None),
        "samplenew_00000001": ("train", None),
        "samplenew_00000003": ("test", "MER-OV"),
        "samplenew3_00000010": ("test", "MER-SEMI"),
        "samplenew3_00000020": ("test", "MER-NOISE"),
        "samplenew3_00000030": ("test", "MER-OV"),
        "samplenew3_00000031": ("test", "MER-OV"),
    }
    both = samples["samplenew_00000003"]
    assert answer(both, "mer_6", "annotators") == "happiness"
    assert answer(both, "mer2024_openset", "annotators") == "happy, relieved"
    assert answer(samples["samplenew3_00000030"], "mer2024_openset", "annotators") == "angry, worry"


@pytest.mark.parametrize(("name", "space"), [("mer2024", "mer2024_openset"), ("ov_merd", "ov_merd_openset")])
def test_no_word_means_neutral_and_says_so(name: str, space: str, tmp_path: Path) -> None:
    samples, _ = miniature(name, tmp_path)
    empty = [sample for sample in samples.values() if sample.attributes.get("openset") == "empty"]
    assert [answer(sample, space, "annotators") for sample in empty] == ["neutral"]


def test_ov_merd_and_its_extension_share_no_clip(tmp_path: Path) -> None:
    samples, _ = miniature("ov_merd", tmp_path)
    assert {name: sample.split for name, sample in samples.items()} == {
        "sample_00000043": "test",
        "sample_00000050": "test",
        "sample_00000042": "train",
    }
    assert answer(samples["sample_00000043"], "ov_merd_openset", "annotators") == "moved, grateful"
    assert answer(samples["sample_00000042"], "ov_merd_reason", "annotators") == "His eyes are\nwet."


def test_mer_caption_plus_joins_words_description_and_subtitle(tmp_path: Path) -> None:
    samples, _ = miniature("mer_caption_plus", tmp_path)
    sample = samples["samplenew_00000005"]
    assert answer(sample, "mer_caption_plus_openset", "model") == "worried, anxious"
    assert answer(sample, "mer_caption_plus_reason", "model") == "He frowns, and his voice trembles."
    assert (sample.text, sample.attributes["english"]) == ("怎么办呢", "What now?")
    assert [ref.modality for ref in sample.media] == ["video", "audio"]


def test_emer_keeps_both_releases_in_both_languages(tmp_path: Path) -> None:
    samples, _ = miniature("emer", tmp_path)
    sample = samples["sample_00000061"]
    assert answer(sample, "emer_openset_english", "first_release") == "surprised, happy"
    assert answer(sample, "emer_openset_chinese", "first_release") == "惊讶, 开心"
    assert answer(sample, "emer_reason_english", "first_release") == 'Her eyes widen.\nHer voice "jumps".'
    assert answer(sample, "emer_reason_chinese", "second_release") == "画面中她很惊讶。"
    assert sample.text == "是你吗" and sample.attributes["english"] == "Is that you?"


def test_merr_has_captions_reasons_and_clues(tmp_path: Path) -> None:
    samples, _ = miniature("merr", tmp_path)
    sample = samples["samplenew_00000001"]
    assert answer(sample, "merr_9", "coarse") == answer(sample, "merr_9", "fine") == "happiness"
    assert answer(sample, "merr_caption", "coarse") == "He smiles and speaks brightly."
    assert str(answer(sample, "merr_reason", "fine")).startswith("His raised cheeks")
    assert sample.attributes["AU_list"] == "AU06, AU12" and sample.attributes["frames"] == "86"
    assert sample.text == "I won the race."


def test_merr_takes_emotions_of_the_json_where_there_is_no_list(tmp_path: Path) -> None:
    text = '{"a_1": {"pseu_emotion": "contempt", "caption": "x"}, "a_2": 3}'
    samples, rejected = read("merr", write(tmp_path, {"MERR_coarse_grained.json": text}))
    assert answer(samples["a_1"], "merr_9", "coarse") == "contempt"
    assert ("a_2", "broken_row") in rejected
